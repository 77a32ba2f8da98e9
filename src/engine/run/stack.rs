//! Work that is stacked upon that of another task: its branch moves on to where the other's stands
//! before its agent starts.

use crate::domain::attempt::Attempt;
use crate::domain::id::TaskId;
use crate::domain::task::Task;
use crate::domain::variant::{Variant, VariantState};
use crate::domain::waiting::Terms;
use crate::engine::run::engine::{Engine, Message};
use crate::git::error::GitError;
use crate::git::place::Place;
use crate::git::repo::Repo;
use crate::git::worktree::forward;
use crate::store::error::StoreError;
use crate::store::repos::{self, RepoRow};
use crate::store::{attempts, tasks, terms, variants};

impl Engine {
    /// Moves a task's branch on, beside the loop; it starts afterwards. Done twice, the second time
    /// does nothing.
    pub(super) fn stack(
        &mut self,
        task: &Task,
        attempt: &Attempt,
        onto: String,
    ) -> Result<(), StoreError> {
        let db = self.store.read();
        let variant = task.variant.map(|key| variants::by_key(db, key)).transpose()?.flatten();
        let ready = variant.filter(|variant| variant.state == VariantState::Ready);
        let Some((variant, repo)) = ready.zip(repos::by_id(db, &task.repo)?) else {
            return self.give_up(task, attempt, "its worktree is gone");
        };
        self.stacking.insert(task.id.clone(), task.lane);
        let (sender, id) = (self.sender.clone(), task.id.clone());
        tokio::task::spawn_blocking(move || {
            let moved = move_on(&variant, &repo, &onto);
            sender.send(Message::Stacked(id, moved)).ok();
        });
        Ok(())
    }

    /// Its branch stands where it is to start, or cannot be moved there.
    pub(super) fn stacked(
        &mut self,
        id: &TaskId,
        moved: Result<String, String>,
    ) -> Result<(), StoreError> {
        self.stacking.remove(id);
        let db = self.store.read();
        let newest = attempts::latest(db, id)?;
        let Some((task, attempt)) = tasks::by_id(db, id)?.zip(newest) else { return Ok(()) };
        match moved {
            Ok(commit) => self.store.write_durably(|tx| {
                if let Some(key) = task.variant {
                    variants::set_fork(tx, key, &commit)?;
                }
                let terms = terms::of(tx, id)?;
                terms::put(tx, id, &Terms { onto: None, ..terms })
            }),
            Err(why) => self.give_up(&task, &attempt, &why),
        }
    }
}

fn move_on(variant: &Variant, repo: &RepoRow, onto: &str) -> Result<String, String> {
    let said = |error: GitError| error.to_string();
    let tip = Repo::open(&repo.common_dir).map_err(said)?.branch(onto).map_err(said)?;
    let tip = tip.ok_or_else(|| format!("branch `{onto}` is gone, from which it starts"))?;
    let place = Place::checkout(&variant.admin_dir, &repo.common_dir, &variant.path);
    forward(&place, &tip).map_err(|error| format!("it cannot start from `{onto}`: {error}"))?;
    Ok(tip)
}
