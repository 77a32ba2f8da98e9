//! The scripted agent, read by the dialect it speaks.

use super::*;
use crate::agents::dialect::Reader;
use crate::agents::registry::Registry;
use crate::domain::event::StreamReport;
use crate::domain::task::FailureClass;
use crate::domain::usage::{Certainty, MicroUsd, SessionTotals, Tokens};

/// Waits for nothing; an interrupt comes at the `after`th wait.
struct Clock {
    after: u32,
}

impl Patience for Clock {
    fn wait(&mut self, _: u64) -> bool {
        let last = self.after == 1;
        self.after = self.after.saturating_sub(1);
        last
    }
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.0.path().join("work")).unwrap();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join("work").join(name)
    }

    fn scenario(&self, text: &str) -> String {
        let path = self.0.path().join("scenario.toml");
        std::fs::write(&path, format!("about = 'a test'\n{text}")).unwrap();
        format!("do it (@{}).", path.display())
    }

    fn options(&self, prompt: &str) -> Options {
        Options {
            session: "11111111-2222-4333-8444-555555555555".into(),
            resume: false,
            permissions: Permissions::Work,
            model: None,
            prompt: prompt.into(),
            cwd: self.0.path().join("work"),
            sessions: self.0.path().join("sessions"),
        }
    }
}

fn play(options: &Options, baseline: SessionTotals, after: u32) -> (u8, StreamReport) {
    let template = Registry::built_in().get("scripted").unwrap().clone();
    let mut out = Vec::new();
    let code = run(options, &mut out, &mut Clock { after }).unwrap();
    let mut reader = Reader::new(template.dialect, baseline, template.failures);
    for line in out.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        reader.line(line);
    }
    (code, reader.report().clone())
}

fn played(options: &Options) -> (u8, StreamReport) {
    play(options, SessionTotals::default(), 0)
}

#[test]
fn hello_writes_a_file_and_tells_what_it_used() {
    let place = Place::new();
    let (code, report) = played(&place.options("write a greeting @hello"));
    assert_eq!((code, report.terminal), (0, Some(true)));
    assert_eq!(report.final_text.as_deref(), Some("Done: hello.txt written."));
    assert_eq!(report.usage.certainty, Certainty::Exact);
    let three = Tokens { input: 3_600, cache_read: 21_000, cache_write: 1_350, output: 90 };
    assert_eq!(report.usage.tokens, three, "three messages");
    assert_eq!(report.usage.cost, Some(MicroUsd(24_000)));
    let text = std::fs::read_to_string(place.file("hello.txt")).unwrap();
    assert_eq!(text, "hello from the scripted agent\n");
}

#[test]
fn a_follow_up_plays_the_next_turn_and_tells_the_sessions_cost() {
    let place = Place::new();
    let (_, first) = played(&place.options("@hello"));
    let again = Options { resume: true, ..place.options("and me") };
    let (code, second) = play(&again, first.cumulative.unwrap(), 0);
    assert_eq!(code, 0);
    assert_eq!(second.usage.tokens.input, 2_400, "this run alone");
    assert_eq!(second.usage.cost, Some(MicroUsd(16_000)), "this run alone");
    assert_eq!(second.cumulative.unwrap().cost, Some(MicroUsd(40_000)));
    let text = std::fs::read_to_string(place.file("hello.txt")).unwrap();
    assert!(text.ends_with("and me\n"), "{text}");
    let (_, third) = play(&again, second.cumulative.unwrap(), 0);
    let answer = third.final_text.unwrap();
    assert_eq!(answer, "I have nothing more to play. You said: and me");
}

#[test]
fn an_unknown_session_or_scenario_is_an_error_that_is_told() {
    let place = Place::new();
    let missing = Options { resume: true, ..place.options("x") };
    let (code, report) = played(&missing);
    assert_eq!(code, 1);
    assert!(report.error.unwrap().message.starts_with("No conversation found"));
    for prompt in ["nothing named", "@nobody", "@/no/such/file.toml"] {
        let (code, report) = played(&place.options(prompt));
        assert_eq!((code, report.terminal), (1, Some(false)), "{prompt}");
        assert_eq!(report.error.unwrap().class, FailureClass::Permanent, "{prompt}");
    }
}

