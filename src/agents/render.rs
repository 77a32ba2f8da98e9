//! A template and a request into a frozen launch.

use std::path::{Path, PathBuf};

use crate::agents::probe;
use crate::agents::role::Role;
use crate::agents::template::{PromptBy, Says, SessionId, Template, braced};
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::launch::{LaunchSpec, Rules, SPEC_SCHEMA, StdinFrom};
use crate::domain::problem::Problem;
use crate::domain::resources::Resources;
use crate::domain::settings::Permissions;
use crate::domain::usage::SessionTotals;
use crate::store::environment::Environment;

/// The most bytes of one argument: Linux's `MAX_ARG_STRLEN` of 32 pages, less the ending zero.
const ARGUMENT_MAX: usize = 131_071;

/// What is to be launched.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its task.
    pub task: TaskId,
    /// The role it is given at the start of a session.
    pub role: &'a Role,
    /// What the person asked for, or the message of a follow-up, word for word.
    pub prompt: &'a str,
    /// The model asked for.
    pub model: Option<&'a str>,
    /// What it may do; a role that does not write is never given more than reading.
    pub permissions: Permissions,
    /// A new session, or one to go on in.
    pub session: Session<'a>,
    /// What that session had used before.
    pub baseline: SessionTotals,
    /// Where it runs, absolute; it need not be there yet.
    pub cwd: PathBuf,
    /// Commands of the settings that must pass before it starts.
    pub setup: Vec<String>,
    /// Variables set for it, no secrets: the settings' `[env]`, `WT_TASK`, `WT_ATTEMPT`, …
    pub env: Vec<(String, String)>,
    /// What the user typed after `--exec --`; empty for every other agent.
    pub command: &'a [String],
    /// The most seconds it may run.
    pub timeout_s: Option<u64>,
    /// The command that must pass after it ended well.
    pub verify: Option<String>,
    /// What is done without asking when it ends badly.
    pub rules: Rules,
    /// What it may take of the machine.
    pub resources: Resources,
    /// This program, absolute, for the agent that is built in.
    pub myself: &'a Path,
}

/// Which session an attempt works in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session<'a> {
    /// A new one; the UUID is used where the agent lets one choose.
    New(&'a str),
    /// That of an earlier attempt.
    Resume(&'a str),
}

/// A launch, and what has to be written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What runs.
    pub spec: LaunchSpec,
    /// The contents of the attempt folder's `prompt` file.
    pub prompt: String,
    /// Whether the agent seems to be logged in.
    pub login: Says,
}

/// Renders a launch.
///
/// # Errors
/// A [`Problem`] when the program is not there (with how to install it), a model is asked for that
/// the agent cannot be given, it cannot go on in a session, the prompt is empty or too long for
/// how it is handed over, or the permissions are refused to root.
pub fn render(
    template: &Template,
    request: &Request,
    environment: &Environment,
) -> Result<Rendered, Problem> {
    let level = if request.role.write { request.permissions } else { Permissions::Read };
    refuse_root(template, level, environment)?;
    let prompt = prompt(template, request)?;
    let program = program(template, request, environment)?;
    let mut argv = vec![text_of(&program)?];
    argv.extend(arguments(template, request, level, &prompt)?);
    let stdin = match template.prompt {
        PromptBy::Stdin if !prompt.is_empty() => StdinFrom::Prompt,
        _ => StdinFrom::Null,
    };
    let mut env: Vec<(String, String)> = Vec::new();
    let level_env = &template.permissions.at(level).env;
    let templates = template.env.iter().chain(level_env).map(|(k, v)| (k.clone(), v.clone()));
    for (name, value) in templates.chain(request.env.iter().cloned()) {
        env.retain(|(known, _)| *known != name);
        env.push((name, value));
    }
    let session = match (request.session, template.session) {
        (Session::Resume(id), _) | (Session::New(id), SessionId::Preset) => Some(id.to_owned()),
        (Session::New(_), _) => None,
    };
    let spec = LaunchSpec {
        schema: SPEC_SCHEMA,
        attempt: request.attempt.clone(),
        task: request.task.clone(),
        agent: template.name.clone(),
        permissions: level,
        dialect: template.dialect,
        metering: template.metering,
        setup: template.setup.iter().chain(&request.setup).cloned().collect(),
        argv,
        stdin,
        cwd: request.cwd.clone(),
        env,
        stop: template.stop.into(),
        failures: template.failures.clone(),
        baseline: request.baseline,
        session,
        timeout_s: request.timeout_s,
        verify: request.verify.clone(),
        rules: request.rules,
        resources: request.resources,
    };
    Ok(Rendered { spec, prompt, login: probe::login(template, environment) })
}

/// What a person has to be told about an agent's login: a refusal when it is logged out for sure.
///
/// # Errors
/// A refusal with the command that logs in.
pub fn require_login(template: &Template, login: Says) -> Result<(), Problem> {
    if login != Says::Out {
        return Ok(());
    }
    let problem = Problem::refused(format!("`{}` is not logged in", template.name));
    Err(match &template.login.command {
        Some(command) => problem.hint(format!("log in: `{command}`")),
        None => problem,
    })
}

fn refuse_root(
    template: &Template,
    level: Permissions,
    environment: &Environment,
) -> Result<(), Problem> {
    let needs = template.permissions.at(level).root_needs.as_deref();
    match needs.filter(|name| environment.uid == 0 && environment.get(name).is_none()) {
        None => Ok(()),
        Some(name) => {
            let message = format!("`{}` refuses full permissions to root", template.name);
            let sandbox =
                format!("or say that this machine is itself a sandbox: `export {name}=1`");
            Err(Problem::refused(message).hint("give it less: `--permissions work`").hint(sandbox))
        }
    }
}

