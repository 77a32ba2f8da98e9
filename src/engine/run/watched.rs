//! One running attempt, as the engine follows it.

use std::process::Child;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::domain::attempt::{Attempt, Progress, Report};
use crate::domain::launch::LaunchSpec;
use crate::domain::usage::{Certainty, Usage};
use crate::engine::run::tail::Tail;
use crate::engine::run::vigil::Vigil;
use crate::store::folder::{Folder, HolderRecord};

/// How soon after a change its output is read: together with what else comes meanwhile.
const READ_AFTER: Duration = Duration::from_millis(50);

/// How often at most what was read is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// One attempt that runs.
pub struct Watched {
    /// Its row, as it was when it was taken up.
    pub attempt: Attempt,
    /// What runs.
    pub spec: LaunchSpec,
    /// Its folder.
    pub folder: Folder,
    /// Its output.
    pub tail: Tail,
    /// The number under which its folder is listened to.
    pub listening: Option<i32>,
    /// The holder, when this engine started it: to be waited for.
    pub child: Option<Child>,
    /// Who holds it, once `holder.json` was read with an agent in it.
    pub record: Option<HolderRecord>,
    /// True once its holder is gone while its agent still runs.
    pub orphaned: bool,
    /// When an orphan's time is up.
    pub deadline: Option<Instant>,
    /// True once its holder was told to end.
    pub told_to_stop: bool,
    /// When to read its output.
    pub read_at: Option<Instant>,
    /// When to save what was read.
    pub save_at: Option<Instant>,
    /// How its agent gets on, once it runs. A plain command speaks when it likes.
    pub vigil: Option<Vigil>,
    /// What was saved last.
    saved: (Usage, Progress),
    /// When it last said anything.
    heard_at: Option<Timestamp>,
    last_save: Option<Instant>,
}

impl Watched {
    /// An attempt whose output is to be read from the start.
    pub fn new(attempt: Attempt, spec: LaunchSpec, folder: Folder) -> Self {
        let tail = Tail::new(&spec, folder.stdout());
        Self {
            saved: (attempt.usage, attempt.progress.clone()),
            heard_at: attempt.progress.heard_at,
            attempt,
            spec,
            folder,
            tail,
            listening: None,
            child: None,
            record: None,
            orphaned: false,
            deadline: None,
            told_to_stop: false,
            read_at: Some(Instant::now()),
            save_at: None,
            last_save: None,
            vigil: None,
        }
    }

    /// The next moment at which something is to be done for it.
    pub fn due(&self) -> Option<Instant> {
        let vigil = self.vigil.as_ref().and_then(|vigil| vigil.look_at);
        self.read_at.into_iter().chain(self.save_at).chain(vigil).chain(self.deadline).min()
    }

    /// Something was written in its folder.
    pub fn written(&mut self) {
        self.read_at = self.read_at.or(Some(Instant::now() + READ_AFTER));
    }

    /// Reads what is new, and plans to save it.
    ///
    /// # Errors
    /// When the output cannot be read.
    pub fn read(&mut self, now: Timestamp) -> std::io::Result<()> {
        self.read_at = None;
        let before = self.tail.offset();
        let (steps, tokens) = (self.steps(), self.tail.report().usage.tokens);
        if self.tail.read()? {
            self.read_at = Some(Instant::now());
        }
        if self.tail.offset() != before {
            self.heard_at = Some(now);
        }
        let got_on = steps != self.steps() || tokens != self.tail.report().usage.tokens;
        if let Some(vigil) = &mut self.vigil {
            if self.tail.offset() != before {
                vigil.heard(&self.folder.stdout());
            }
            if got_on {
                vigil.got_on();
            }
            vigil.limited(self.tail.report().limited);
            vigil.look();
        }
        if self.save_at.is_none() && self.saved != (self.usage(), self.progress()) {
            let soon = self.last_save.map_or_else(Instant::now, |last| last + SAVE_EVERY);
            self.save_at = Some(soon);
        }
        Ok(())
    }

    /// A report is as good as a step.
    pub fn hear_report(&mut self, told: Option<&Report>) {
        if self.attempt.told.as_ref() == told {
            return;
        }
        self.attempt.told = told.cloned();
        if let Some(vigil) = &mut self.vigil {
            vigil.reported();
            if vigil.look() {
                self.save_at = self.save_at.or(Some(Instant::now()));
            }
        }
    }

    /// What it does, as far as it tells.
    fn steps(&self) -> (Option<(u32, u32)>, Option<String>) {
        let report = self.tail.report();
        (report.todo, report.activity.clone())
    }

    /// What is to be saved now.
    pub fn take_unsaved(&mut self) -> (Usage, Progress) {
        (self.save_at, self.last_save) = (None, Some(Instant::now()));
        self.saved = (self.usage(), self.progress());
        self.saved.clone()
    }

    /// What it used so far; never less than what an earlier engine has saved.
    pub fn usage(&self) -> Usage {
        let usage = self.tail.report().usage;
        // What a running agent told is a lower bound, whatever the stream calls it.
        let certainty = usage.certainty.max(Certainty::AtLeast);
        if self.tail.offset() < self.attempt.progress.offset {
            return self.attempt.usage;
        }
        Usage { certainty, ..usage }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let report = self.tail.report();
        Progress {
            offset: self.tail.offset(),
            heard_at: self.heard_at,
            model: report.model.clone(),
            todo: report.todo,
            activity: report.activity.clone(),
            cumulative: report.cumulative,
            pace: self.vigil.as_ref().map(|vigil| vigil.pace).unwrap_or_default(),
        }
    }
}