#[test]
fn every_kind_of_step_is_told_in_its_own_way() {
    let place = Place::new();
    std::fs::write(place.file("old"), "").unwrap();
    let prompt = place.scenario(
        r#"
        [[turn]]
        answer = "Tailwind or CSS modules?"
        step = [
          { todo = { done = ["read"], now = "write", next = ["test"] } },
          { retry = 529 },
          { noise = "not an event" },
          { run = "echo ran > ran" },
          { delete = "old" },
          { write = { path = "css", text = "a: 1; b: 1; c: 2" } },
          { edit = { path = "css", old = "c: 2", new = "c: 3" } },
          { edit = { path = "css", old = ": 1", new = ": 9" } },
          { append = { path = "a/b", text = "x" } },
          { tool = { name = "WebFetch", detail = "docs" } },
          { deny = { name = "Bash", detail = "git push" } },
          { write = { path = "../out", text = "x" } },
          { pause_ms = 5, usage = { input = 0 } },
        ]"#,
    );
    let (code, report) = played(&place.options(&prompt));
    assert_eq!((code, report.terminal, report.todo), (0, Some(true), Some((1, 3))));
    assert_eq!(report.denied, ["Bash git push"]);
    assert_eq!(report.final_text.as_deref(), Some("Tailwind or CSS modules?"));
    assert_eq!(std::fs::read_to_string(place.file("ran")).unwrap(), "ran\n");
    let css = std::fs::read_to_string(place.file("css")).unwrap();
    assert_eq!(css, "a: 1; b: 1; c: 3", "what is there twice is not edited");
    assert!(!place.file("old").exists() && place.file("a/b").exists());
    assert!(!place.0.path().join("out").exists(), "nothing leads out of the worktree");
}

#[test]
fn reading_alone_denies_every_change() {
    let place = Place::new();
    let read = Options { permissions: Permissions::Read, ..place.options("@hello") };
    let (code, report) = played(&read);
    assert_eq!((code, report.denied.as_slice()), (0, &["Write hello.txt".to_owned()][..]));
    assert!(!place.file("hello.txt").exists());
}

#[test]
fn it_fails_falls_silent_and_is_interrupted_as_claude_is() {
    let place = Place::new();
    let prompt = place.scenario(
        "[[turn]]\nstep = [{ fail = { status = 401, message = 'API Error: 401 no' } }]\n",
    );
    let (code, report) = played(&place.options(&prompt));
    let error = report.error.unwrap();
    assert_eq!((code, error.status, error.class), (1, Some(401), FailureClass::Auth));
    let prompt = place.scenario("[[turn]]\nstep = [{ exit = 7 }]\n");
    let (code, report) = played(&place.options(&prompt));
    assert_eq!((code, report.terminal), (7, None));
    let prompt = place.scenario(
        "usage = { input = 5, output = 9 }\n[[turn]]\nstep = [{ say = 'now' }, { hang = true }]\n",
    );
    let (code, report) = play(&place.options(&prompt), SessionTotals::default(), 4);
    assert_eq!((code, report.terminal), (0, Some(false)));
    assert_eq!(report.usage.tokens.output, 9, "an interrupted one still tells what it used");
    assert_eq!(report.error.unwrap().class, FailureClass::Crash);
}

#[test]
fn the_scenarios_of_the_demo_make_sense() {
    for name in scenario::names() {
        let scenario = Scenario::named(name).unwrap();
        assert!(!scenario.turns[0].steps.is_empty() && scenario.usage.usd > 0.0, "{name}");
    }
    assert_eq!(scenario::names().count(), 4);
}

#[test]
fn a_step_does_exactly_one_thing() {
    let place = Place::new();
    for step in ["{}", "{ say = 'a', run = 'b' }", "{ sing = 'a' }", "{ hang = false }"] {
        let prompt = place.scenario(&format!("[[turn]]\nstep = [{step}]\n"));
        let (code, _) = played(&place.options(&prompt));
        assert_eq!(code, 1, "{step}");
    }
}

#[test]
fn its_arguments_are_those_that_its_template_gives() {
    let parse = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        Options::parse(&arguments, "p".into(), "/w".into(), "/s".into())
    };
    let options = parse(&["--permissions", "read", "--model", "m", "--resume", "a-1"]).unwrap();
    assert!(options.resume && options.permissions == Permissions::Read);
    assert_eq!((options.session.as_str(), options.model.as_deref()), ("a-1", Some("m")));
    for wrong in
        [&["--session"][..], &["--session", "../x"], &["--session", ""], &[], &["--x", "y"]]
    {
        assert!(parse(wrong).is_none(), "{wrong:?}");
    }
}
