//! A repository with a real agent in it, set up to talk to the scripted server.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use wt::agents::dialect::Reader;
use wt::agents::environment::passed;
use wt::agents::lines::LineSplitter;
use wt::agents::registry::Registry;
use wt::agents::render::{Rendered, Request, Session, render};
use wt::agents::role::Roles;
use wt::agents::template::Template;
use wt::domain::attempt::{Exit, StopRequest};
use wt::domain::event::StreamReport;
use wt::domain::id::{AttemptId, TaskId};
use wt::domain::launch::{LaunchSpec, Rules};
use wt::domain::resources::Resources;
use wt::domain::settings::Permissions;
use wt::domain::usage::SessionTotals;
use wt::engine::evidence::{Evidence, Verdict, judge};
use wt::store::environment::Environment;

use crate::support::env::TestEnv;
use crate::support::fake_model::{FakeModel, Mode, Script};
use crate::support::wait::wait_until;

/// Where `tests/agents/install.sh` puts the agents.
pub fn agents_dir() -> PathBuf {
    let chosen = std::env::var_os("WT_AGENTS_DIR").map(PathBuf::from);
    chosen.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".agents-cache"))
}

fn program(agent: &str) -> PathBuf {
    agents_dir().join("node_modules/.bin").join(agent)
}

/// True when an agent is not installed.
pub fn missing(agent: &str) -> bool {
    !program(agent).exists()
}

/// A session that no agent has.
pub const UNKNOWN: &str = "11111111-2222-4333-8444-555555555556";

/// One agent, its server, and a repository to work in.
pub struct World {
    pub env: TestEnv,
    pub model: FakeModel,
    pub template: Template,
    pub dir: PathBuf,
}

/// What became of a run.
pub struct Run {
    pub report: StreamReport,
    pub exit: Exit,
    pub verdict: Verdict,
}

impl World {
    /// The agent, with a server in this mode.
    pub fn new(agent: &str, mode: Mode) -> Self {
        Self::of(&[agent], mode)
    }

    /// Several agents, of which the first is the one that is rendered.
    pub fn of(agents: &[&str], mode: Mode) -> Self {
        // Told when to come back, opencode gives up after seconds and not after minutes.
        let script = Script { mode, retry_after: Some(1), ..Script::default() };
        let model = FakeModel::with(script);
        let mut env = TestEnv::new();
        for agent in agents {
            let there = env.dir().join("bin").join(agent);
            symlink(program(agent).canonicalize().unwrap(), there).unwrap();
            set_up(agent, &mut env, &model.url());
        }
        let dir = env.repo("shop").dir;
        let template = Registry::built_in().get(agents[0]).unwrap().clone();
        Self { env, model, template, dir }
    }

    pub fn environment(&self) -> Environment {
        Environment::of(self.env.variables(), &self.dir)
    }

    /// What the template renders.
    pub fn rendered(&self, prompt: &str, session: Session, permissions: Permissions) -> Rendered {
        let roles = Roles::built_in();
        let request = Request {
            attempt: AttemptId::new("worktree-a-x.1"),
            task: TaskId::new("worktree-a-x"),
            role: roles.get("engineer").unwrap(),
            prompt,
            model: None,
            permissions,
            session,
            baseline: SessionTotals::default(),
            cwd: self.dir.clone(),
            setup: vec![],
            env: vec![],
            command: &[],
            timeout_s: None,
            verify: None,
            rules: Rules::default(),
            resources: Resources::default(),
            myself: Path::new("/no/wt"),
        };
        render(&self.template, &request, &self.environment()).unwrap()
    }

    /// Starts a launch as a holder would: the allowed variables, the prompt as a file, `/dev/null`
    /// otherwise.
    pub fn start(&self, rendered: &Rendered) -> Started {
        let folder = self.env.dir().join("attempt");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("prompt"), &rendered.prompt).unwrap();
        let environment = self.environment();
        let spec = &rendered.spec;
        let mut command = Command::new(&spec.argv[0]);
        command.args(&spec.argv[1..]).current_dir(&spec.cwd);
        command.env_clear().envs(passed(&self.template, &environment)).envs(spec.env.clone());
        command.stdin(match spec.stdin {
            wt::domain::launch::StdinFrom::Null => Stdio::null(),
            wt::domain::launch::StdinFrom::Prompt => {
                File::open(folder.join("prompt")).unwrap().into()
            }
        });
        command.stdout(File::create(folder.join("stdout")).unwrap());
        command.stderr(File::create(folder.join("stderr")).unwrap());
        Started { child: command.spawn().unwrap(), folder, spec: spec.clone() }
    }

    /// A whole run.
    pub fn run(&self, rendered: &Rendered) -> Run {
        self.start(rendered).ended(None)
    }

    pub fn wrote(&self) -> Option<String> {
        std::fs::read_to_string(self.dir.join("hello.txt")).ok()
    }
}

