//! Tests that a change deletes or skips, by the lines that open them.
//!
//! A heuristic: what opens a test in the usual frameworks of each language. A test that only moves
//! to another place is not deleted, nor is one that another takes the place of in the same file.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::git::diff::{ChangedLine, Hear, Side};

/// How a language's tests begin, at the start of a line.
struct Language {
    /// Ends of file names, without the dot.
    ends: &'static [&'static str],
    /// What opens a test and names it.
    opens: &'static [&'static str],
    /// What stands above the line that names a test.
    marks: &'static [&'static str],
    /// What skips a test, or all others.
    skips: &'static [&'static str],
    /// Only files that are called like tests count: the words are ordinary ones.
    by_name: bool,
}

const LANGUAGES: &[Language] = &[
    Language {
        ends: &["rs"],
        opens: &[],
        marks: &["#[test]", "#[tokio::test", "#[rstest", "#[test_case", "#[quickcheck"],
        skips: &[concat!("#[", "ignore"), "#[cfg(any())]"],
        by_name: false,
    },
    Language {
        ends: &["py"],
        opens: &["def test_", "async def test_"],
        marks: &[],
        skips: &["@pytest.mark.skip", "@pytest.mark.xfail", "@unittest.skip", "pytest.skip("],
        by_name: false,
    },
    Language {
        ends: &["js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "vue", "svelte"],
        opens: &["it(", "test(", "it.each", "test.each", "Deno.test("],
        marks: &[],
        skips: &[
            "it.skip",
            "test.skip",
            "describe.skip",
            "xit(",
            "xtest(",
            "xdescribe(",
            "it.only",
            "test.only",
            "describe.only",
            "fit(",
            "fdescribe(",
            "it.todo",
            "test.todo",
        ],
        by_name: true,
    },
    Language {
        ends: &["go"],
        opens: &["func Test", "func Fuzz", "func Example"],
        marks: &[],
        skips: &["t.Skip(", "t.Skipf(", "t.SkipNow("],
        by_name: true,
    },
    Language {
        ends: &["java", "kt", "kts", "scala", "groovy"],
        opens: &[],
        marks: &["@Test", "@ParameterizedTest", "@RepeatedTest"],
        skips: &["@Disabled", "@Ignore"],
        by_name: false,
    },
    Language {
        ends: &["cs", "fs", "vb"],
        opens: &[],
        marks: &["[Fact", "[Theory", "[Test]", "[TestCase", "[TestMethod]", "[DataTestMethod]"],
        skips: &["[Ignore", "[Fact(Skip", "[Theory(Skip"],
        by_name: false,
    },
    Language {
        ends: &["rb"],
        opens: &["it \"", "it '", "test \"", "test '", "def test_", "specify \"", "scenario \""],
        marks: &[],
        skips: &["xit ", "xdescribe ", "xcontext ", "skip \"", "skip '", "pending "],
        by_name: true,
    },
    Language {
        ends: &["php"],
        opens: &["public function test", "it('", "test('"],
        marks: &["#[Test]"],
        skips: &["$this->markTestSkipped("],
        by_name: true,
    },
    Language {
        ends: &["c", "cc", "cpp", "cxx", "h", "hpp"],
        opens: &["TEST(", "TEST_F(", "TEST_P(", "TEST_CASE(", "BOOST_AUTO_TEST_CASE("],
        marks: &[],
        skips: &["GTEST_SKIP("],
        by_name: false,
    },
    Language {
        ends: &["swift"],
        opens: &["func test"],
        marks: &["@Test"],
        skips: &["throw XCTSkip(", "try XCTSkip"],
        by_name: false,
    },
    Language {
        ends: &["ex", "exs"],
        opens: &["test \"", "property \""],
        marks: &[],
        skips: &["@tag :skip", "@moduletag :skip"],
        by_name: true,
    },
];

/// Whether a file is called as tests are.
pub(super) fn is_test_file(path: &Path) -> bool {
    let Some(name) = path.file_name().map(OsStr::to_string_lossy) else { return false };
    if language(path).is_none() {
        return false;
    }
    let stem = name.rsplit_once('.').map_or(&*name, |(stem, _)| stem);
    let dirs = ["test", "tests", "__tests__", "spec", "specs", "e2e", "cypress"];
    let in_dir = path.parent().is_some_and(|dir| {
        dir.iter().any(|part| dirs.iter().any(|known| part.eq_ignore_ascii_case(known)))
    });
    let ends = [".test", ".spec", "_test", "_spec", "Test", "Tests", "Spec", ".cy"];
    in_dir || stem.starts_with("test_") || ends.iter().any(|end| stem.ends_with(end))
}

fn language(path: &Path) -> Option<&'static Language> {
    let end = path.extension()?.to_str()?;
    LANGUAGES.iter().find(|language| language.ends.contains(&end))
}

