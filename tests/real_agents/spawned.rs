//! The real programs as `wt` runs them: spawned, followed, judged, their work on a branch.

use std::path::Path;

use wt::domain::attempt::Attempt;
use wt::domain::task::{FailureClass, Task, TaskState};
use wt::domain::usage::Certainty;
use wt::store::db::Store;
use wt::store::folder::Folder;
use wt::store::layout::Layout;
use wt::store::{attempts, tasks};

use crate::isolation::isolated;
use crate::launch::{AGENTS, TIMES, both, second};
use crate::support::fake_model::{CONTENT, Mode, TURN1};
use crate::support::wait::wait_until;
use crate::world::World;

/// A world in which `wt` was asked to spawn.
struct Spawned {
    world: World,
    store: Store,
}

impl Spawned {
    fn new(agent: &str, mode: Mode) -> Self {
        Self::of(World::new(agent, mode), agent)
    }

    fn of(world: World, agent: &str) -> Self {
        let args = ["spawn", "greeting", "-", "--agent", agent];
        world.env.wt_fed(&world.dir, &args, "--write hello.txt").ok();
        let store = Store::open(Layout::prepare(&world.environment()).unwrap()).unwrap();
        Self { world, store }
    }

    fn task(&self) -> Task {
        tasks::by_prefix(self.store.read(), "worktree-greeting-").unwrap().remove(0)
    }

    fn attempt(&self) -> Attempt {
        attempts::latest(self.store.read(), &self.task().id).unwrap().unwrap()
    }

    fn ended(&self) -> (Task, Attempt) {
        wait_until("the task ends", || self.task().state.is_final());
        (self.task(), self.attempt())
    }
}

#[test]
fn what_an_agent_was_asked_for_is_a_commit_that_merges() {
    isolated(
        module_path!(),
        "what_an_agent_was_asked_for_is_a_commit_that_merges",
        &AGENTS,
        || {
            for agent in AGENTS {
                let spawned = Spawned::new(agent, Mode::Ok);
                let (task, attempt) = spawned.ended();
                assert_eq!(task.state, TaskState::Done, "{agent}: {:?}", task.reason);
                assert_eq!(task.changed, Some(true), "{agent}");
                assert_eq!(attempt.usage.tokens, both(), "{agent}");
                assert_eq!(attempt.usage.certainty, Certainty::Exact, "{agent}");
                assert!(attempt.session.is_some(), "{agent}");
                let repo = spawned.world.env.at(&spawned.world.dir);
                assert!(!repo.has("hello.txt"), "{agent}: the user's checkout is untouched");
                let text = repo.git(&["show", "feature/greeting:hello.txt"]);
                assert_eq!(text.trim_end(), CONTENT.trim_end(), "{agent}");
                repo.git(&["merge", "-q", "feature/greeting"]);
                assert!(repo.has("hello.txt"), "{agent}");
            }
        },
    );
}

#[test]
fn a_refused_key_fails_as_one_and_leaves_no_commit() {
    isolated(module_path!(), "a_refused_key_fails_as_one_and_leaves_no_commit", &AGENTS, || {
        for agent in AGENTS {
            let spawned = Spawned::new(agent, Mode::Status(401));
            let (task, _) = spawned.ended();
            assert_eq!(task.state, TaskState::NeedsHuman, "{agent}: {:?}", task.reason);
            assert_eq!(task.failure, Some(FailureClass::Auth), "{agent}: {:?}", task.reason);
            let repo = spawned.world.env.at(&spawned.world.dir);
            assert_eq!(repo.at_ref("refs/heads/feature/greeting"), Some(repo.head()), "{agent}");
        }
    });
}

#[test]
fn claude_stopped_in_a_tool_is_cancelled_with_what_it_used() {
    isolated(
        module_path!(),
        "claude_stopped_in_a_tool_is_cancelled_with_what_it_used",
        &["claude"],
        || {
            let told = (0..TIMES).any(|_| {
                let world = World::new("claude", Mode::SleepTool);
                // However slow the machine is, it has the time to tell.
                let template = include_str!("../../templates/agents/claude.toml");
                let patient = template.replace("gentle_ms = 8000", "gentle_ms = 100000");
                assert_ne!(patient, template);
                world.env.write("config/wt/agents/claude.toml", patient);
                let spawned = Spawned::of(world, "claude");
                let worktree = spawned.world.env.dir().join("shop-worktrees/greeting");
                wait_until("its tool runs", || worktree.join("tool.pid").exists());
                let args = ["stop", "greeting"];
                spawned.world.env.wt_in(&spawned.world.dir, &args).ok();
                let (task, attempt) = spawned.ended();
                assert_eq!(
                    (task.state, task.reason.as_deref()),
                    (TaskState::Cancelled, Some("stopped by you"))
                );
                assert_eq!(working_in(&worktree), Vec::<String>::new());
                let used = attempt.usage;
                let told = used.certainty == Certainty::Exact;
                assert!(told || used.certainty == Certainty::AtLeast, "{used:?}");
                assert!(!told || used.tokens.output == TURN1.output, "{used:?}");
                told
            });
            assert!(told, "interrupted first, it still tells");
        },
    );
}

#[test]
fn a_session_goes_on_by_send_and_is_metered_alone() {
    isolated(module_path!(), "a_session_goes_on_by_send_and_is_metered_alone", &["codex"], || {
        let spawned = Spawned::new("codex", Mode::Ok);
        let (_, first) = spawned.ended();
        let args = ["send", "greeting", "and now?"];
        spawned.world.env.wt_in(&spawned.world.dir, &args).ok();
        wait_until("there is a second attempt", || spawned.attempt().number == 2);
        let (task, attempt) = spawned.ended();
        assert_eq!(task.state, TaskState::Done, "{:?}", task.reason);
        assert_eq!(attempt.session, first.session);
        assert_eq!(attempt.baseline.tokens, both(), "what the thread had used before");
        assert_eq!(attempt.usage.tokens, second(), "codex tells the whole thread's");
    });
}

/// The processes that work in a directory.
fn working_in(dir: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let within = |process: &std::fs::DirEntry| {
        std::fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(dir))
    };
    let words = |process: std::fs::DirEntry| {
        std::fs::read_to_string(process.path().join("cmdline")).unwrap_or_default()
    };
    processes.filter(within).map(words).collect()
}

#[test]
fn what_a_tool_leaves_running_ends_with_its_attempt() {
    isolated(module_path!(), "what_a_tool_leaves_running_ends_with_its_attempt", &AGENTS, || {
        for agent in AGENTS {
            let spawned = Spawned::new(agent, Mode::BgTool);
            let (task, attempt) = spawned.ended();
            assert_eq!(task.state, TaskState::Done, "{agent}: {:?}", task.reason);
            let worktree = spawned.world.env.dir().join("shop-worktrees/greeting");
            assert!(worktree.join("tool.pid").exists(), "{agent}: its tool ran");
            // By place and not by that pid: codex's sandbox numbers its processes itself.
            assert_eq!(working_in(&worktree), Vec::<String>::new(), "{agent}");
            let folder = Folder::of(spawned.store.layout(), &attempt.id);
            assert_eq!(folder.exit().unwrap().unwrap().survived, 0, "{agent}");
        }
    });
}
