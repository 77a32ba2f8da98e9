//! What the scripted model says: a function of the request alone.

use std::sync::atomic::{AtomicU64, Ordering};

use regex::Regex;
use serde_json::{Value, json};

use super::mode::Mode;

/// The final text of a run.
pub const FINAL: &str = "Done: hello.txt written.";
/// What the tool call writes into `hello.txt`.
pub const CONTENT: &str = "hello from the scripted model\n";
/// Every tool call id holds this, by which a result of ours is known.
pub const MARK: &str = "call_wt_";

/// What a request is said to have used. The figures are distinctive, so that a wrong sum is easy
/// to recognise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Input that no cache held.
    pub input: u64,
    /// Output, thinking included except where the protocol counts it apart.
    pub output: u64,
    /// Input read from the cache.
    pub cache_read: u64,
    /// Input written into the cache.
    pub cache_write: u64,
    /// The part of the output that is thinking.
    pub thinking: u64,
}

/// The turn with the tool call.
pub const TURN1: Usage =
    Usage { input: 1201, output: 34, cache_read: 7003, cache_write: 451, thinking: 10 };
/// The turn with the final text.
pub const TURN2: Usage =
    Usage { input: 1307, output: 21, cache_read: 7657, cache_write: 67, thinking: 5 };
/// A call on the side, without tools: a title, a summary.
pub const SIDE: Usage = Usage { input: 11, output: 3, cache_read: 0, cache_write: 0, thinking: 0 };

/// What to answer.
#[derive(Debug)]
pub enum Plan {
    /// A text.
    Text(Usage),
    /// A call of one of the tools that were offered.
    Tool(ToolCall, Usage),
}

/// A tool call.
#[derive(Debug)]
pub struct ToolCall {
    /// One of the offered names.
    pub name: String,
    /// Its arguments.
    pub args: Value,
}

/// One request, as much of it as the answer depends on.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The tools offered.
    pub names: &'a [String],
    /// The conversation as JSON text.
    pub text: &'a str,
    /// Whether the result of a tool call of ours is in it.
    pub answered: bool,
    /// The mode.
    pub mode: Mode,
}

impl Asked<'_> {
    /// Without tools a short text; first a tool call; with its result the final text.
    pub fn plan(self) -> Plan {
        if self.names.is_empty() {
            return Plan::Text(SIDE);
        }
        if self.answered && self.mode != Mode::Endless {
            return Plan::Text(TURN2);
        }
        match self.tool() {
            Some(call) => Plan::Tool(call, TURN1),
            None => Plan::Text(TURN2),
        }
    }

    /// The tool that writes the file: the agent's own for writing if its directory is known, else
    /// its shell.
    fn tool(self) -> Option<ToolCall> {
        let offered = |name: &&str| self.names.iter().any(|offered| offered == name);
        let call = |name: &str, args| Some(ToolCall { name: name.to_owned(), args });
        let shell_only = matches!(self.mode, Mode::SleepTool | Mode::BgTool);
        if let Some(dir) = working_directory(self.text).filter(|_| !shell_only) {
            let path = format!("{dir}/hello.txt");
            match ["Write", "write_file", "write"].into_iter().find(|name| offered(name)) {
                Some("write") => {
                    return call("write", json!({"filePath": path, "content": CONTENT}));
                }
                Some(name) => return call(name, json!({"file_path": path, "content": CONTENT})),
                None => {}
            }
        }
        const SHELLS: &[&str] =
            &["Bash", "bash", "run_shell_command", "exec_command", "shell_command", "shell"];
        let name = *SHELLS.iter().find(|name| offered(name))?;
        let run = shell_command(self.mode);
        let says = "write file";
        call(
            name,
            match name {
                "Bash" => json!({"command": run, "description": says, "timeout": 600_000}),
                "bash" => json!({"command": run, "description": says}),
                "run_shell_command" => {
                    json!({"command": run, "description": says, "is_background": false})
                }
                "exec_command" => json!({"cmd": run}),
                "shell_command" => json!({"command": run}),
                _ => json!({"command": ["bash", "-lc", run]}),
            },
        )
    }
}

/// The command that an agent's shell is asked to run.
pub fn shell_command(mode: Mode) -> String {
    match mode {
        Mode::SleepTool => "echo $$ > tool.pid; exec sleep 317".to_owned(),
        Mode::BgTool => {
            let quiet = ">/dev/null 2>&1 </dev/null";
            format!("nohup tail -f /dev/null {quiet} & echo $! > tool.pid")
        }
        _ => format!("printf '%s' '{CONTENT}' > hello.txt"),
    }
}

/// Where the agent says that it works, in one of the ways that agents say it.
fn working_directory(text: &str) -> Option<String> {
    const SAYINGS: &[&str] = &[
        r#"[Ww]orking directory(?: is)?:?\s*`?(/[^\s`<"\\]+)"#,
        r"<cwd>(/[^<]+)</cwd>",
        r#"current working directory: (/[^\s"\\`]+)"#,
        r#"working in the directory: (/[^\s"\\`]+)"#,
        r#"Workspace Directories:\**\s*(?:\\n)?\s*-\s*(/[^\s"\\`]+)"#,
        r#"directory: `?(/[^\s"\\`]+)"#,
    ];
    SAYINGS.iter().find_map(|saying| {
        let found = Regex::new(saying).unwrap().captures(text)?;
        Some(found[1].trim_end_matches('.').to_owned())
    })
}

/// An id that no other answer of this process has: `prefix` and twelve digits.
pub fn fresh(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{prefix}{:012x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The strings under `key` of every object in a list.
pub fn names_of(list: &Value, key: &str) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item[key].as_str().map(str::to_owned)).collect()
}
