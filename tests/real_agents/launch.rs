//! What the templates render, run by the real programs: tokens, sessions, verdicts, signals.

use rustix::process::{Signal, kill_process, test_kill_process};
use wt::agents::render::Session;
use wt::domain::attempt::{Exit, StopRequest};
use wt::domain::settings::Permissions;
use wt::domain::task::{FailureClass, TaskState};
use wt::domain::usage::{Certainty, Tokens};

use crate::isolation::isolated;
use crate::support::fake_model::{CONTENT, FINAL, Mode, TURN1, TURN2};
use crate::world::{UNKNOWN, World};

/// Those that every build is tried with.
pub const AGENTS: [&str; 3] = ["claude", "codex", "opencode"];
const NEW: Session = Session::New("11111111-2222-4333-8444-555555555555");

macro_rules! isolated {
    ($name:ident, $agents:expr, $body:block) => {
        #[test]
        fn $name() {
            isolated(module_path!(), stringify!($name), $agents, || $body);
        }
    };
}

/// Both turns of a run, as the server counted them.
pub fn both() -> Tokens {
    Tokens {
        input: TURN1.input + TURN2.input,
        cache_read: TURN1.cache_read + TURN2.cache_read,
        cache_write: TURN1.cache_write + TURN2.cache_write,
        output: TURN1.output + TURN2.output,
    }
}

/// A follow-up: the server answers at once, for it sees the tool's result in the session.
pub fn second() -> Tokens {
    Tokens {
        input: TURN2.input,
        cache_read: TURN2.cache_read,
        cache_write: TURN2.cache_write,
        output: TURN2.output,
    }
}

isolated!(a_run_and_its_follow_up_are_metered_each_alone, &AGENTS, {
    for agent in AGENTS {
        let world = World::new(agent, Mode::Ok);
        let first = world.rendered("--write hello.txt", NEW, Permissions::Work);
        let run = world.run(&first);
        assert_eq!(run.verdict.state, TaskState::Done, "{agent}: {:?}", run.verdict);
        assert_eq!(run.report.usage.tokens, both(), "{agent}");
        assert_eq!(run.report.usage.certainty, Certainty::Exact, "{agent}");
        assert_eq!(run.report.usage.cost.is_some(), agent != "codex", "{agent}");
        assert_eq!(run.report.final_text.as_deref(), Some(FINAL), "{agent}");
        assert!(world.wrote().is_some_and(|text| text.trim_end() == CONTENT.trim_end()), "{agent}");
        let calls = world.model.requests().iter().filter(|request| request.is_model_call()).count();
        assert_eq!(calls, 2, "{agent}: a call that its stream does not tell of");
        let session = run.report.session.unwrap();
        assert!(first.spec.session.is_none_or(|preset| preset == session), "{agent}");

        let mut again = world.rendered("--again", Session::Resume(&session), Permissions::Work);
        again.spec.baseline = run.report.cumulative.unwrap_or_default();
        let run = world.run(&again);
        assert_eq!(run.verdict.state, TaskState::Done, "{agent}: {:?}", run.verdict);
        assert_eq!(run.report.usage.tokens, second(), "{agent}: this run alone");
        assert_eq!(run.report.session.as_deref(), Some(session.as_str()), "{agent}");
    }
});

/// A refused key, a limit and an overload, each told with its status and classed.
fn errors(agent: &str) {
    for (status, class) in
        [(401, FailureClass::Auth), (429, FailureClass::Limit), (529, FailureClass::Transient)]
    {
        let world = World::new(agent, Mode::Status(status));
        let run = world.run(&world.rendered("write hello.txt", NEW, Permissions::Work));
        assert_eq!(run.verdict.failure, Some(class), "{agent} {status}: {:?}", run.verdict);
        let told = run.report.error.and_then(|error| error.status);
        assert_eq!((told, run.exit), (Some(status), Exit::Code { code: 1 }), "{agent}");
    }
}

