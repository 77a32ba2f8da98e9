//! Colours, by meaning. Each is a no-op where colour is off.

use console::Style;

/// What went well.
pub fn good() -> Style {
    Style::new().green()
}

/// What failed or conflicts.
pub fn bad() -> Style {
    Style::new().red()
}

/// What wants a look: asks, warnings, limits.
pub fn attention() -> Style {
    Style::new().yellow()
}

/// What is under way.
pub fn busy() -> Style {
    Style::new().cyan()
}

/// What matters less: other worktrees, ages, labels.
pub fn dim() -> Style {
    Style::new().dim()
}

/// Names and headings.
pub fn strong() -> Style {
    Style::new().bold()
}
