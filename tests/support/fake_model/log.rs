//! What was asked, kept to be asserted on.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for a request at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// `GET`, `HEAD` or `POST`.
    pub method: String,
    /// With its query.
    pub path: String,
    /// The API key, from whichever header held it; empty without one.
    pub key: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As JSON; an empty object when it was none.
    pub body: Value,
    /// The mode it was answered in, the HTTP status of an error, or `canned STATUS` where no model
    /// was asked.
    pub answered: String,
    /// Whether the connection was gone before the whole answer was sent.
    pub gone: bool,
}

impl Logged {
    /// Whether a model was asked, and not a list or a count.
    pub fn is_model_call(&self) -> bool {
        !self.answered.starts_with("canned")
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// All requests of a server.
#[derive(Debug, Default)]
pub struct Log {
    requests: Mutex<Vec<Logged>>,
    changed: Condvar,
}

impl Log {
    /// Adds a request; gives its place.
    pub fn add(&self, request: Logged) -> usize {
        let mut requests = self.lock();
        requests.push(request);
        self.changed.notify_all();
        requests.len() - 1
    }

    /// Notes that the client of the request at `place` is gone.
    pub fn gone(&self, place: usize) {
        self.lock()[place].gone = true;
        self.changed.notify_all();
    }

    /// Every request so far.
    pub fn all(&self) -> Vec<Logged> {
        self.lock().clone()
    }

    /// Blocks until `done` holds.
    pub fn wait_until(&self, what: &str, done: impl Fn(&[Logged]) -> bool) -> Vec<Logged> {
        let (requests, waited) = self
            .changed
            .wait_timeout_while(self.lock(), PATIENCE, |requests| !done(requests))
            .unwrap();
        assert!(!waited.timed_out(), "waited in vain until {what}: {requests:#?}");
        requests.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Logged>> {
        self.requests.lock().unwrap()
    }
}