/// Collects what one change does to tests.
#[derive(Debug, Clone, Default)]
pub(super) struct TestLines {
    files: BTreeMap<PathBuf, FileTests>,
}

#[derive(Debug, Clone, Default)]
struct FileTests {
    removed: Vec<String>,
    added: Vec<String>,
    skips_removed: u64,
    skips_added: u64,
    /// A mark was seen on that side, and the line that names its test was not.
    marked: [Option<String>; 2],
}

/// Tests that are gone or skipped in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lost {
    /// The file.
    pub(super) path: PathBuf,
    /// How many.
    pub(super) tests: u64,
}

/// Collects of each pair what its change does to tests.
pub(super) struct OfPairs(pub(super) Vec<TestLines>);

impl Hear for OfPairs {
    fn begin(&mut self, pair: usize) {
        self.0[pair] = TestLines::default();
    }

    fn line(&mut self, line: &ChangedLine<'_>) {
        let path = line.file.path.as_path();
        let Some(language) = language(path) else { return };
        if language.by_name && !is_test_file(path) {
            return;
        }
        let text = String::from_utf8_lossy(line.text);
        self.0[line.pair].line(path, language, line.side, text.trim());
    }
}

impl TestLines {
    fn line(&mut self, path: &Path, language: &Language, side: Side, text: &str) {
        let begins = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
        let (opens, marks, skips) =
            (begins(language.opens), begins(language.marks), begins(language.skips));
        if !self.files.contains_key(path) {
            if !opens && !marks && !skips {
                return;
            }
            self.files.insert(path.to_path_buf(), FileTests::default());
        }
        let Some(file) = self.files.get_mut(path) else { return };
        if skips {
            *(if side == Side::Added { &mut file.skips_added } else { &mut file.skips_removed }) +=
                1;
        }
        let at = usize::from(side == Side::Added);
        if marks {
            file.settle(side);
            file.marked[at] = Some(text.to_owned());
        } else if opens {
            file.push(side, text.to_owned());
        } else if file.marked[at].is_some() && !text.starts_with(['#', '@', '[']) {
            file.marked[at] = None;
            file.push(side, text.to_owned());
        }
    }

    /// Files that hold fewer tests than before, moved ones apart, by path.
    pub(super) fn deleted(mut self) -> Vec<Lost> {
        for file in self.files.values_mut() {
            file.settle(Side::Removed);
            file.settle(Side::Added);
        }
        let mut moved: BTreeMap<String, usize> = BTreeMap::new();
        for name in self.files.values().flat_map(|file| &file.added) {
            *moved.entry(name.clone()).or_default() += 1;
        }
        let files = self.files.into_iter().filter_map(|(path, file)| {
            let mut here: Vec<&String> = file.added.iter().collect();
            let mut gone = 0_usize;
            for name in &file.removed {
                if let Some(at) = here.iter().position(|added| *added == name) {
                    here.swap_remove(at);
                } else if let Some(left) = moved.get_mut(name).filter(|left| **left > 0) {
                    *left -= 1;
                } else {
                    gone += 1;
                }
            }
            let tests = gone.saturating_sub(here.len()) as u64;
            (tests > 0).then_some(Lost { path, tests })
        });
        files.collect()
    }

    /// Files with more skips than before, by path.
    pub(super) fn skipped(&self) -> Vec<Lost> {
        let files = self.files.iter().filter_map(|(path, file)| {
            let tests = file.skips_added.saturating_sub(file.skips_removed);
            (tests > 0).then(|| Lost { path: path.clone(), tests })
        });
        files.collect()
    }
}

impl FileTests {
    fn push(&mut self, side: Side, name: String) {
        match side {
            Side::Removed => self.removed.push(name),
            Side::Added => self.added.push(name),
        }
    }

