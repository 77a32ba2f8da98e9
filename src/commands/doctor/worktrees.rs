//! A variant's worktree, registration and branch.

use std::path::PathBuf;

use crate::commands::doctor::Finding;
use crate::commands::doctor::mend::Mend;
use crate::domain::problem::Problem;
use crate::domain::variant::{Variant, VariantState};
use crate::git::repo::Repo;
use crate::git::worktree::{Naming, naming, registered_path, registration_named_in};
use crate::store::repos::RepoRow;

/// Looks; gives nothing when all is as recorded.
///
/// # Errors
/// When git cannot say.
pub fn look(row: &RepoRow, repo: &Repo, variant: &Variant) -> Result<Vec<Finding>, Problem> {
    if variant.state != VariantState::Ready {
        // Under way, or what a dead process left: told with the intents.
        return Ok(vec![]);
    }
    let about = format!("variant {}/{}", row.name, variant.name);
    let path = variant.path.display();
    Ok(match naming(&variant.path, &variant.admin_dir) {
        Naming::Mutual => branch(repo, variant, about)?.into_iter().collect(),
        _ if let Some(there) = moved_to(variant) => {
            let found = format!("its worktree was moved to `{}`", there.display());
            let mend = Mend::Relocate {
                key: variant.key,
                path: there,
                admin_dir: variant.admin_dir.clone(),
            };
            vec![Finding::wrong(about, found).mended_by("record it there", mend)]
        }
        Naming::NoDirectory if variant.path.parent().is_some_and(|dir| dir.is_dir()) => {
            let found = format!("`{path}` is gone");
            let words = format!("forget it; branch {} stays", variant.branch);
            let mend = Mend::Forget { key: variant.key };
            vec![
                Finding::wrong(about, found).mended_by(words, mend).hint(format!(
                    "if it was moved: `wt -C NEW-PLACE doctor` finds {}",
                    variant.name
                )),
            ]
        }
        Naming::NoDirectory => {
            let found = format!("`{path}` is not there; is its disk missing?");
            let drop = format!("if it is gone for good: `wt cleanup {} --force`", variant.name);
            vec![Finding::wrong(about, found).hint(drop)]
        }
        Naming::NoRegistration => match named_registration(repo, variant) {
            Some(admin_dir) => {
                let found = "git registers its worktree under another name".to_owned();
                let mend =
                    Mend::Relocate { key: variant.key, path: variant.path.clone(), admin_dir };
                vec![Finding::wrong(about, found).mended_by("record it so", mend)]
            }
            None => unregistered(repo, variant, about),
        },
        Naming::RegistrationElsewhere | Naming::DirectoryElsewhere => {
            let found = format!("`{path}` belongs to something else by now");
            let words =
                format!("forget it; nothing is touched there, branch {} stays", variant.branch);
            let mend = Mend::Forget { key: variant.key };
            vec![Finding::wrong(about, found).mended_by(words, mend)]
        }
    })
}

fn branch(repo: &Repo, variant: &Variant, about: String) -> Result<Option<Finding>, Problem> {
    if repo.branch(&variant.branch)?.is_some() {
        return Ok(None);
    }
    let found = format!("its branch {} is gone", variant.branch);
    let log = variant.admin_dir.join("logs/HEAD");
    Ok(Some(Finding::wrong(about, found).hint(format!(
        "see where it stood: `tail -n 3 {}`, then `git branch {} COMMIT`",
        log.display(),
        variant.branch
    ))))
}

/// Where git itself says that the worktree is, if it is there.
fn moved_to(variant: &Variant) -> Option<PathBuf> {
    let there = registered_path(&variant.admin_dir).filter(|there| *there != variant.path)?;
    (naming(&there, &variant.admin_dir) == Naming::Mutual).then_some(there)
}

/// The registration in this repository that the directory names, if it names it back.
fn named_registration(repo: &Repo, variant: &Variant) -> Option<PathBuf> {
    let named = registration_named_in(&variant.path)?;
    let ours = named.starts_with(repo.common_dir().join("worktrees"));
    (ours && naming(&variant.path, &named) == Naming::Mutual).then_some(named)
}

/// Its files are there, and git has forgotten them: a prune while its disk was away.
fn unregistered(repo: &Repo, variant: &Variant, about: String) -> Vec<Finding> {
    let path = variant.path.display();
    let ours = registration_named_in(&variant.path)
        .is_some_and(|named| named.starts_with(repo.common_dir().join("worktrees")));
    if !ours {
        let found = format!("`{path}` belongs to something else by now");
        let words = format!("forget it; nothing is touched there, branch {} stays", variant.branch);
        let mend = Mend::Forget { key: variant.key };
        return vec![Finding::wrong(about, found).mended_by(words, mend)];
    }
    let found = format!("git has forgotten its worktree at `{path}`");
    vec![Finding::wrong(about, found).mended_by(
        "register it again; its files stay, but nothing is staged",
        Mend::Register { key: variant.key },
    )]
}
