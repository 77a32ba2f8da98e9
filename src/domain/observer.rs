//! Progress, on its way up: lower floors tell, `ui` shows.

/// Hears what goes on while a command works. Implemented in `ui`; [`Silent`] for tests.
pub trait Observer: Send + Sync {
    /// One line of the story, for stderr.
    fn tell(&self, line: &str);

    /// One thing that is not as it should be, but stops nothing.
    fn warn(&self, line: &str);

    /// Long work begins: `what` names it, `total` is in `unit`s when known.
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Progress>;
}

/// Long work under way; dropping it ends its display.
pub trait Progress: Send {
    /// So much is done, of the total given at the start.
    fn at(&mut self, done: u64);
    /// The present item, to be shown beside the bar.
    fn item(&mut self, name: &str);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn tell(&self, _: &str) {}
    fn warn(&self, _: &str) {}
    fn begin(&self, _: &str, _: Option<u64>) -> Box<dyn Progress> {
        Box::new(Self)
    }
}

impl Progress for Silent {
    fn at(&mut self, _: u64) {}
    fn item(&mut self, _: &str) {}
}

/// The person at the terminal, if there is one. Implemented in `ui`; [`Nobody`] for tests and for
/// processes without a terminal.
pub trait Person: Send + Sync {
    /// Shows `plan` and asks for a yes; `None` when nobody is there to answer.
    fn confirm(&self, plan: &str, question: &str) -> Option<bool>;

    /// Asks for a text; `None` when nobody is there, or nothing was given.
    fn text(&self, question: &str) -> Option<String>;

    /// Opens the editor on `initial`; `None` when nobody is there, or nothing was saved.
    fn edit(&self, initial: &str) -> Option<String>;
}

/// Nobody to ask: what would need a yes is refused with a hint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Person for Nobody {
    fn confirm(&self, _: &str, _: &str) -> Option<bool> {
        None
    }
    fn text(&self, _: &str) -> Option<String> {
        None
    }
    fn edit(&self, _: &str) -> Option<String> {
        None
    }
}
