//! A further attempt of a task, rendered from what the one before it ran.

use std::path::{Path, PathBuf};

use crate::agents::render::{self, Rendered, Session, render};
use crate::agents::role::Role;
use crate::agents::template::Template;
use crate::domain::attempt::Exit;
use crate::domain::id::AttemptId;
use crate::domain::launch::LaunchSpec;
use crate::domain::problem::Problem;
use crate::domain::task::Task;
use crate::domain::usage::SessionTotals;
use crate::store::environment::Environment;

/// What is to run next.
#[derive(Debug, Clone, Copy)]
pub struct Further<'a> {
    /// The task.
    pub task: &'a Task,
    /// What its newest attempt ran.
    pub last: &'a LaunchSpec,
    /// How that one ended.
    pub exit: Option<&'a Exit>,
    /// Its number, from 1.
    pub number: u32,
    /// A new session, or the one it goes on in, with what that had used.
    pub session: (Session<'a>, SessionTotals),
    /// What it is told.
    pub words: &'a str,
    /// How many times the first attempt's limit it may run.
    pub times: u32,
}

/// Renders it, with the model, the permissions, the commands and the rules of the one before.
///
/// # Errors
/// What [`render::render`] refuses.
pub fn relaunch(
    (template, role): (&Template, &Role),
    further: &Further<'_>,
    environment: &Environment,
) -> Result<Rendered, Problem> {
    let Further { task, last, .. } = *further;
    let limit = last.rules.limit_s.map(|limit| limit.saturating_mul(further.times.max(1).into()));
    let asked = render::Request {
        attempt: AttemptId::of(&task.id, further.number),
        task: task.id.clone(),
        role,
        prompt: further.words,
        model: task.model.as_deref(),
        permissions: last.permissions,
        session: further.session.0,
        baseline: further.session.1,
        cwd: last.cwd.clone(),
        setup: setup(further.exit, last),
        env: last.env.clone(),
        command: command(template, last),
        timeout_s: limit.or(last.timeout_s),
        verify: last.verify.clone(),
        rules: last.rules,
        resources: last.resources,
        myself: &myself(),
    };
    render(template, &asked, environment)
}

/// The setup commands, unless they have passed in this worktree.
fn setup(exit: Option<&Exit>, last: &LaunchSpec) -> Vec<String> {
    let failed = matches!(exit, Some(Exit::Setup { .. } | Exit::NotStarted { .. }) | None);
    if failed { last.setup.clone() } else { vec![] }
}

/// What a plain command runs, word for word as before; empty for every other agent.
fn command<'s>(template: &Template, last: &'s LaunchSpec) -> &'s [String] {
    if is_command(template) { &last.argv } else { &[] }
}

/// True for the agent that stands for any command.
pub fn is_command(template: &Template) -> bool {
    template.program.first().is_some_and(|program| program == "{command}")
}

/// This program, for the agent that is built in.
pub fn myself() -> PathBuf {
    let link = Path::new("/proc/self/exe");
    let real = std::fs::read_link(link).ok().filter(|path| path.exists());
    real.unwrap_or_else(|| link.to_path_buf())
}
