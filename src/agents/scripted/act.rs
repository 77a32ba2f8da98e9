//! The steps of a turn, carried out.

use std::os::unix::process::CommandExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::scenario::{Action, Change, Content, List, Scenario, Spent, Step, Turn};
use super::stream::Stream;
use super::{Options, Patience};
use crate::domain::settings::Permissions;

/// How long it waits at a time for a file.
const LOOK_MS: u64 = 20;

/// How a turn ended.
pub(super) enum End {
    /// With its answer.
    Answered(String),
    /// With an error that it tells.
    Failed { status: Option<u16>, message: String },
    /// Because it was interrupted.
    Interrupted,
    /// Without its terminal event, with this exit code.
    Silent(u8),
}

/// What the steps act with.
pub(super) struct Stage<'a, 'o> {
    options: &'a Options,
    usual: Spent,
    stream: &'a mut Stream<'o>,
    patience: &'a mut dyn Patience,
}

type Went = std::io::Result<Option<End>>;

impl<'a, 'o> Stage<'a, 'o> {
    pub(super) fn new(
        options: &'a Options,
        scenario: &Scenario,
        stream: &'a mut Stream<'o>,
        patience: &'a mut dyn Patience,
    ) -> Self {
        Self { options, usual: scenario.usage, stream, patience }
    }

    /// Carries out a turn until something ends it.
    pub(super) fn play(&mut self, turn: &Turn) -> std::io::Result<End> {
        for step in &turn.steps {
            if let Some(end) = self.step(step)? {
                return Ok(end);
            }
            if self.patience.wait(0) {
                return Ok(End::Interrupted);
            }
        }
        let answer = self.filled(&turn.answer);
        let words = json!({ "type": "text", "text": answer });
        self.stream.message(&[words], &self.usual)?;
        Ok(End::Answered(answer))
    }

    fn step(&mut self, step: &Step) -> Went {
        let spent = step.usage.unwrap_or(self.usual);
        match &step.action {
            Action::Say(text) => {
                let words = json!({ "type": "text", "text": self.filled(text) });
                self.stream.message(&[words], &spent)?;
            }
            Action::Write(content) => return self.file("Write", content, &spent),
            Action::Edit(change) => self.edit(change, &spent)?,
            Action::Append(content) => return self.file("Edit", content, &spent),
            Action::Delete(path) => return self.delete(path, &spent),
            Action::Run(command) => return self.run(command, &spent),
            Action::Leave(command) => self.leave(command, &spent)?,
            Action::Tool(tool) => {
                self.uses(&tool.name, &json!({ "command": tool.detail }), &spent)?;
                self.stream.answer(true, &tool.answer)?;
            }
            Action::Todo(list) => {
                self.uses("TodoWrite", &todos(list), &spent)?;
                self.stream.answer(true, "ok")?;
            }
            Action::WaitFor(path) => return Ok(self.wait_for(path)),
            Action::Pause(ms) => return Ok(self.patience.wait(*ms).then_some(End::Interrupted)),
            Action::Deny(tool) => {
                let input = json!({ "command": tool.detail });
                self.uses(&tool.name, &input, &spent)?;
                self.stream.denied(&tool.name, &input)?;
            }
            Action::Retry(status) => self.stream.retry(*status)?,
            Action::Noise(line) => self.stream.noise(line)?,
            Action::Fail(failure) => {
                let (status, message) = (failure.status, failure.message.clone());
                return Ok(Some(End::Failed { status, message }));
            }
            Action::Exit(code) => return Ok(Some(End::Silent(*code))),
            Action::Hang => while !self.patience.wait(60_000) {},
        }
        Ok(matches!(step.action, Action::Hang).then_some(End::Interrupted))
    }

    /// Tells of a tool in use.
    fn uses(&mut self, name: &str, input: &Value, spent: &Spent) -> std::io::Result<()> {
        let block = self.stream.tool(name, input);
        self.stream.message(&[block], spent)
    }

