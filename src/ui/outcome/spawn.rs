//! How `wt spawn` looks.

use std::io;
use std::path::{Path, PathBuf};

use crate::commands::spawn::{Engaged, Engine, Outcome, Spawned, Submodules};
use crate::domain::settings::Permissions;
use crate::ui::human;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        match self.variants.as_slice() {
            [one] => self.single(out, one)?,
            several => self.several(out, several)?,
        }
        self.closing(out)
    }
}

impl Outcome {
    fn single(&self, out: &mut Page<'_>, one: &Spawned) -> io::Result<()> {
        let place = format!("{}  {}", shown(&one.path, &self.stood), one.branch);
        labelled(out, "variant", &format!("{place} from {}", self.from()))?;
        let idea = self.idea_text();
        match (&one.agent, idea) {
            (Some(agent), Some(idea)) => {
                labelled(out, "task", &format!("{} · {idea}", agent.task))?
            }
            (Some(agent), None) => labelled(out, "task", &agent.task)?,
            (None, Some(idea)) => labelled(out, "idea", idea.trim_start_matches("idea "))?,
            (None, None) => {}
        }
        if let Some(agent) = &one.agent {
            labelled(out, "agent", &agent_text(agent))?;
        }
        self.furnished(out, one)?;
        if one.agent.is_some() {
            labelled(out, "follow", &format!("wt logs -f {}", one.name))
        } else {
            labelled(out, "enter", &format!("cd \"$(wt path {})\"", one.name))
        }
    }

    fn several(&self, out: &mut Page<'_>, several: &[Spawned]) -> io::Result<()> {
        let width = several.iter().map(|one| one.name.as_str().len()).max().unwrap_or(0);
        let paths: Vec<String> = several.iter().map(|one| shown(&one.path, &self.stood)).collect();
        let wide = paths.iter().map(|path| console::measure_text_width(path)).max().unwrap_or(0);
        for (one, path) in several.iter().zip(&paths) {
            let path = console::pad_str(path, wide, console::Alignment::Left, None);
            let agent = one.agent.as_ref().map(|agent| {
                let command = agent.command.as_deref().map(shown_command);
                let name = human::line(command.as_deref().unwrap_or(&agent.name), 30);
                format!("  {name}  {}", agent.task)
            });
            let name = theme::strong().apply_to(format!("{:width$}", one.name.as_str()));
            out.line(format!("{name}  {path}  {}{}", one.branch, agent.unwrap_or_default()))?;
        }
        labelled(out, "from", &self.from())?;
        if let Some(idea) = self.idea_text() {
            labelled(out, "idea", idea.trim_start_matches("idea "))?;
        }
        if let Some(one) = several.first() {
            self.furnished(out, one)?;
        }
        let queued = several.iter().any(|one| one.agent.is_some());
        if queued { labelled(out, "follow", "wt list") } else { Ok(()) }
    }

    fn furnished(&self, out: &mut Page<'_>, one: &Spawned) -> io::Result<()> {
        let furnished = &one.furnished;
        let mut carried: Vec<String> = few(&furnished.carried);
        if let Some(names) = self.dependencies(one) {
            carried.push(names);
        }
        if !carried.is_empty() {
            labelled(out, "carried", &carried.join(" · "))?;
        }
        if let Some(changes) = &furnished.changes {
            let count = human::count(changes.paths as u64, "file", "files");
            let staging =
                if changes.staging_kept { "staged and unstaged as here" } else { "all unstaged" };
            labelled(out, "changes", &format!("{count} taken along, {staging}"))?;
        }
        for left in &furnished.left {
            labelled(out, "left", &format!("{} {}", left.path.display(), left.why))?;
        }
        match furnished.submodules {
            Some(Submodules::Initialised) => labelled(out, "modules", "submodules checked out"),
            Some(Submodules::Empty) => labelled(
                out,
                "modules",
                "submodules are empty; with `worktree.submodules = true` they are checked out",
            ),
            None => Ok(()),
        }
    }

