//! Reads Rust source into tokens: comments are gone, strings are single literals, and every token
//! knows its line, its inline module and whether it is test code.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// One source file.
pub struct Source {
    /// Relative to the repository, with `/`.
    pub path: String,
    /// As read.
    pub text: String,
    /// Empty for files that are not Rust.
    pub tokens: Vec<Token>,
}

/// One token, groups flattened into their delimiters.
#[derive(Debug, Clone)]
pub struct Token {
    /// An identifier, one punctuation character, one delimiter or a literal as written.
    pub text: String,
    /// From 1.
    pub line: usize,
    /// The inline modules around it, outermost first.
    pub inline: Vec<String>,
    /// Whether it is only compiled for tests.
    pub test: bool,
}

/// A path such as `crate::git::repo`, group imports spelled out one by one.
#[derive(Debug)]
pub struct CodePath {
    /// Its segments; a glob is `*`.
    pub segments: Vec<String>,
    /// Where it begins.
    pub at: Token,
    /// Whether it is given another name by `as`.
    pub renamed: bool,
}

impl Source {
    /// Reads one file's text.
    ///
    /// # Panics
    /// When Rust source does not lex.
    pub fn new(path: &str, text: String) -> Self {
        let mut tokens = vec![];
        if path.ends_with(".rs") {
            let stream = TokenStream::from_str(&text)
                .unwrap_or_else(|error| panic!("{path} does not lex: {error}"));
            flatten(stream, &[], path.ends_with("/tests.rs"), &mut tokens);
        }
        Self { path: path.to_owned(), text, tokens }
    }

    /// The module that the file is, outermost first: `src/git/repo.rs` is `git::repo`.
    pub fn module(&self) -> Vec<String> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        let inner = inner.strip_suffix("/mod").unwrap_or(inner);
        let root = matches!(inner, "lib" | "main") || inner.starts_with("bin/");
        if root { vec![] } else { inner.split('/').map(str::to_owned).collect() }
    }

    /// Every path of two segments or more, and every crate that is imported by name alone.
    pub fn paths(&self) -> Vec<CodePath> {
        let mut found = vec![];
        let mut i = 0;
        while i < self.tokens.len() {
            let begins = is_ident(&self.tokens[i]) && !self.after_colons(i);
            i = if begins { self.path_at(i, &mut found) } else { i + 1 };
        }
        found
    }

    fn after_colons(&self, i: usize) -> bool {
        i >= 2 && self.tokens[i - 1].text == ":" && self.tokens[i - 2].text == ":"
    }

    fn text_at(&self, i: usize) -> &str {
        self.tokens.get(i).map_or("", |token| &token.text)
    }

    /// Reads the path that begins at `i`; gives where to go on.
    fn path_at(&self, i: usize, found: &mut Vec<CodePath>) -> usize {
        let before = found.len();
        let end = self.tree(i, &[], found);
        let named_alone = i > 0 && matches!(self.text_at(i - 1), "use" | "crate");
        if found.len() == before + 1 && found[before].segments.len() == 1 && !named_alone {
            found.pop();
        }
        end
    }

    /// Reads a path or, after a prefix, one branch of a `use` tree.
    fn tree(&self, start: usize, prefix: &[String], found: &mut Vec<CodePath>) -> usize {
        let mut segments = prefix.to_vec();
        let mut i = start;
        loop {
            match self.text_at(i) {
                "{" => return self.branches(i, &segments, found),
                text => segments.push(text.to_owned()),
            }
            i += 1;
            let goes_on = self.text_at(i) == ":"
                && self.text_at(i + 1) == ":"
                && self.tokens.get(i + 2).is_some_and(|t| is_ident(t) || "*{".contains(&t.text));
            if !goes_on {
                break;
            }
            i += 2;
        }
        let renamed = self.text_at(i) == "as";
        if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        found.push(CodePath { segments, at: self.tokens[start].clone(), renamed });
        i
    }

    fn branches(&self, open: usize, prefix: &[String], found: &mut Vec<CodePath>) -> usize {
        let mut i = open + 1;
        while i < self.tokens.len() && self.text_at(i) != "}" {
            let begins = is_ident(&self.tokens[i]) || matches!(self.text_at(i), "*" | "{");
            i = match self.text_at(i) {
                "as" => i + 2,
                _ if begins => self.tree(i, prefix, found),
                _ => i + 1,
            };
        }
        i + 1
    }
}