/// What the agent reads: the role's words around the person's at the start of a session.
fn prompt(template: &Template, request: &Request) -> Result<String, Problem> {
    let words = request.prompt.trim();
    let plain = !request.command.is_empty();
    if words.is_empty() && !plain {
        return Err(Problem::usage("the prompt is empty"));
    }
    let new = matches!(request.session, Session::New(_));
    Ok(match (template.instructions && new, words.is_empty()) {
        (_, true) => String::new(),
        (true, _) => request.role.prompt(words),
        (false, _) => format!("{words}\n"),
    })
}

fn program(
    template: &Template,
    request: &Request,
    environment: &Environment,
) -> Result<PathBuf, Problem> {
    match template.program.first().map(String::as_str) {
        Some("{self}") => return Ok(request.myself.to_path_buf()),
        Some("{command}") => return command(request, environment),
        _ => {}
    }
    let names = template.program.iter().map(String::as_str);
    if let Some(found) = probe::program(names, environment) {
        return Ok(probe::native(template, found));
    }
    let names = template.program.join("`, `");
    let problem = Problem::failed(format!("agent `{}`: no `{names}` on PATH", template.name));
    let problem = match &template.install {
        Some(install) => problem.hint(format!("install it: `{install}`")),
        None => problem,
    };
    Err(problem.hint("or make the variant alone: `--no-agent`"))
}

/// The program of a plain command. One with a slash is meant from where the command runs, which
/// need not be there yet, so only an absolute one can be missing.
fn command(request: &Request, environment: &Environment) -> Result<PathBuf, Problem> {
    let Some(name) = request.command.first().filter(|name| !name.is_empty()) else {
        return Err(Problem::usage("no command after `--exec --`")
            .hint("say what to run: `--exec -- make all`"));
    };
    if name.contains('/') {
        let path = request.cwd.join(name);
        let missing = Path::new(name).is_absolute() && !probe::is_executable(&path);
        return if missing {
            Err(Problem::failed(format!("`{name}` is no program that can be run")))
        } else {
            Ok(path)
        };
    }
    let found = probe::program([name.as_str()], environment);
    found.ok_or_else(|| Problem::failed(format!("no `{name}` on PATH")))
}

fn arguments(
    template: &Template,
    request: &Request,
    level: Permissions,
    prompt: &str,
) -> Result<Vec<String>, Problem> {
    let (pattern, session) = match request.session {
        Session::New(id) => (&template.start, id),
        Session::Resume(id) if template.resumes() => (&template.resume, id),
        Session::Resume(_) => {
            let message = format!("agent `{}` cannot go on in a session", template.name);
            return Err(Problem::refused(message)
                .hint(format!("start it afresh: `wt retry {}`", request.task)));
        }
    };
    let session = word(session, "session")?;
    let model = match request.model {
        Some(_) if template.model.is_empty() => {
            return Err(Problem::usage(format!("agent `{}` takes no model", template.name)));
        }
        Some(model) => Some(word(model, "model")?),
        None => None,
    };
    let fill = |arg: &str| fill(arg, request, session, model, prompt);
    let mut argv = Vec::new();
    for arg in pattern {
        match arg.as_str() {
            "{permissions...}" => {
                argv.extend(template.permissions.at(level).args.iter().map(|arg| fill(arg)));
            }
            "{model...}" if model.is_some() => argv.extend(template.model.iter().map(|a| fill(a))),
            "{model...}" => {}
            "{arguments...}" => argv.extend(request.command.iter().skip(1).cloned()),
            arg => argv.push(fill(arg)),
        }
    }
    if let Some(long) = argv.iter().find(|arg| arg.len() > ARGUMENT_MAX || arg.contains('\0')) {
        let message = format!(
            "`{}` takes its prompt as an argument, which can hold {ARGUMENT_MAX} bytes and no zero; \
             this one has {}",
            template.name,
            long.len()
        );
        return Err(Problem::usage(message));
    }
    Ok(argv)
}

/// One argument with its parts filled in, in one pass: what is filled in is not looked at again. A
/// prompt that is an argument of its own never begins with a dash, lest it be taken for a flag.
fn fill(arg: &str, request: &Request, session: &str, model: Option<&str>, prompt: &str) -> String {
    let mut filled = String::new();
    let mut rest = arg;
    while let Some(part) = braced(rest).next() {
        let Some((before, after)) = rest.split_once(part) else { break };
        filled.push_str(before);
        match part {
            "{prompt}" => filled.push_str(prompt.trim_end()),
            "{session}" => filled.push_str(session),
            "{model}" => filled.push_str(model.unwrap_or_default()),
            "{task}" => filled.push_str(request.task.as_str()),
            other => filled.push_str(other),
        }
        rest = after;
    }
    filled.push_str(rest);
    if arg == "{prompt}" && filled.starts_with('-') { format!(" {filled}") } else { filled }
}

/// A model or a session's id: one word that cannot be taken for a flag.
fn word<'w>(text: &'w str, what: &str) -> Result<&'w str, Problem> {
    let usual = |c: char| c.is_ascii_graphic();
    if text.is_empty() || text.starts_with('-') || !text.chars().all(usual) || text.len() > 256 {
        return Err(Problem::usage(format!("`{text}` is no {what}")));
    }
    Ok(text)
}

fn text_of(path: &Path) -> Result<String, Problem> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        Problem::failed(format!("the program's path `{}` is no UTF-8", path.display()))
    })
}

#[cfg(test)]
mod tests;
