//! How `wt send` and `wt retry` look.

use std::io;

use crate::commands::again::Queued;
use crate::commands::retry::Outcome;
use crate::commands::send::Sent;
use crate::domain::attempt::AttemptKind;
use crate::ui::printer::{Page, Render};
use crate::ui::theme;

impl Render for Queued {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let how = match self.why {
            AttemptKind::FollowUp => "goes on in its session",
            _ => "starts afresh",
        };
        let name = theme::strong().apply_to(&self.name);
        out.line(format!("{name}  {how} · attempt {} · {}", self.number, self.agent))?;
        out.line(format!("{}  wt logs -f {}", theme::dim().apply_to("follow"), self.name))
    }
}

impl Render for Sent {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        match self {
            Self::Now(queued) => queued.render(out),
            Self::Later(later) => {
                let name = theme::strong().apply_to(&later.name);
                let waiting = match later.waiting {
                    1 => String::new(),
                    more => format!(" · {more} messages wait"),
                };
                out.line(format!("{name}  is told once its present attempt has ended{waiting}"))
            }
        }
    }
}

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        self.tasks.iter().try_for_each(|queued| queued.render(out))
    }
}
