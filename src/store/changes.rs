//! Waits until the state may have changed, without asking over and over.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

use crate::store::layout::Layout;

/// How long at most one wait is where the kernel gives no notice (a user has 128 listeners).
const WITHOUT_NOTICE: Duration = Duration::from_millis(200);

/// After a notice it is looked again after these, should no other notice come: the log is written
/// before the commit in it can be seen.
const SETTLING: [Duration; 4] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(250),
];

/// Hears that somebody wrote to the database, or to a folder that is listened to besides.
pub struct Changes {
    inotify: Option<OwnedFd>,
    /// How many waits there were since the last notice.
    quiet: usize,
}

impl Changes {
    /// Listens from now on. A reader looks once after this, then waits and looks in turns; so it
    /// misses nothing.
    pub fn listen(layout: &Layout) -> Self {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        let changes = Self { inotify: inotify::init(flags).ok(), quiet: 0 };
        // Every commit appends to the log beside the database.
        changes.also(layout.root());
        changes
    }

    /// Listens to a directory, too.
    pub fn also(&self, dir: &Path) {
        let flags = WatchFlags::MODIFY | WatchFlags::MOVED_TO | WatchFlags::CREATE;
        if let Some(fd) = &self.inotify {
            inotify::add_watch(fd, dir, flags).ok();
        }
    }

    /// Waits until something may have changed, at most so long.
    pub fn wait(&mut self, at_most: Duration) {
        let at_most = SETTLING.get(self.quiet).map_or(at_most, |settle| at_most.min(*settle));
        let Some(fd) = &self.inotify else {
            return std::thread::sleep(at_most.min(WITHOUT_NOTICE));
        };
        let timeout = Timespec::try_from(at_most).ok();
        poll(&mut [PollFd::new(fd, PollFlags::IN)], timeout.as_ref()).ok();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(fd, &mut buffer);
        self.quiet += 1;
        while events.next().is_ok() {
            self.quiet = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::tests::store;

    #[test]
    fn a_commit_of_another_connection_ends_the_wait() {
        let (_dir, reader) = store();
        let mut changes = Changes::listen(reader.layout());
        let layout = reader.layout().clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let writer = crate::store::db::Store::open(layout).unwrap();
                writer.read().execute("INSERT INTO meta VALUES ('a', 'b')", []).unwrap();
            });
            let count = || -> i64 {
                let sql = "SELECT count(*) FROM meta";
                reader.read().query_row(sql, [], |row| row.get(0)).unwrap()
            };
            while count() == 0 {
                changes.wait(Duration::from_secs(600));
            }
        });
    }
}
