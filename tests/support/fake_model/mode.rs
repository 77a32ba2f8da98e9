//! How the scripted model behaves.

use std::fmt;
use std::str::FromStr;

/// What a request is answered with. A request whose API key is `mode-X` gets mode `X`, whatever
/// the server's own is, so that one server can serve tests that run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// One tool call, then a final text.
    #[default]
    Ok,
    /// The stream stops after its first event, the connection stays open.
    Stall,
    /// Not even headers come.
    StallHeaders,
    /// The connection is closed after the stream's first event.
    Cut,
    /// A line that is no JSON comes after the stream's first event.
    Garbage,
    /// The tool call runs for minutes; its pid is in `tool.pid`.
    SleepTool,
    /// The tool call leaves a process behind; its pid is in `tool.pid`.
    BgTool,
    /// One tool call after the other, without end.
    Endless,
    /// An HTTP error.
    Status(u16),
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "ok",
            Self::Stall => "stall",
            Self::StallHeaders => "stall-headers",
            Self::Cut => "cut",
            Self::Garbage => "garbage",
            Self::SleepTool => "sleep-tool",
            Self::BgTool => "bg-tool",
            Self::Endless => "endless",
            Self::Status(status) => return write!(f, "{status}"),
        })
    }
}

impl FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const NAMED: &[Mode] = &[
            Mode::Ok,
            Mode::Stall,
            Mode::StallHeaders,
            Mode::Cut,
            Mode::Garbage,
            Mode::SleepTool,
            Mode::BgTool,
            Mode::Endless,
        ];
        let named = NAMED.iter().copied().find(|mode| mode.to_string() == text);
        let status = || text.parse().ok().filter(|s| (400..600).contains(s)).map(Mode::Status);
        named.or_else(status).ok_or_else(|| format!("`{text}` is no mode of the scripted model"))
    }
}
