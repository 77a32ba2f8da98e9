//! The engine's state, and its loop: hear, look, act.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::domain::attempt::StopRequest;
use crate::domain::id::{AttemptId, TaskId};
use crate::domain::task::Lane;
use crate::engine::gates::Load;
use crate::engine::holder::gate::Report;
use crate::engine::process::identity::Here;
use crate::engine::run::finish::Finished;
use crate::engine::run::folders::{Changed, Folders};
use crate::engine::run::journal::Journal;
use crate::engine::run::launch::Gate;
use crate::engine::run::load::Gauge;
use crate::engine::run::meter::Meter;
use crate::engine::run::start::Starting;
use crate::engine::run::upgrade;
use crate::engine::run::watched::Watched;
use crate::store::bell;
use crate::store::clock::Clock;
use crate::store::db::Store;
use crate::store::environment::Environment;
use crate::store::error::StoreError;

/// How long an engine without work stays, so that the next command need not start another.
const LINGER: Duration = Duration::from_secs(5);

/// How often the store is looked at although no bell rang. A ring can only be missed where the bell
/// itself was removed by hand.
const SLOW_LOOK: Duration = Duration::from_secs(60);

/// How long to wait before trying again what the store refused (a full disk, most likely).
const REFUSED: Duration = Duration::from_secs(3);

/// Something that happened to an attempt.
pub enum Message {
    /// Its holder reported, or did not.
    Reported(AttemptId, Gate, std::io::Result<Report>),
    /// Its holder is gone.
    HolderGone(AttemptId),
    /// Its agent is gone, after its holder.
    AgentGone(AttemptId),
    /// Everything that is done after its end was done.
    Finished(AttemptId, Box<Finished>),
    /// Its branch stands at this commit, where it starts; or why it cannot be moved there.
    Stacked(TaskId, Result<String, String>),
    /// The machine's load was read.
    Measured(std::io::Result<Load>),
    /// Its worktree was kept as it is, or could not be for this reason, since its time is over.
    Kept(AttemptId, StopRequest, Option<String>),
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There is nothing to do.
    Idle,
    /// Somebody asked for it. What runs goes on under its holders.
    Asked,
    /// The program was replaced on disk.
    Upgraded,
}

/// The engine. Disposable: all that it knows is in the store and the attempts' folders.
pub struct Engine {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) environment: Environment,
    pub(super) here: Here,
    pub(super) journal: Journal,
    pub(super) folders: Folders,
    pub(super) sender: UnboundedSender<Message>,
    /// Holders at their gates.
    pub(super) starting: HashMap<AttemptId, Starting>,
    /// What runs and is followed.
    pub(super) watched: HashMap<AttemptId, Watched>,
    /// What has ended and is being looked at.
    pub(super) finishing: HashSet<AttemptId>,
    /// What runs where this machine cannot see, and has been said to: nothing to act upon.
    pub elsewhere: HashSet<AttemptId>,
    /// How many attempts wait to be started.
    pub(super) waiting: usize,
    /// Tasks that could not be started: how often, and when to try again.
    pub(super) postponed: HashMap<TaskId, (u32, Timestamp)>,
    /// What runs beyond its time and is being kept before its end is asked for.
    pub(super) ending: HashSet<AttemptId>,
    /// Tasks whose branches are being moved to where they start, by lane.
    pub(super) stacking: HashMap<TaskId, Lane>,
    /// What was read of the machine's load.
    pub(super) gauge: Gauge,
    /// When the schedule has to be looked at again by itself.
    pub(super) wake_at: Option<Timestamp>,
    /// What is known of budgets.
    pub(super) meter: Meter,
    receiver: UnboundedReceiver<Message>,
    bell: Receiver,
    asked: (Signal, Signal),
}

/// What woke the loop.
enum Heard {
    Bell,
    Folders(Changed),
    Message(Message),
    Asked,
    Time,
}

impl Engine {
    /// An engine that has looked at nothing yet.
    ///
    /// # Errors
    /// When the store or a kernel interface cannot be opened.
    pub fn new(store: Store, environment: Environment) -> Result<Self, StoreError> {
        let root = store.layout().root().to_path_buf();
        let failed = |error| StoreError::file("run the engine of", &root)(error);
        let (sender, receiver) = unbounded_channel();
        let clock = Clock::default();
        Ok(Self {
            bell: Receiver::from_file_unchecked(bell::listen(&store.layout().bell())?)
                .map_err(failed)?,
            folders: Folders::new().map_err(failed)?,
            asked: (
                signal(SignalKind::terminate()).map_err(failed)?,
                signal(SignalKind::interrupt()).map_err(failed)?,
            ),
            journal: Journal::open(store.layout(), clock),
            here: Here::read(),
            sender,
            receiver,
            store,
            clock,
            environment,
            starting: HashMap::new(),
            watched: HashMap::new(),
            finishing: HashSet::new(),
            elsewhere: HashSet::new(),
            waiting: 0,
            postponed: HashMap::new(),
            ending: HashSet::new(),
            stacking: HashMap::new(),
            gauge: Gauge::default(),
            wake_at: None,
            meter: Meter::default(),
        })
    }

