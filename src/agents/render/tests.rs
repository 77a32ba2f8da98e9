//! What each built-in template is rendered to, and what is refused.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::agents::registry::Registry;
use crate::agents::role::Roles;
use crate::domain::launch::{Dialect, GentleSignal, Rules};
use crate::domain::resources::Resources;

const UUID: &str = "11111111-2222-4333-8444-555555555555";

/// A directory with every agent's program in it, and an environment that finds them.
struct House {
    bin: tempfile::TempDir,
    roles: Roles,
    uid: u32,
}

impl House {
    fn new() -> Self {
        let bin = tempfile::tempdir().unwrap();
        for name in ["claude", "codex", "gemini", "opencode", "qwen", "aider", "make"] {
            let path = bin.path().join(name);
            std::fs::write(&path, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self { bin, roles: Roles::built_in(), uid: 1000 }
    }

    fn request<'a>(&'a self, prompt: &'a str) -> Request<'a> {
        Request {
            attempt: AttemptId::new("worktree-a-x.1"),
            task: TaskId::new("worktree-a-x"),
            role: self.roles.get("engineer").unwrap(),
            prompt,
            model: None,
            permissions: Permissions::Work,
            session: Session::New(UUID),
            baseline: SessionTotals::default(),
            cwd: "/w/a".into(),
            setup: vec![],
            env: vec![],
            command: &[],
            timeout_s: None,
            verify: None,
            rules: Rules::default(),
            resources: Resources::default(),
            myself: Path::new("/usr/bin/wt"),
        }
    }

    fn render(&self, agent: &str, request: &Request) -> Result<Rendered, Problem> {
        let mut environment = Environment::of([("PATH", self.bin.path())], "/");
        environment.uid = self.uid;
        render(Registry::built_in().get(agent).unwrap(), request, &environment)
    }

    /// The arguments, the program's directory and the session's id named shortly.
    fn argv(&self, agent: &str, request: &Request) -> String {
        let spec = self.render(agent, request).unwrap().spec;
        let bin = format!("{}/", self.bin.path().display());
        spec.argv.join(" ").replace(&bin, "").replace(UUID, "UUID")
    }
}

#[test]
fn every_agent_is_started_as_it_was_measured() {
    let house = House::new();
    let request = Request { model: Some("m-1"), ..house.request("do it") };
    for (agent, argv) in [
        (
            "claude",
            "claude -p --output-format stream-json --verbose --permission-mode acceptEdits \
             --allowedTools Bash,WebFetch,WebSearch --model m-1 --session-id UUID",
        ),
        (
            "codex",
            "codex exec --json --disable plugins -c check_for_update_on_startup=false \
             --sandbox workspace-write -c sandbox_workspace_write.network_access=true --model m-1 -",
        ),
        (
            "gemini",
            "gemini --output-format stream-json --approval-mode yolo --model m-1 --session-id UUID",
        ),
        ("opencode", "opencode run --format json --title worktree-a-x --model m-1"),
        (
            "qwen",
            "qwen --output-format stream-json --approval-mode yolo --model m-1 --session-id UUID",
        ),
        ("scripted", "/usr/bin/wt __scripted --permissions work --model m-1 --session UUID"),
    ] {
        assert_eq!(house.argv(agent, &request), argv);
    }
    let aider = house.render("aider", &request).unwrap().spec;
    let message = aider.argv.last().unwrap();
    assert!(message.starts_with("--message=You are an engineer"), "{message}");
    assert_eq!(aider.stdin, StdinFrom::Null);
    let setup = Request { setup: vec!["npm ci".into()], ..request };
    let setup = house.render("aider", &setup).unwrap().spec.setup;
    assert!(setup[0].starts_with("mkdir -p .aider"), "{setup:?}");
    assert_eq!(setup[1], "npm ci");
}

#[test]
fn every_agent_goes_on_in_a_session_as_it_was_measured() {
    let house = House::new();
    let request = Request { session: Session::Resume("ses_1"), ..house.request("and now?") };
    for (agent, end) in [
        ("claude", " --resume ses_1"),
        ("codex", " resume ses_1 -"),
        ("gemini", " --resume ses_1"),
        ("opencode", " run --format json --session ses_1"),
        ("qwen", " --resume ses_1"),
        ("scripted", " --resume ses_1"),
    ] {
        let argv = house.argv(agent, &request);
        assert!(argv.ends_with(end), "{argv}");
        let rendered = house.render(agent, &request).unwrap();
        assert_eq!(rendered.prompt, "and now?\n", "a follow-up is the message alone");
        assert_eq!(rendered.spec.session.as_deref(), Some("ses_1"));
    }
    let error = house.render("aider", &request).unwrap_err();
    assert_eq!(error.hints, ["start it afresh: `wt retry worktree-a-x`"]);
}

#[test]
fn a_frozen_launch_holds_what_the_template_says() {
    let house = House::new();
    let mut request = house.request("-rf is what to do");
    request.env = vec![("GEMINI_CLI_TRUST_WORKSPACE".into(), "mine".into())];
    let rendered = house.render("claude", &request).unwrap();
    assert_eq!(rendered.spec.dialect, Dialect::Claude);
    assert_eq!(rendered.spec.stop.gentle, Some(GentleSignal::Int));
    assert_eq!(rendered.spec.stdin, StdinFrom::Prompt);
    assert_eq!(rendered.spec.session.as_deref(), Some(UUID));
    assert!(rendered.prompt.contains("\n\n-rf is what to do\n\n"));
    assert_eq!(rendered.login, Says::Out);
    assert!(!rendered.spec.failures.is_empty());
    let gemini = house.render("gemini", &request).unwrap().spec;
    let trust = gemini.env.iter().filter(|(name, _)| name == "GEMINI_CLI_TRUST_WORKSPACE");
    assert_eq!(trust.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["mine"]);
    let codex = house.render("codex", &request).unwrap().spec;
    assert_eq!(codex.session, None, "only its stream tells");
}

#[test]
fn a_role_that_does_not_write_only_reads() {
    let house = House::new();
    let mut role = house.roles.get("engineer").unwrap().clone();
    role.write = false;
    let full = Permissions::Full;
    let request = Request { role: &role, permissions: full, ..house.request("look") };
    assert!(house.argv("codex", &request).contains("--sandbox read-only"));
    let opencode = house.render("opencode", &request).unwrap().spec;
    let denied = r#"{"edit":"deny","bash":"deny"}"#;
    assert!(opencode.env.iter().any(|(k, v)| k == "OPENCODE_PERMISSION" && v == denied));
}

#[test]
fn a_plain_command_is_run_as_typed() {
    let house = House::new();
    let command = ["make", "all", "{prompt}", "--flag"].map(str::to_owned);
    let request = Request { command: &command, ..house.request("for its input") };
    let rendered = house.render("plain", &request).unwrap();
    assert_eq!(rendered.spec.argv[1..], ["all", "{prompt}", "--flag"]);
    assert_eq!(rendered.prompt, "for its input\n", "the person's words alone");
    let silent = house.render("plain", &Request { prompt: "", ..request.clone() }).unwrap();
    assert_eq!(silent.spec.stdin, StdinFrom::Null);
    let local = ["./build.sh".to_owned()];
    let spec = house.render("plain", &Request { command: &local, ..request.clone() }).unwrap().spec;
    assert_eq!(spec.argv, ["/w/a/./build.sh"], "meant from the worktree, which is still to come");
    for missing in ["no-such-program", "/no/such/program"] {
        let missing = [missing.to_owned()];
        let error = house.render("plain", &Request { command: &missing, ..request.clone() });
        assert!(error.is_err(), "{missing:?}");
    }
}

#[test]
fn what_cannot_be_launched_is_refused_with_what_to_do() {
    let mut house = House::new();
    let request = house.request("x");
    let message = |agent: &str, request: &Request| {
        let error = house.render(agent, request).unwrap_err();
        format!("{} | {}", error.message, error.hints.join(" | "))
    };
    let empty = Request { prompt: " \n", ..request.clone() };
    assert_eq!(message("claude", &empty), "the prompt is empty | ");
    let flag = Request { model: Some("--danger"), ..request.clone() };
    assert_eq!(message("claude", &flag), "`--danger` is no model | ");
    let session = Request { session: Session::Resume("-x"), ..request.clone() };
    assert_eq!(message("codex", &session), "`-x` is no session | ");
    let command = ["make".to_owned()];
    let model = Request { model: Some("m"), command: &command, ..request.clone() };
    assert_eq!(message("plain", &model), "agent `plain` takes no model | ");
    let long = "x".repeat(ARGUMENT_MAX);
    let long = Request { prompt: &long, ..request.clone() };
    assert!(message("aider", &long).contains("takes its prompt as an argument"));
    assert!(house.render("claude", &long).is_ok(), "standard input has no limit");
    std::fs::remove_file(house.bin.path().join("codex")).unwrap();
    assert_eq!(
        message("codex", &request),
        "agent `codex`: no `codex` on PATH | install it: `npm install --global @openai/codex` | \
         or make the variant alone: `--no-agent`"
    );
    let full = Permissions::Full;
    let full = Request { permissions: full, ..house.request("x") };
    assert!(house.render("claude", &full).is_ok());
    house.uid = 0;
    let full = Request { permissions: Permissions::Full, ..house.request("x") };
    let error = house.render("claude", &full).unwrap_err();
    assert_eq!(error.hints[0], "give it less: `--permissions work`");
    assert!(house.render("gemini", &full).is_ok());
}

#[test]
fn a_prompt_that_is_an_argument_is_never_a_flag() {
    let house = House::new();
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/agents/ok/argument.toml"),
    );
    let template = Template::parse("argument", "argument.toml", &text.unwrap()).unwrap();
    let environment = Environment::of([("PATH", house.bin.path())], "/");
    let rendered = render(&template, &house.request("--help {session}"), &environment).unwrap();
    assert_eq!(rendered.spec.argv[1..], ["-p", " --help {session}", r#"{"a":1}"#]);
}

#[test]
fn a_login_that_is_missing_for_sure_is_refused_with_the_command() {
    let registry = Registry::built_in();
    let claude = registry.get("claude").unwrap();
    let error = require_login(claude, Says::Out).unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.hints),
        ("`claude` is not logged in", vec!["log in: `claude auth login`".to_owned()])
    );
    assert!(require_login(claude, Says::Maybe).is_ok());
}
