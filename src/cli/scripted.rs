//! `wt __scripted`: the built-in agent's process.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::agents::scripted::{Options, Patience, run};
use crate::store::environment::Environment;
use crate::ui::printer::{Form, Printer};

/// The hidden verb.
pub const VERB: &str = "__scripted";

/// The largest prompt that is read.
const PROMPT_MAX: u64 = 16 << 20;

/// Acts out what the arguments after the verb and the prompt on standard input say.
pub fn main(arguments: &[std::ffi::OsString]) -> ExitCode {
    let printer = Printer::new(Form::Quiet, "wt", false);
    let Some(options) = options(arguments) else {
        printer.error_line("error: __scripted is started by `wt` alone, as its scripted agent");
        return ExitCode::from(2);
    };
    let played = Ears::new().and_then(|mut ears| run(&options, &mut Out(&printer), &mut ears));
    match played {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            printer.error_line(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: &[std::ffi::OsString]) -> Option<Options> {
    let environment = Environment::capture().ok()?;
    let sessions = environment.state_dir()?.join("scripted");
    let mut prompt = String::new();
    std::io::stdin().take(PROMPT_MAX).read_to_string(&mut prompt).ok()?;
    let arguments: Option<Vec<String>> =
        arguments.iter().map(|argument| argument.to_str().map(str::to_owned)).collect();
    Options::parse(&arguments?, prompt, environment.cwd.clone(), sessions)
}

/// Its output, line by line as it comes.
struct Out<'a>(&'a Printer);

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.stream(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hears interrupts while it waits.
struct Ears(UnixStream);

impl Ears {
    fn new() -> std::io::Result<Self> {
        let (heard, told) = UnixStream::pair()?;
        signal_hook::low_level::pipe::register(Signal::INT.as_raw(), told)?;
        Ok(Self(heard))
    }
}

impl Patience for Ears {
    fn wait(&mut self, ms: u64) -> bool {
        let timeout = std::time::Duration::from_millis(ms);
        let timeout = Timespec::try_from(timeout).ok();
        // Any end of the waiting but an interrupt is its end: nothing here needs exact times.
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], timeout.as_ref()).is_ok_and(|n| n > 0)
    }
}