    /// Works until there is nothing to do, somebody asks for its end, or it was replaced.
    pub async fn run(&mut self) -> Ended {
        let mut look_at = Instant::now();
        let mut idle_since: Option<Instant> = None;
        loop {
            if look_at <= Instant::now() {
                look_at = Instant::now() + self.look();
            }
            idle_since = if self.is_idle() { idle_since.or(Some(Instant::now())) } else { None };
            if idle_since.is_some_and(|since| since.elapsed() >= LINGER) {
                return Ended::Idle;
            }
            let own = self.watched.values().filter_map(Watched::due);
            let idle = idle_since.map(|since| since + LINGER);
            let until = own.chain(idle).fold(look_at, Instant::min);
            match self.hear(until).await {
                Heard::Bell if self.may_be_replaced() => return Ended::Upgraded,
                Heard::Bell => look_at = Instant::now(),
                Heard::Message(message) => look_at = Instant::now() + self.handle(message),
                Heard::Folders(changed) => self.note(&changed),
                Heard::Asked => return Ended::Asked,
                Heard::Time => self.follow(),
            }
        }
    }

    /// Looks at the store and acts upon it. Gives after how long to look again.
    fn look(&mut self) -> Duration {
        match self.advance() {
            Ok(()) => {
                let next = self.wake_at.into_iter().chain(self.meter.wake_at).min();
                let left = next.map(|at| at.duration_since(self.clock.now()));
                let left = left.map(|left| left.max(SignedDuration::ZERO).unsigned_abs());
                let load =
                    self.gauge.look_at.map(|at| at.saturating_duration_since(Instant::now()));
                left.into_iter().chain(load).fold(SLOW_LOOK, Duration::min)
            }
            Err(error) => self.refused(&error),
        }
    }

    /// Says what could not be done. Gives after how long to try again: what failed left the store
    /// as it was, so it is found there again.
    fn refused(&mut self, error: &StoreError) -> Duration {
        self.journal.say(error);
        REFUSED
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        self.adopt()?;
        self.meter()?;
        self.obey_stops()?;
        self.schedule()
    }

    /// Has nothing to look after. What runs elsewhere is not looked after.
    fn is_idle(&self) -> bool {
        self.watched.is_empty()
            && self.starting.is_empty()
            && self.finishing.is_empty()
            && self.waiting == 0
    }

    async fn hear(&mut self, until: Instant) -> Heard {
        // While something is to be read in a moment anyway, its further changes are of no interest:
        // an agent that writes a thousand lines a second wakes nobody a thousand times.
        let reading = self.watched.values().any(|watched| watched.read_at.is_some());
        tokio::select! {
            biased;
            _ = self.asked.0.recv() => Heard::Asked,
            _ = self.asked.1.recv() => Heard::Asked,
            message = self.receiver.recv() => message.map_or(Heard::Asked, Heard::Message),
            () = rung(&self.bell) => Heard::Bell,
            () = sleep_until(until) => Heard::Time,
            changed = self.folders.changed(), if !reading => {
                Heard::Folders(changed.unwrap_or(Changed { all: true, attempts: vec![] }))
            }
        }
    }

    /// Gives after how long to look at the store.
    fn handle(&mut self, message: Message) -> Duration {
        let done = match message {
            Message::Reported(attempt, gate, report) => self.reported(&attempt, gate, report),
            Message::HolderGone(attempt) => self.holder_gone(&attempt),
            Message::AgentGone(attempt) => self.agent_gone(&attempt),
            Message::Finished(attempt, finished) => self.finished(&attempt, *finished),
            Message::Stacked(task, moved) => self.stacked(&task, moved),
            Message::Measured(load) => {
                self.measured(load);
                Ok(())
            }
            Message::Kept(attempt, stop, trouble) => self.kept(&attempt, &stop, trouble),
        };
        match done {
            Ok(()) => Duration::ZERO,
            Err(error) => self.refused(&error),
        }
    }

    /// True when the program on disk is another one and nothing is half done here.
    fn may_be_replaced(&self) -> bool {
        self.starting.is_empty() && self.finishing.is_empty() && upgrade::replaced().is_some()
    }
}

/// Waits for a ring, and hears all that there were at once.
async fn rung(bell: &Receiver) {
    while bell.readable().await.is_ok() {
        let (mut rings, mut heard) = ([0; 256], false);
        while bell.try_read(&mut rings).is_ok_and(|read| read > 0) {
            heard = true;
        }
        if heard {
            return;
        }
    }
    // A bell that cannot be heard any more: the slow look has to do.
    std::future::pending().await
}
