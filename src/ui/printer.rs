//! Where answers go: stdout for people or as JSON, stderr for the story.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

/// The version of every JSON answer. A new field does not change it; a changed or missing one does.
pub const JSON_SCHEMA: u32 = 1;

/// How much is printed, and in what form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For people who asked for less: answers without the story.
    Quiet,
    /// One JSON object.
    Json,
}

/// Prints answers and the story.
pub struct Printer {
    form: Form,
    program: String,
    /// Columns of the terminal that stdout is; `None` when it is none.
    width: Option<usize>,
}

/// An outcome that people can read. The text goes to stdout as it is.
pub trait Render {
    /// Writes what a person sees.
    ///
    /// # Errors
    /// Only those of the writer.
    fn render(&self, out: &mut Page<'_>) -> io::Result<()>;
}

/// A page being written: lines, with what is known of the reader's screen.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    /// Columns to fit into; `None` when the reader is no terminal and nothing is to be cut.
    pub width: Option<usize>,
    program: &'a str,
}

impl<'a> Page<'a> {
    /// A page that is written to `out`; for tests, and for texts that go elsewhere than to stdout.
    pub fn new(out: &'a mut dyn Write, width: Option<usize>, program: &'a str) -> Self {
        Self { out, width, program }
    }

    /// Writes one line. Commands of ours in it are given the name this program was started by.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.out, "{}", named(text.as_ref(), self.program))
    }

    /// Writes text as it is, without a newline and without renaming anything: contents of files.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }
}

impl Printer {
    /// A printer; colour is off for JSON, when told so, by `NO_COLOR`, or when stdout is no
    /// terminal.
    pub fn new(form: Form, program: &str, colour: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        console::set_colors_enabled(colour && terminal && form != Form::Json);
        let colour_story = colour && io::stderr().is_terminal() && form != Form::Json;
        console::set_colors_enabled_stderr(colour_story);
        let width = terminal.then(|| usize::from(console::Term::stdout().size().1));
        Self { form, program: program.to_owned(), width }
    }

    /// In what form it prints.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The name this program was started by: `wt`, `git wt`.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Columns of the terminal that stdout is; `None` when it is none.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Prints an outcome: its text, or `{"schema": 1, "kind": kind, …its fields}`.
    ///
    /// # Errors
    /// Those of stdout; a closed pipe is one.
    pub fn outcome<T: Serialize + Render>(&self, kind: &str, outcome: &T) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        match self.form {
            Form::Json => {
                serde_json::to_writer(&mut out, &envelope(kind, outcome))?;
                writeln!(out)?;
            }
            Form::Text | Form::Quiet => {
                let mut page = Page::new(&mut out, self.width, &self.program);
                outcome.render(&mut page)?;
            }
        }
        out.flush()
    }

    /// Prints an answer as text alone: for verbs whose text has several forms.
    ///
    /// # Errors
    /// Those of stdout; a closed pipe is one.
    pub fn text(&self, outcome: &dyn Render) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        outcome.render(&mut Page::new(&mut out, self.width, &self.program))?;
        out.flush()
    }

    /// Gives stdout to a writer of more than should be kept: contents as they are.
    ///
    /// # Errors
    /// Those of stdout; a closed pipe is one.
    pub fn copy<T>(&self, writer: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> io::Result<T> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let written = writer(&mut out)?;
        out.flush()?;
        Ok(written)
    }

    /// Prints text to stdout now, whatever the form: a stream that is followed.
    ///
    /// # Errors
    /// Those of stdout; a closed pipe is one.
    pub fn stream(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Prints one line of the story to stderr.
    pub fn story(&self, line: &str) {
        if self.form != Form::Quiet {
            self.error_line(line);
        }
    }

    /// Prints one line to stderr, whatever the form.
    pub fn error_line(&self, line: &str) {
        // Nobody is left to be told when stderr is gone.
        writeln!(io::stderr().lock(), "{}", named(line, &self.program)).ok();
    }
}

/// An outcome's JSON: schema and kind first, then its own fields. An outcome that is no object
/// stands under `value`.
pub fn envelope<T: Serialize>(kind: &str, outcome: &T) -> serde_json::Value {
    let mut object = serde_json::Map::new();
    object.insert("schema".into(), JSON_SCHEMA.into());
    object.insert("kind".into(), kind.into());
    match serde_json::to_value(outcome) {
        Ok(serde_json::Value::Object(fields)) => object.extend(fields),
        Ok(value) => {
            object.insert("value".into(), value);
        }
        Err(error) => {
            object.insert("error".into(), error.to_string().into());
        }
    }
    serde_json::Value::Object(object)
}

/// Commands in a text, by the name that was typed: `` `wt list` ``, `→ wt list`, `$(wt path …)`.
pub fn named(text: &str, program: &str) -> String {
    if program == "wt" {
        return text.to_owned();
    }
    ["`", "→ ", "$("].iter().fold(text.to_owned(), |text, before| {
        text.replace(&format!("{before}wt "), &format!("{before}{program} "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_carry_the_name_that_was_typed() {
        assert_eq!(named("see `wt list` → wt stop", "git wt"), "see `git wt list` → git wt stop");
        assert_eq!(named("see `wt list`", "wt"), "see `wt list`");
    }

    #[test]
    fn an_answer_is_versioned() {
        let value = envelope("path", &serde_json::json!({"path": "/x"}));
        assert_eq!(value.to_string(), r#"{"schema":1,"kind":"path","path":"/x"}"#);
    }
}
