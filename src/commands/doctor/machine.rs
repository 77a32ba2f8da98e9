//! What `wt` stands on: git, the state directory, the engine, the kernel's limits.

use rustix::fs::inotify;

use crate::commands::context::Context;
use crate::commands::doctor::mend::Mend;
use crate::commands::doctor::{Finding, State};
use crate::domain::problem::Problem;
use crate::domain::resources::size;
use crate::git::command::Git;
use crate::store::lock::Lock;
use crate::store::tasks;

/// The oldest git that everything works with: `merge-tree --stdin`, `patch-id --verbatim`.
const GIT: (u32, u32) = (2, 39);

/// Below this many bytes, agents will soon fail for want of space.
const SPACE: u64 = 1_000_000_000;

/// Looks.
///
/// # Errors
/// The store's.
pub fn look(ctx: &Context<'_>) -> Result<Vec<Finding>, Problem> {
    Ok(vec![git(ctx), state(ctx)?, space(ctx), engine(ctx)?, watches()])
}

fn git(ctx: &Context<'_>) -> Finding {
    let asked = Git::discovering(ctx.store.layout().root()).arg("version").text();
    let text = match asked {
        Ok(text) => text,
        Err(error) => {
            return Finding::wrong("git", error.to_string())
                .hint("install git 2.39 or newer, and see that it is on the PATH");
        }
    };
    let version = text.trim_start_matches("git version ").to_owned();
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) < GIT => {
            let found = format!("{version} is too old: conflicts cannot be foreseen with it");
            Finding::wrong("git", found).hint("install git 2.39 or newer")
        }
        _ => Finding::fine("git", version),
    }
}

fn state(ctx: &Context<'_>) -> Result<Finding, Problem> {
    // That it is private, ours and on a local file system was checked when it was opened.
    let root = ctx.store.layout().root().display().to_string();
    let damage = ctx.store.damage()?;
    Ok(match damage.first() {
        None => Finding::fine("state", format!("{root}, sound")),
        Some(first) => {
            Finding::wrong("state", format!("the database in {root} is damaged: {first}"))
                .hint("rebuild it from what is beside it: `wt doctor --fix`")
        }
    })
}

fn space(ctx: &Context<'_>) -> Finding {
    let Ok(stat) = rustix::fs::statvfs(ctx.store.layout().root()) else {
        return Finding::notable("disk", "the space left cannot be told");
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let found = format!("{} free", size(free));
    if free < SPACE {
        Finding::wrong("disk", format!("only {found}")).hint("empty the trash: `wt gc`")
    } else {
        Finding::fine("disk", found)
    }
}

fn engine(ctx: &Context<'_>) -> Result<Finding, Problem> {
    let layout = ctx.store.layout();
    if Lock::is_held(&layout.engine_lock())? {
        return Ok(Finding::fine("engine", "runs"));
    }
    let open = tasks::open(ctx.store.read())?.len();
    if open == 0 {
        return Ok(Finding::fine("engine", "idle; it starts when there is work"));
    }
    let found = format!("does not run, though {open} tasks are not at their end");
    let log = format!("see what it said last: `tail {}`", layout.engine_log().display());
    Ok(Finding::wrong("engine", found).hint(log).mended_by("start it", Mend::StartEngine))
}

/// One watch of the kernel's is all that the engine needs; other programs may have taken all.
fn watches() -> Finding {
    let limit = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}"));
        text.map(|text| text.trim().to_owned()).unwrap_or_else(|_| "?".to_owned())
    };
    let (instances, watched) = (limit("max_user_instances"), limit("max_user_watches"));
    let allowed = format!("{instances} instances, {watched} watches allowed");
    match inotify::init(inotify::CreateFlags::CLOEXEC) {
        Ok(_) => Finding::new(State::Fine, "inotify", allowed),
        Err(error) => {
            let found = format!("none is left of {allowed}: {error}");
            Finding::wrong("inotify", found)
                .hint("allow more: `sudo sysctl fs.inotify.max_user_instances=1024`")
        }
    }
}
