//! How `wt adopt` looks.

use std::io;

use crate::commands::adopt::Outcome;
use crate::ui::outcome::variant::{from, furnished, labelled, shown};
use crate::ui::printer::{Page, Render};

impl Render for Outcome {
    fn render(&self, out: &mut Page<'_>) -> io::Result<()> {
        let place = format!("{}  {}", shown(&self.path, &self.stood), self.branch);
        labelled(out, "variant", &format!("{place} from {}", from(&self.base)))?;
        furnished(out, &self.furnished, &[])?;
        let kept = match self.made_worktree {
            true => "the branch stays yours: cleanup does not delete it",
            false => "branch and worktree stay yours: cleanup only forgets them",
        };
        labelled(out, "adopted", kept)?;
        labelled(out, "enter", &format!("cd \"$(wt path {})\"", self.name))
    }
}
