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
