//! Hears what changes in the folders of attempts: one inotify instance for all of them, since the
//! kernel allows a user 128.

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use tokio::net::unix::pipe::Receiver;

use crate::domain::id::AttemptId;

/// The folders that are listened to.
pub struct Folders {
    inotify: Receiver,
    attempts: HashMap<i32, AttemptId>,
}

/// What changed since it was last asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// In whose folders something was written.
    pub attempts: Vec<AttemptId>,
    /// The kernel lost count: anything may have changed.
    pub all: bool,
}

impl Folders {
    /// Listens to nothing yet.
    ///
    /// # Errors
    /// When the kernel gives no instance.
    pub fn new() -> std::io::Result<Self> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify: Receiver::from_owned_fd_unchecked(fd)?, attempts: HashMap::new() })
    }

    /// Listens to an attempt's folder. The number it gives stops it again.
    ///
    /// # Errors
    /// When the folder is gone, or the kernel watches no more.
    pub fn listen(&mut self, attempt: &AttemptId, dir: &Path) -> std::io::Result<i32> {
        let flags = WatchFlags::MODIFY | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        let number = inotify::add_watch(&self.inotify, dir, flags)?;
        self.attempts.insert(number, attempt.clone());
        Ok(number)
    }

    /// Listens to that folder no more.
    pub fn ignore(&mut self, number: i32) {
        if self.attempts.remove(&number).is_some() {
            // Fails when the folder is gone, and the watch with it.
            inotify::remove_watch(self.inotify.as_fd(), number).ok();
        }
    }

    /// Waits until something changed. May be given up at any time; nothing is lost.
    pub async fn changed(&self) -> std::io::Result<Changed> {
        loop {
            self.inotify.readable().await?;
            let mut changed = Changed::default();
            // Read until nothing is left, which is what makes the descriptor be waited for again.
            let drained = self.inotify.try_io(|| self.read(&mut changed));
            if let Err(error) = drained
                && error.kind() != std::io::ErrorKind::WouldBlock
            {
                return Err(error);
            }
            if changed != Changed::default() {
                return Ok(changed);
            }
        }
    }

    /// Reads every event there is; ends with the error that there is none.
    fn read(&self, changed: &mut Changed) -> std::io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = events.next()?;
            changed.all |= event.events().contains(ReadFlags::QUEUE_OVERFLOW);
            if let Some(attempt) = self.attempts.get(&event.wd())
                && !changed.attempts.contains(attempt)
            {
                changed.attempts.push(attempt.clone());
            }
        }
    }
}
