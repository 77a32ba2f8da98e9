//! A scripted model server for real coding agents: Anthropic Messages, OpenAI Responses and Chat
//! Completions, Gemini; streaming or not; on the loopback interface alone.
//!
//! It keeps no conversation: what it answers is a function of the request, the same figures every
//! time. Without tools it says a short text; with tools it first calls the one that writes
//! `hello.txt`; once the result of that call is in the request it ends with a final text.
#![allow(dead_code, unused_imports, reason = "each test binary uses its own part")]

mod anthropic;
mod chat;
mod gemini;
mod log;
mod mode;
mod plan;
mod reply;
mod responses;
mod server;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use log::Logged;
pub use mode::Mode;
pub use plan::{CONTENT, FINAL, SIDE, TURN1, TURN2, Usage};

/// How the server behaves; a request's key `mode-X` overrules its mode.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// The mode of requests whose key names none.
    pub mode: Mode,
    /// With a status as mode: fail only that many model calls, then answer.
    pub fail_first: Option<usize>,
    /// Seconds in the `Retry-After` header of errors.
    pub retry_after: Option<u64>,
    /// How long a stalled request lasts before its connection is closed.
    pub stall: Duration,
    /// How long to wait after each event of a stream.
    pub delay: Duration,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            mode: Mode::Ok,
            fail_first: None,
            retry_after: None,
            stall: Duration::from_secs(600),
            delay: Duration::ZERO,
        }
    }
}

/// The server, in a thread of its own; dropping it closes every connection and ends it.
#[derive(Debug)]
pub struct FakeModel {
    address: SocketAddr,
    log: Arc<log::Log>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeModel {
    /// A server that answers everything.
    pub fn start() -> Self {
        Self::with(Script::default())
    }

    /// A server that behaves as told, on a free port; it accepts connections at once.
    pub fn with(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(log::Log::default());
        let (stop, stopped) = oneshot::channel();
        let server = server::Server::new(script, Arc::clone(&log));
        let thread = std::thread::spawn(move || server.run(listener, stopped));
        Self { address, log, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://127.0.0.1:PORT`, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request there was, oldest first.
    pub fn requests(&self) -> Vec<Logged> {
        self.log.all()
    }

    /// Waits until `done` holds of the requests; gives them.
    ///
    /// # Panics
    /// When that takes more than a minute.
    pub fn wait_until(&self, what: &str, done: impl Fn(&[Logged]) -> bool) -> Vec<Logged> {
        self.log.wait_until(what, done)
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
            && !std::thread::panicking()
        {
            std::panic::resume_unwind(panic);
        }
    }
}