    /// A mark whose test was not named goes by its own words.
    fn settle(&mut self, side: Side) {
        if let Some(mark) = self.marked[usize::from(side == Side::Added)].take() {
            self.push(side, mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::diff::{FileDiff, Status};

    /// Hears `-` and `+` lines of files as one change.
    fn heard(files: &[(&str, &str)]) -> TestLines {
        let mut of = OfPairs(vec![TestLines::default()]);
        of.begin(0);
        for (path, patch) in files {
            let (path, status) = (PathBuf::from(path), Status::Modified);
            let file = FileDiff { path, old_path: None, status, lines: None };
            for line in patch.lines() {
                let side = if line.starts_with('-') { Side::Removed } else { Side::Added };
                of.line(&ChangedLine { pair: 0, file: &file, side, text: &line.as_bytes()[1..] });
            }
        }
        of.0.remove(0)
    }

    fn deleted(files: &[(&str, &str)]) -> Vec<(String, u64)> {
        let lost = heard(files).deleted();
        lost.into_iter().map(|l| (l.path.to_string_lossy().into_owned(), l.tests)).collect()
    }

    fn one(path: &str) -> Vec<(String, u64)> {
        vec![(path.to_owned(), 1)]
    }

    #[test]
    fn a_deleted_test_is_found_in_every_language() {
        for (path, patch) in [
            ("src/a.rs", "-    #[test]\n-    fn adds() {"),
            ("src/a.rs", "-    #[test]\n-    #[should_panic]\n-    fn adds() {"),
            ("src/a.rs", "-    #[test]"),
            ("a.py", "-    def test_adds(self):"),
            ("contrast.spec.ts", "-  it(\"adds\", () => {"),
            ("src/__tests__/a.js", "-test('adds', () => {"),
            ("a_test.go", "-func TestAdds(t *testing.T) {"),
            ("ATest.java", "-    @Test\n-    void adds() {"),
            ("A.cs", "-    [Fact]\n-    public void Adds()"),
            ("spec/a_spec.rb", "-  it \"adds\" do"),
            ("a.cc", "-TEST(Sum, Adds) {"),
            ("test/a_test.exs", "-  test \"adds\" do"),
        ] {
            assert_eq!(deleted(&[(path, patch)]), one(path), "{path}: {patch}");
            assert!(deleted(&[(path, &patch.replace('-', "+"))]).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_test_that_moves_or_is_replaced_is_not_deleted() {
        let gone = "-#[test]\n-fn adds() {\n-}";
        assert!(deleted(&[("a.rs", gone), ("b.rs", "+#[test]\n+fn adds() {\n+}")]).is_empty());
        assert!(deleted(&[("a.rs", &format!("{gone}\n+#[test]\n+fn sums() {{"))]).is_empty());
        // Another test in another file makes up for nothing.
        let other = ("b.rs", "+#[test]\n+fn other() {\n+}");
        assert_eq!(deleted(&[("a.rs", gone), other]), one("a.rs"));
        let twice = format!("{gone}\n{gone}");
        assert_eq!(deleted(&[("a.rs", &twice), ("b.rs", "+#[test]\n+fn adds() {")]), one("a.rs"));
    }

    #[test]
    fn ordinary_code_holds_no_tests() {
        assert!(
            deleted(&[("src/a.ts", "-test(value)\n-it(self)"), ("a.md", "-#[test]")]).is_empty()
        );
        assert!(heard(&[("src/lib.rs", "-fn test() {\n-let x = 1;")]).files.is_empty());
    }

    #[test]
    fn a_test_that_is_skipped_is_told() {
        let ignored = concat!("+    #[", "ignore", " = \"slow\"]");
        for (path, patch) in [
            ("a.rs", ignored),
            ("a.py", "+@pytest.mark.skip(reason=\"x\")"),
            ("a.test.ts", "-  it('adds', () => {\n+  it.skip('adds', () => {"),
            ("a_test.go", "+\tt.Skip(\"later\")"),
        ] {
            let found = heard(&[(path, patch)]);
            assert_eq!(found.skipped(), [Lost { path: path.into(), tests: 1 }], "{path}");
            assert!(heard(&[(path, &patch.replace('+', "-"))]).skipped().is_empty());
        }
    }

    #[test]
    fn files_are_tests_by_their_names() {
        for path in ["tests/a.rs", "a/__tests__/b.ts", "test_a.py", "a.spec.tsx", "AppTest.java"] {
            assert!(is_test_file(Path::new(path)), "{path}");
        }
        for path in ["src/latest.rs", "tests/data.json", "contest.py", "spec.md"] {
            assert!(!is_test_file(Path::new(path)), "{path}");
        }
    }
}