isolated!(errors_of_claudes_provider_have_their_class, &["claude"], { errors("claude") });
isolated!(errors_of_codexs_provider_have_their_class, &["codex"], { errors("codex") });
isolated!(errors_of_opencodes_provider_have_their_class, &["opencode"], { errors("opencode") });

isolated!(reading_alone_changes_nothing_and_asks_nothing, &AGENTS, {
    for agent in AGENTS {
        let world = World::new(agent, Mode::Ok);
        let run = world.run(&world.rendered("write hello.txt", NEW, Permissions::Read));
        assert_eq!(world.wrote(), None, "{agent}");
        assert_eq!(run.verdict.state, TaskState::Done, "{agent}: {:?}", run.verdict);
        assert_eq!(run.verdict.reason, "no changes", "{agent}");
    }
});

isolated!(a_session_that_is_gone_is_no_matter_of_trying_again, &AGENTS, {
    for agent in AGENTS {
        let session = if agent == "opencode" { "ses_unknown" } else { UNKNOWN };
        let world = World::new(agent, Mode::Ok);
        let run = world.run(&world.rendered("again", Session::Resume(session), Permissions::Work));
        assert_eq!(
            run.verdict.failure,
            Some(FailureClass::Permanent),
            "{agent}: {:?}",
            run.verdict
        );
    }
});

/// claude begins a tool before the reply that asked for it has ended; interrupted in between it
/// ends without a word of what it used. So it may take a few times to meet it in its tool alone.
pub const TIMES: usize = 12;

isolated!(claude_stopped_gently_still_tells_what_it_used, &["claude"], {
    let told = (0..TIMES).any(|_| {
        let world = World::new("claude", Mode::SleepTool);
        let started = world.start(&world.rendered("sleep", NEW, Permissions::Work));
        let tool = started.in_tool();
        started.signal(Signal::INT);
        let by = StopRequest { at: jiff::Timestamp::now(), why: "by you".into(), class: None };
        let run = started.ended(Some(&by));
        assert_eq!(run.exit, Exit::Code { code: 0 });
        assert_eq!(
            (run.verdict.state, run.verdict.reason.as_str()),
            (TaskState::Cancelled, "stopped by you")
        );
        assert!(test_kill_process(tool).is_err(), "its tool is gone too");
        let used = run.report.usage;
        let told = used.certainty == Certainty::Exact && used.tokens.output == TURN1.output;
        assert!(told || used.certainty == Certainty::AtLeast, "{used:?}");
        told
    });
    assert!(told, "interrupted in its tool, it never told");
});

isolated!(a_terminated_agent_leaves_a_lower_bound_or_nothing, &AGENTS, {
    for (agent, exit, certainty) in [
        ("claude", Exit::Code { code: 143 }, Certainty::AtLeast),
        ("codex", Exit::Signal { signal: 15 }, Certainty::Unknown),
        ("opencode", Exit::Signal { signal: 15 }, Certainty::Unknown),
    ] {
        let world = World::new(agent, Mode::SleepTool);
        let started = world.start(&world.rendered("sleep", NEW, Permissions::Work));
        let tool = started.in_tool();
        started.signal(Signal::TERM);
        let run = started.ended(None);
        kill_process(tool, Signal::KILL).ok();
        assert_eq!(run.exit, exit, "{agent}");
        assert_eq!(run.verdict.failure, Some(FailureClass::Crash), "{agent}: {:?}", run.verdict);
        assert_eq!(run.report.usage.certainty, certainty, "{agent}");
        assert!(run.report.session.is_some(), "{agent}");
    }
});

isolated!(codex_is_started_as_its_native_program, &["codex"], {
    let world = World::new("codex", Mode::Ok);
    let spec = world.rendered("x", NEW, Permissions::Work).spec;
    assert!(
        spec.argv[0].ends_with("/bin/codex") && spec.argv[0].contains("/vendor/"),
        "{:?}",
        spec.argv
    );
});