/// An agent that runs.
pub struct Started {
    child: Child,
    folder: PathBuf,
    spec: LaunchSpec,
}

impl Started {
    /// Waits until its tool runs; gives the tool's pid.
    pub fn in_tool(&self) -> Pid {
        let file = self.spec.cwd.join("tool.pid");
        let pid = || std::fs::read_to_string(&file).ok()?.trim().parse().ok();
        wait_until("the tool runs", || pid().is_some());
        Pid::from_raw(pid().unwrap()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end and judges it.
    pub fn ended(mut self, stop: Option<&StopRequest>) -> Run {
        let mut status = None;
        wait_until("the agent ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let status = status.unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        let exit = match (status.code(), signal) {
            (Some(code), _) => Exit::Code { code },
            (_, Some(signal)) => Exit::Signal { signal },
            _ => Exit::Unobserved,
        };
        let mut reader = Reader::of(&self.spec);
        let mut lines = LineSplitter::default();
        let stdout = std::fs::read(self.folder.join("stdout")).unwrap();
        for line in lines.push(&stdout).into_iter().chain(lines.finish()) {
            reader.line(&line.bytes);
        }
        let stderr = std::fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
        let changed = self.spec.cwd.join("hello.txt").exists();
        let verdict = judge(&Evidence {
            dialect: self.spec.dialect,
            report: reader.report(),
            exit: &exit,
            stderr_tail: &stderr,
            patterns: &self.spec.failures,
            needs_change: true,
            changed: Some(changed),
            stop,
            starved: None,
            blocked: None,
            missing: None,
            verify: None,
        });
        Run { report: reader.report().clone(), exit, verdict }
    }
}

/// Points an agent at the server, in its own settings, as its user would.
fn set_up(agent: &str, env: &mut TestEnv, url: &str) {
    match agent {
        "claude" => {
            env.set("ANTHROPIC_BASE_URL", url);
            env.set("ANTHROPIC_API_KEY", "test-key");
            env.set("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
            env.set("CLAUDE_CODE_MAX_RETRIES", "1");
        }
        "codex" => {
            env.set("FAKE_API_KEY", "test-key");
            let config = format!(
                "model = 'fake-model'\nmodel_provider = 'fake'\nanalytics.enabled = false\n\
                 [model_providers.fake]\nname = 'fake'\nbase_url = '{url}/v1'\n\
                 env_key = 'FAKE_API_KEY'\nwire_api = 'responses'\n\
                 request_max_retries = 1\nstream_max_retries = 1\n"
            );
            env.write("home/.codex/config.toml", config);
        }
        "opencode" => {
            for off in ["AUTOUPDATE", "MODELS_FETCH", "LSP_DOWNLOAD", "DEFAULT_PLUGINS"] {
                env.set(&format!("OPENCODE_DISABLE_{off}"), "1");
            }
            let config = json!({
                "model": "fake/fake-model",
                "provider": { "fake": {
                    "npm": "@ai-sdk/anthropic", "name": "fake",
                    "options": { "baseURL": format!("{url}/v1"), "apiKey": "test-key" },
                    "models": { "fake-model": {
                        "name": "fake-model", "tool_call": true,
                        "cost": { "input": 3, "output": 15, "cache_read": 0.3, "cache_write": 3.75 },
                        "limit": { "context": 128_000, "output": 8_192 },
                    } },
                } },
            });
            env.write("config/opencode/opencode.json", config.to_string());
        }
        "gemini" => {
            env.set("GEMINI_API_KEY", "test-key");
            env.set("GOOGLE_GEMINI_BASE_URL", url);
            let settings = json!({ "security": { "auth": { "selectedType": "gemini-api-key" } } });
            env.write("home/.gemini/settings.json", settings.to_string());
        }
        "qwen" => {
            env.set("OPENAI_API_KEY", "test-key");
            env.set("OPENAI_BASE_URL", format!("{url}/v1"));
            env.set("OPENAI_MODEL", "fake-model");
            let settings = json!({ "security": { "auth": { "selectedType": "openai" } } });
            env.write("home/.qwen/settings.json", settings.to_string());
        }
        other => panic!("no agent {other}"),
    }
}
