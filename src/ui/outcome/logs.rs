//! How a transcript looks.

use crate::commands::logs::Piece;
use crate::domain::event::AgentEvent;
use crate::ui::human;
use crate::ui::theme;

/// How wide details are cut: a tool's input may be a whole file on one line.
const DETAIL: usize = 200;

/// One part of a transcript as lines for people; bytes that are asked for as they are stay so.
pub fn text(piece: &Piece) -> Vec<u8> {
    let lines = match piece {
        Piece::Raw(bytes) => return bytes.clone(),
        Piece::Setup { line } => {
            vec![format!("{} {}", theme::dim().apply_to("setup │"), clean(line))]
        }
        Piece::Stderr { line } => {
            vec![format!("{} {}", theme::dim().apply_to("stderr │"), clean(line))]
        }
        Piece::Agent { event } => agent(event),
    };
    lines.into_iter().flat_map(|line| (line + "\n").into_bytes()).collect()
}

fn agent(event: &AgentEvent) -> Vec<String> {
    let dim = |text: String| theme::dim().apply_to(text).to_string();
    let detail = |text: &str| human::line(text, DETAIL);
    vec![match event {
        AgentEvent::Session { id, model } => {
            let model = model.as_ref().map(|model| format!(" · {}", detail(model)));
            dim(format!("session {}{}", detail(id), model.unwrap_or_default()))
        }
        AgentEvent::Text { text } => return text.lines().map(clean).collect(),
        AgentEvent::Tool { name, detail: what } => {
            format!("{} {}", theme::busy().apply_to(format!("▸ {}", detail(name))), detail(what))
        }
        AgentEvent::ToolResult { ok: true, summary } => dim(format!("  ✓ {}", detail(summary))),
        AgentEvent::ToolResult { ok: false, summary } => {
            format!("  {} {}", theme::bad().apply_to("✗"), detail(summary))
        }
        AgentEvent::Denied { tool, detail: what } => {
            let text = format!("! denied {}: {}", detail(tool), detail(what));
            theme::attention().apply_to(text).to_string()
        }
        AgentEvent::Retrying { why } => {
            theme::attention().apply_to(format!("! tries again: {}", detail(why))).to_string()
        }
        AgentEvent::Todo { done, total, current } => {
            let current = current.as_deref().map(detail).unwrap_or_default();
            dim(format!("· step {done}/{total} {current}").trim_end().to_owned())
        }
        AgentEvent::Error { message } => {
            return message
                .lines()
                .map(|line| format!("{} {}", theme::bad().apply_to("✗"), clean(line)))
                .collect();
        }
        AgentEvent::Plain { line } => clean(line),
        AgentEvent::Finished { ok: true } => dim("✓ finished".into()),
        AgentEvent::Finished { ok: false } => {
            theme::bad().apply_to("✗ finished with an error").to_string()
        }
    }]
}

/// A line that cannot move the cursor or change the terminal: what an agent writes is not ours.
fn clean(line: &str) -> String {
    let plain = console::strip_ansi_codes(line);
    plain.chars().filter(|c| *c == '\t' || !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_writes_cannot_take_over_the_terminal() {
        let line = "\x1b]0;title\x07\x1b[2Jred \x1b[31mtext\x1b[0m\rover\ttab".to_owned();
        let shown = String::from_utf8(text(&Piece::Agent { event: AgentEvent::Plain { line } }));
        assert_eq!(shown.unwrap(), "red textover\ttab\n");
        let raw = Piece::Raw(b"\x1b[2J".to_vec());
        assert_eq!(text(&raw), b"\x1b[2J");
    }
}
