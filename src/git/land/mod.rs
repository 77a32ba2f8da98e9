//! Landing: a branch moves to a commit that was made elsewhere, and the checkout that is on it
//! moves along, whole or not at all.
//!
//! git's own fast-forward writes files first and the reference last, and a kill in between leaves
//! files that are half new, which nothing takes back. So:
//!
//! 1. the checkout's `index.lock` is taken, and everything from here on is done on copies of the
//!    index;
//! 2. the touched paths are proven to hold nothing of the user's;
//! 3. the journal is written: from which commit to which;
//! 4. `update-ref --stdin` locks the branch and HEAD (prepare);
//! 5. `read-tree -m -u` changes files and the copy;
//! 6. the copy becomes the index, the reference moves (commit), the lock and the journal go.
//!
//! Whoever finds a journal ([`recover`]) looks at the reference: if it moved, all files had been
//! written before; if not, the old files and the old index are put back.

pub mod desk;
pub mod disk;
pub mod proof;
mod recover;
#[cfg(test)]
mod recover_tests;
#[cfg(test)]
mod tests;
pub mod touch;

use serde::Serialize;

use crate::git::command::Git;
use crate::git::error::GitError;
use crate::git::land::desk::{Desk, Journal};
use crate::git::land::proof::{Ground, Obstacle, prove};
use crate::git::land::touch::{Touch, between};
use crate::git::place::Place;
use crate::git::reference::{self, Move, Preparing};

pub use recover::{Recovered, recover};

/// What lands where.
#[derive(Debug, Clone, Copy)]
pub struct Landing<'a> {
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// Where it stands, in hex.
    pub old: &'a str,
    /// The commit that lands, in hex.
    pub new: &'a str,
    /// What the branch's log says about it; one line.
    pub log: &'a str,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landed {
    /// The branch is at the new commit, and so is the checkout.
    Yes,
    /// Nothing was changed.
    Refused(Refusal),
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The branch, or HEAD, is locked or stands somewhere else by now; git's own words.
    Reference(String),
    /// Another git process holds the checkout's index.
    Index,
    /// The checkout has left the branch.
    Left,
    /// The checkout holds something of its own at paths that would be touched.
    Obstacles(Vec<Obstacle>),
}

/// True when a landing in a checkout has neither come to its end nor been put back.
pub fn is_unfinished(place: &Place) -> bool {
    desk::is_there(place)
}

/// Moves a branch that is checked out nowhere.
///
/// # Errors
/// When git fails.
pub fn land_reference(place: &Place, landing: &Landing<'_>) -> Result<Landed, GitError> {
    let reference = format!("refs/heads/{}", landing.branch);
    match reference::prepare(place, &move_of(&reference, landing))? {
        Preparing::Done(prepared) => prepared.commit().map(|()| Landed::Yes),
        Preparing::Refused(why) => Ok(Landed::Refused(Refusal::Reference(why))),
    }
}

/// Moves a branch and the checkout that is on it.
///
/// The checkout is not in the middle of an operation, and nothing of an earlier landing is left in
/// it ([`recover`]): the caller has looked.
///
/// # Errors
/// When git or the file system fails; everything is as it was then, or, if even putting it back
/// failed, the journal stays for [`recover`].
pub fn land(place: &Place, landing: &Landing<'_>) -> Result<Landed, GitError> {
    let touches = between(place, landing.old, landing.new)?;
    let desk = Desk::open(place)?;
    let mut work = Work { place, landing, touches, desk, begun: false };
    let ended = work.run();
    if matches!(ended, Ok(Landed::Yes)) || !work.begun {
        work.desk.clear()?;
    } else {
        recover::put_back(place, work.desk)?;
    }
    ended
}

fn move_of<'a>(reference: &'a str, landing: &Landing<'a>) -> Move<'a> {
    Move { reference, old: landing.old, new: landing.new, log: landing.log }
}

struct Work<'a> {
    place: &'a Place,
    landing: &'a Landing<'a>,
    touches: Vec<Touch>,
    desk: Desk,
    /// Files may have been changed.
    begun: bool,
}

