//! How an attempt's limits look.

use std::io;

use crate::commands::status::bounds::{Bound, Bounds};
use crate::domain::resources::size;
use crate::ui::human;
use crate::ui::outcome::status::labelled;
use crate::ui::printer::Page;
use crate::ui::theme;

/// One line of what it may take, then one for each limit that is not kept to.
pub(super) fn render(out: &mut Page<'_>, limits: &Bounds) -> io::Result<()> {
    let parts = parts(limits);
    if !parts.is_empty() {
        labelled(out, "limits", &parts.join(" · "))?;
    }
    for (what, bound) in [("memory", &limits.memory), ("process", &limits.processes)] {
        let obstacle = bound.as_ref().and_then(|bound| bound.obstacle.as_ref());
        if let Some(why) = obstacle {
            let line = format!("{what} limit not enforced: {why}");
            labelled(out, "", &theme::attention().apply_to(line).to_string())?;
        }
    }
    Ok(())
}

fn parts(limits: &Bounds) -> Vec<String> {
    let mut parts = vec![];
    if limits.nice > 0 {
        parts.push(format!("nice {}", limits.nice));
    }
    if let Some(memory) = &limits.memory {
        parts.push(kept(memory, format!("memory {}", size(memory.most))));
        if memory.refused > 0 {
            let killed = human::count(memory.refused, "process", "processes");
            parts.push(format!("{killed} killed for want of memory"));
        }
    }
    if let Some(processes) = &limits.processes {
        let most = human::number(processes.most);
        parts.push(kept(processes, format!("processes {most}")));
        if processes.refused > 0 {
            parts.push(format!("{} refused", human::count(processes.refused, "fork", "forks")));
        }
    }
    parts
}

/// `memory 8 GB (cgroup)`, `memory 8 GB for each process alone`
fn kept(bound: &Bound, what: String) -> String {
    match bound.kept_by {
        Some("cgroup") => format!("{what} (cgroup)"),
        Some("process") => format!("{what} for each process alone"),
        Some("nobody") => format!("{what} (not enforced)"),
        _ => what,
    }
}