    /// `node_modules left to setup (npm ci)`
    fn dependencies(&self, one: &Spawned) -> Option<String> {
        let mut names: Vec<String> = one
            .furnished
            .dependencies
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        names.dedup();
        let names = (!names.is_empty()).then(|| names.join(", "))?;
        Some(match self.setup.as_slice() {
            [] => format!("{names} not carried; a `worktree.setup` command can make it"),
            [only] => format!("{names} left to setup ({})", human::line(only, 40)),
            [first, ..] => format!("{names} left to setup ({}, …)", human::line(first, 40)),
        })
    }

    fn from(&self) -> String {
        let commit = human::commit(&self.base.commit);
        match &self.base.branch {
            Some(branch) => format!("{branch} {commit}"),
            None => format!("{commit}, no branch: merge with --into"),
        }
    }

    /// `idea theme (suggested, with theme-light)`
    fn idea_text(&self) -> Option<String> {
        let idea = self.idea.as_ref()?;
        if !idea.suggested {
            return Some(format!("idea {}", idea.name));
        }
        let with: Vec<&str> = self.idea_with.iter().map(|name| name.as_str()).collect();
        Some(format!("idea {} (suggested, with {})", idea.name, with.join(", ")))
    }

    fn closing(&self, out: &mut Page<'_>) -> io::Result<()> {
        let agents = self.variants.iter().filter(|one| one.agent.is_some()).count();
        let base = match &self.base.branch {
            Some(branch) => capital(&format!("{branch} branch unchanged")),
            None => "Your checkout is unchanged".to_owned(),
        };
        match agents {
            0 => {}
            1 => out.line(format!("{base}; the agent works in isolation."))?,
            _ => out.line(format!("{base}; the agents work in isolation."))?,
        }
        if self.engine == Some(Engine::Later) {
            out.line("Queued; it starts with the next command from outside of this agent.")?;
        }
        Ok(())
    }
}

fn labelled(out: &mut Page<'_>, label: &str, text: &str) -> io::Result<()> {
    out.line(format!("{}  {text}", theme::dim().apply_to(format!("{label:7}"))))
}

/// `claude · engineer · may edit and run commands in its worktree`
fn agent_text(agent: &Engaged) -> String {
    if let Some(command) = &agent.command {
        let shown = shown_command(command);
        return format!("{} · a plain command, with your rights", human::line(&shown, 60));
    }
    let may = match agent.permissions {
        Permissions::Read => "may read in its worktree",
        Permissions::Work => "may edit and run commands in its worktree",
        Permissions::Full => "may do anything that you may",
    };
    match &agent.model {
        Some(model) => format!("{} ({model}) · {} · {may}", agent.name, agent.role),
        None => format!("{} · {} · {may}", agent.name, agent.role),
    }
}

fn shown_command(command: &[String]) -> String {
    let quoted = command.iter().map(|word| shlex::try_quote(word).unwrap_or(word.as_str().into()));
    quoted.collect::<Vec<_>>().join(" ")
}

/// At most four paths, and how many more.
fn few(paths: &[PathBuf]) -> Vec<String> {
    const FEW: usize = 4;
    let mut shown: Vec<String> =
        paths.iter().take(FEW).map(|path| path.display().to_string()).collect();
    if paths.len() > FEW {
        shown.push(format!("{} more", paths.len() - FEW));
    }
    shown
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A path as one would type it from here, if that is not longer.
fn shown(path: &Path, from: &Path) -> String {
    let absolute = path.display().to_string();
    let relative = relative(path, from).display().to_string();
    if relative.len() < absolute.len() { relative } else { absolute }
}

fn relative(path: &Path, from: &Path) -> PathBuf {
    let shared = path.iter().zip(from.iter()).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| "..".as_ref());
    up.chain(path.iter().skip(shared)).collect()
}