impl Work<'_> {
    fn run(&mut self) -> Result<Landed, GitError> {
        if !self.desk.lock_index()? {
            return Ok(Landed::Refused(Refusal::Index));
        }
        self.desk.keep_index()?;
        refresh(self.place, &self.desk.new_index())?;
        let ground = match self.prove()? {
            Ok(ground) => ground,
            Err(obstacles) => return Ok(Landed::Refused(Refusal::Obstacles(obstacles))),
        };
        let reference = format!("refs/heads/{}", self.landing.branch);
        self.desk.write(&Journal {
            reference: reference.clone(),
            old: self.landing.old.to_owned(),
            new: self.landing.new.to_owned(),
            absent: ground.absent,
            missing: ground.missing,
        })?;
        let prepared = match reference::prepare(self.place, &move_of(&reference, self.landing))? {
            Preparing::Done(prepared) => prepared,
            Preparing::Refused(why) => return Ok(Landed::Refused(Refusal::Reference(why))),
        };
        if !self.is_on(&reference)? {
            return Ok(Landed::Refused(Refusal::Left));
        }
        if let Some(obstacles) = self.change_files()? {
            return Ok(Landed::Refused(Refusal::Obstacles(obstacles)));
        }
        self.desk.install(&self.desk.new_index())?;
        prepared.commit()?;
        Ok(Landed::Yes)
    }

    fn prove(&self) -> Result<Result<Ground, Vec<Obstacle>>, GitError> {
        prove(self.place, &self.touches, Some(&self.desk.new_index()))
    }

    /// Once the branch that HEAD is on is locked, HEAD is locked with it; until then it could
    /// leave.
    fn is_on(&self, reference: &str) -> Result<bool, GitError> {
        let file = std::fs::read_to_string(self.place.git_dir.join("HEAD")).unwrap_or_default();
        match file.trim_end().strip_prefix("ref: ") {
            // A reftable repository keeps a stand-in in this file.
            Some("refs/heads/.invalid") => {}
            Some(name) => return Ok(name == reference),
            None => return Ok(false),
        }
        let asked = ["symbolic-ref", "--quiet", "HEAD"];
        let answer = Git::read(self.place).args(asked).answer()?;
        Ok(answer.code == Some(0) && answer.text() == reference)
    }

    /// Changes files and the new index. git looks at every path again before it touches the first:
    /// what was changed since the proof is given as obstacles, and then nothing was touched.
    fn change_files(&mut self) -> Result<Option<Vec<Obstacle>>, GitError> {
        self.begun = true;
        // Submodules are updated by whoever wants that: their files are not part of the proof.
        let asked = ["read-tree", "-m", "-u", "--no-recurse-submodules"];
        let answer = Git::write(self.place)
            .config("core.splitIndex=false")
            .env("GIT_INDEX_FILE", self.desk.new_index())
            .args(asked)
            .args([self.landing.old, self.landing.new])
            .answer()?;
        if answer.code == Some(0) {
            return Ok(None);
        }
        let looked_first =
            ["Cannot merge", "would be overwritten", "would be removed", "would lose"];
        if looked_first.iter().any(|words| answer.stderr.contains(words)) {
            self.begun = false;
            if let Err(obstacles) = self.prove()? {
                return Ok(Some(obstacles));
            }
        }
        Err(answer.failure())
    }
}

/// Brings the times and sizes in an index up to date, without which `read-tree` takes a file that
/// was merely touched for a changed one.
fn refresh(place: &Place, index: &std::path::Path) -> Result<(), GitError> {
    let git = Git::write(place).config("core.splitIndex=false").env("GIT_INDEX_FILE", index);
    // Exit code 1 says that some files really differ, which is for the proof to judge.
    git.args(["update-index", "-q", "--refresh"]).answer().map(drop)
}

/// The obstacles that [`land`] would meet now. Changes nothing.
///
/// # Errors
/// When git fails.
pub fn obstacles(place: &Place, old: &str, new: &str) -> Result<Vec<Obstacle>, GitError> {
    let touches = between(place, old, new)?;
    Ok(prove(place, &touches, None)?.err().unwrap_or_default())
}