    /// Tells of a tool that changes something; false when it may not.
    fn may_change(&mut self, name: &str, input: &Value, spent: &Spent) -> std::io::Result<bool> {
        self.uses(name, input, spent)?;
        if self.options.permissions == Permissions::Read {
            self.stream.denied(name, input)?;
            return Ok(false);
        }
        Ok(true)
    }

    fn file(&mut self, tool: &str, content: &Content, spent: &Spent) -> Went {
        let text = self.filled(&content.text);
        let input = json!({ "file_path": content.path, "content": text });
        if self.may_change(tool, &input, spent)? {
            let written = self.inside(&content.path).and_then(|path| {
                if let Some(directory) = path.parent() {
                    std::fs::create_dir_all(directory)?;
                }
                if tool == "Write" {
                    return std::fs::write(path, text);
                }
                let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
                std::io::Write::write_all(&mut file, text.as_bytes())
            });
            self.told(written.map(|()| format!("{} written", content.path)))?;
        }
        Ok(None)
    }

    fn edit(&mut self, change: &Change, spent: &Spent) -> std::io::Result<()> {
        let Change { path, old, new } = change;
        let input = json!({ "file_path": path, "old_string": old, "new_string": new });
        if self.may_change("Edit", &input, spent)? {
            let edited = self.inside(path).and_then(|place| {
                let text = std::fs::read_to_string(&place)?;
                if text.matches(old.as_str()).count() != 1 {
                    let why = format!("the text to replace is not in `{path}` exactly once");
                    return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
                }
                std::fs::write(place, text.replace(old.as_str(), new))
            });
            self.told(edited.map(|()| format!("{path} edited")))?;
        }
        Ok(())
    }

    fn delete(&mut self, path: &str, spent: &Spent) -> Went {
        if self.may_change("Bash", &json!({ "command": format!("rm {path}") }), spent)? {
            let deleted = self.inside(path).and_then(std::fs::remove_file);
            self.told(deleted.map(|()| String::new()))?;
        }
        Ok(None)
    }

    fn run(&mut self, command: &str, spent: &Spent) -> Went {
        if self.may_change("Bash", &json!({ "command": command }), spent)? {
            let output = self.shell(command).output();
            let answer = output.map(|output| {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                (output.status.success(), text)
            });
            match answer {
                Ok((ok, text)) => self.stream.answer(ok, &text)?,
                Err(error) => self.stream.answer(false, &error.to_string())?,
            }
        }
        Ok(None)
    }

    fn leave(&mut self, command: &str, spent: &Spent) -> std::io::Result<()> {
        if self.may_change("Bash", &json!({ "command": format!("{command} &") }), spent)? {
            let started = self.shell(command).process_group(0).stdout(Stdio::null()).spawn();
            self.told(started.map(|child| format!("left running as {}", child.id())))?;
        }
        Ok(())
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", command]).current_dir(&self.options.cwd);
        shell.stdin(Stdio::null()).stderr(Stdio::null());
        shell
    }

    fn wait_for(&mut self, path: &str) -> Option<End> {
        let path = self.options.cwd.join(path);
        while !path.exists() {
            if self.patience.wait(LOOK_MS) {
                return Some(End::Interrupted);
            }
        }
        None
    }

    fn told(&mut self, result: std::io::Result<String>) -> std::io::Result<()> {
        match result {
            Ok(text) => self.stream.answer(true, &text),
            Err(error) => self.stream.answer(false, &error.to_string()),
        }
    }

    /// A path beneath where it acts: scenarios are data, and may be anybody's.
    fn inside(&self, path: &str) -> std::io::Result<PathBuf> {
        let normal = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if path.is_empty() || !normal {
            let why = format!("`{path}` leads out of the worktree");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
        }
        Ok(self.options.cwd.join(path))
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{message}", self.options.prompt.trim())
    }
}

fn todos(list: &List) -> Value {
    let items = |texts: &[String], status: &str| -> Vec<Value> {
        texts.iter().map(|text| json!({ "content": text, "status": status })).collect()
    };
    let mut todos = items(&list.done, "completed");
    todos.extend(items(list.now.as_slice(), "in_progress"));
    todos.extend(items(&list.next, "pending"));
    json!({ "todos": todos })
}
