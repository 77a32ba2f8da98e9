//! `wt logs`: what an agent said and did, from its output files.

mod cursor;

use serde::Serialize;

use crate::agents::dialect::Reader;
use crate::commands::context::Context;
use crate::commands::errand::{self, Errand};
use crate::commands::logs::cursor::Cursor;
use crate::commands::status::Line;
use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::event::AgentEvent;
use crate::domain::id::AttemptId;
use crate::domain::problem::Problem;
use crate::engine::start;
use crate::store::changes::Changes;
use crate::store::folder::Folder;
use crate::store::{attempts, tasks};

/// How long at most nothing is looked at: the end of an attempt is told by the store.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The task; without one, that of the variant stood in.
    pub task: Option<String>,
    /// The number of the attempt; without one, the newest.
    pub attempt: Option<u32>,
    /// Go on until the attempt has ended.
    pub follow: bool,
    /// The agent's own output, byte for byte.
    pub raw: bool,
}

/// One part of a transcript, in the order in which it was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "stream", rename_all = "kebab-case")]
pub enum Piece {
    /// A line of the setup commands' output.
    Setup {
        /// Without its newline.
        line: String,
    },
    /// Something that the agent said or did.
    Agent {
        /// What.
        event: AgentEvent,
    },
    /// A line that it wrote to standard error.
    Stderr {
        /// Without its newline.
        line: String,
    },
    /// Bytes of its output as they are.
    #[serde(skip)]
    Raw(Vec<u8>),
}

/// Where the transcript ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The attempt it is of.
    pub of: AttemptId,
    /// True when the attempt has ended, so that there is no more to come.
    pub complete: bool,
    /// How its task stands.
    #[serde(flatten)]
    pub line: Line,
}

/// Takes the parts of a transcript, as they come. False when nobody reads any more.
pub type Sink<'s> = dyn FnMut(Piece) -> Result<bool, Problem> + 's;

/// Reads a transcript into `sink`.
///
/// # Errors
/// When there is no such task or attempt, or its files cannot be read.
pub fn run(ctx: &Context<'_>, request: &Request, sink: &mut Sink<'_>) -> Result<Outcome, Problem> {
    let errand = errand::single(ctx, request.task.as_deref())?;
    let attempt = chosen(ctx, &errand, request.attempt)?;
    let folder = Folder::of(ctx.store.layout(), &attempt.id);
    let mut transcript = Transcript::open(&folder, request.raw)?;
    let mut changes = Changes::listen(ctx.store.layout());
    changes.also(folder.dir());
    let mut told: Option<String> = None;
    loop {
        // Asked before the files are read: what is written before the end is then all read.
        let over = is_over(ctx, &attempt)?;
        let reads_on = transcript.read(over || !request.follow, sink)?;
        if over || !request.follow || !reads_on {
            return outcome(ctx, attempt.id, &errand, over);
        }
        tell_why_it_waits(ctx, &errand, &mut told)?;
        changes.wait(LOOK_AGAIN);
    }
}

fn chosen(ctx: &Context<'_>, errand: &Errand, number: Option<u32>) -> Result<Attempt, Problem> {
    let Some(number) = number else { return Ok(errand.attempt.clone()) };
    let id = AttemptId::of(&errand.task.id, number);
    attempts::by_id(ctx.store.read(), &id)?.ok_or_else(|| {
        let last = errand.attempt.number;
        Problem::failed(format!("`{}` has no attempt {number}; its newest is {last}", errand.name))
            .hint(format!("see them: `wt status {}`", errand.name))
    })
}

fn is_over(ctx: &Context<'_>, attempt: &Attempt) -> Result<bool, Problem> {
    let now = attempts::by_id(ctx.store.read(), &attempt.id)?;
    let over = [AttemptState::Ended, AttemptState::Abandoned];
    Ok(now.is_none_or(|attempt| over.contains(&attempt.state)))
}

/// Somebody sits and waits: an engine has to be there, and what the task waits for is told.
fn tell_why_it_waits(
    ctx: &Context<'_>,
    errand: &Errand,
    told: &mut Option<String>,
) -> Result<(), Problem> {
    let Some(task) = tasks::by_id(ctx.store.read(), &errand.task.id)? else { return Ok(()) };
    start::ensure_running(ctx.store.layout(), ctx.environment)?;
    let waits = !task.state.is_final() && task.started_at.is_none();
    if waits && task.reason.is_some() && task.reason != *told {
        let why = task.reason.clone().unwrap_or_default();
        ctx.observer.tell(&format!("`{}` waits {why}", errand.name));
        *told = task.reason;
    }
    Ok(())
}

fn outcome(
    ctx: &Context<'_>,
    of: AttemptId,
    errand: &Errand,
    complete: bool,
) -> Result<Outcome, Problem> {
    let now = tasks::by_id(ctx.store.read(), &errand.task.id)?;
    let now = now.map(|task| errand::errand(ctx, task)).transpose()?.flatten();
    let errand = now.as_ref().unwrap_or(errand);
    let line = crate::commands::status::line(ctx, errand, ctx.clock.now())?;
    Ok(Outcome { of, complete, line })
}

/// The three files of a transcript, each read as far as it was.
struct Transcript {
    setup: Cursor,
    stdout: Cursor,
    stderr: Cursor,
    reader: Reader,
    raw: bool,
}

impl Transcript {
    fn open(folder: &Folder, raw: bool) -> Result<Self, Problem> {
        let reader = Reader::of(&folder.spec()?);
        Ok(Self {
            setup: Cursor::new(folder.setup_log()),
            stdout: Cursor::new(folder.stdout()),
            stderr: Cursor::new(folder.stderr()),
            reader,
            raw,
        })
    }

    /// Reads what is new; with `to_end` also a last line that has no newline. False when nobody
    /// reads any more.
    fn read(&mut self, to_end: bool, sink: &mut Sink<'_>) -> Result<bool, Problem> {
        if self.raw {
            return self.stdout.bytes(&mut |bytes| sink(Piece::Raw(bytes.to_vec())));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let reads_on =
            self.setup.lines(to_end, &mut |line| sink(Piece::Setup { line: text(line) }))?;
        let reader = &mut self.reader;
        let reads_on = reads_on
            && self.stdout.lines(to_end, &mut |line| {
                for event in reader.line(line) {
                    if !sink(Piece::Agent { event })? {
                        return Ok(false);
                    }
                }
                Ok(true)
            })?;
        Ok(reads_on
            && self.stderr.lines(to_end, &mut |line| sink(Piece::Stderr { line: text(line) }))?)
    }
}