fn is_ident(token: &Token) -> bool {
    token.text.starts_with(|c: char| c.is_alphabetic() || c == '_') && !token.text.contains('"')
}

fn flatten(stream: TokenStream, inline: &[String], test: bool, out: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut item_is_test = test;
    for (i, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Group(group) => {
                if is_attribute(&trees, i) && marks_test(group) {
                    item_is_test = true;
                }
                let mut inside = inline.to_vec();
                inside.extend(module_opened(&trees, i));
                flatten_group(group, &inside, item_is_test, out);
                if group.delimiter() == Delimiter::Brace {
                    item_is_test = test;
                }
            }
            leaf => {
                let line = leaf.span().start().line;
                let text = leaf.to_string();
                let ends_item = text == ";";
                out.push(Token { text, line, inline: inline.to_vec(), test: item_is_test });
                if ends_item {
                    item_is_test = test;
                }
            }
        }
    }
}

fn flatten_group(group: &Group, inline: &[String], test: bool, out: &mut Vec<Token>) {
    let (open, close) = match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    };
    let token = |text: &str, line| Token { text: text.into(), line, inline: inline.to_vec(), test };
    out.push(token(open, group.span_open().start().line));
    flatten(group.stream(), inline, test, out);
    out.push(token(close, group.span_close().start().line));
}

fn is_attribute(trees: &[TokenTree], i: usize) -> bool {
    let is = |back: usize, c: char| {
        i.checked_sub(back)
            .and_then(|at| trees.get(at))
            .is_some_and(|tree| matches!(tree, TokenTree::Punct(p) if p.as_char() == c))
    };
    is(1, '#') || (is(1, '!') && is(2, '#'))
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`; not `#[cfg(not(test))]`.
fn marks_test(group: &Group) -> bool {
    let text = group.stream().to_string().replace(' ', "");
    let of_test = text.starts_with("cfg(test") || text.starts_with("cfg(all(test");
    text == "test" || of_test
}

fn module_opened(trees: &[TokenTree], brace: usize) -> Option<String> {
    let ident = |at: Option<usize>| match trees.get(at?)? {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    };
    let opens = matches!(&trees[brace], TokenTree::Group(g) if g.delimiter() == Delimiter::Brace);
    let keyword = ident(brace.checked_sub(2));
    (opens && keyword.as_deref() == Some("mod")).then(|| ident(brace.checked_sub(1)))?
}

#[test]
fn a_group_import_is_spelled_out() {
    let text = "use crate::{git::{self, repo::Repo as R}, store::*}; fn f() { a::b::<X>(); }";
    let source = Source::new("src/domain/x.rs", text.to_owned());
    let paths: Vec<String> = source.paths().iter().map(|p| p.segments.join("::")).collect();
    assert_eq!(paths, ["crate::git", "crate::git::repo::Repo", "crate::store::*", "a::b"]);
    assert!(source.paths()[1].renamed);
}

#[test]
fn test_code_and_inline_modules_are_known() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests { mod inner { fn b() {} } }\nfn c() {}";
    let source = Source::new("src/domain/x.rs", text.to_owned());
    let find = |name: &str| source.tokens.iter().find(|token| token.text == name).unwrap();
    assert!(!find("a").test && find("b").test && !find("c").test);
    assert_eq!(find("b").inline, ["tests", "inner"]);
    assert_eq!(find("c").line, 4);
}
