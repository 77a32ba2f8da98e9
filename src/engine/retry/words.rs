//! What an agent is told when it is tried again.

use crate::domain::task::FailureClass;
use crate::engine::retry::Words;

/// What is known when the words are chosen.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What the person asked for.
    pub asked: &'a str,
    /// What kind of failure it was.
    pub class: FailureClass,
    /// Why the newest attempt failed, in one line.
    pub why: &'a str,
    /// The last lines of the verify command; empty where there are none.
    pub last_lines: &'a str,
    /// Number and reason of each attempt that failed, oldest first.
    pub failed: &'a [(u32, String)],
}

/// The words themselves.
pub fn text(words: Words, known: &Known<'_>) -> String {
    let asked = known.asked.trim();
    match words {
        Words::Same => asked.to_owned(),
        Words::SameAndHistory => format!("{asked}\n\n{}", history(known.failed)),
        Words::Missing => missing(known),
        Words::SameAndMissing => format!("{asked}\n\n{}", missing(known)),
    }
}

fn history(failed: &[(u32, String)]) -> String {
    let mut text = String::from(
        "This was tried before, and ended early. What was done until then is in the worktree: look \
         at it first, and go on from there. What failed:\n",
    );
    for (number, why) in failed {
        let why = if why.is_empty() { "no reason is known" } else { why };
        text.push_str(&format!("\n- attempt {number}: {why}"));
    }
    text
}

fn missing(known: &Known<'_>) -> String {
    let why = known.why;
    match known.class {
        FailureClass::VerifyFailed => {
            let lines = known.last_lines.trim();
            let said = if lines.is_empty() {
                "It said nothing.".to_owned()
            } else {
                format!("Its last lines:\n\n{lines}")
            };
            format!(
                "The work is not done yet. A command has to pass in the worktree, and it does not: \
                 {why}. {said}\n\nFind the cause, put it right, run the command yourself, and end \
                 with a short summary."
            )
        }
        FailureClass::MissingContext => format!(
            "The work stopped here: {why}. Nobody can answer just now. Look once more whether the \
             repository itself answers it, and choose what fits best where a choice is safe; then \
             finish the task. Only when that cannot be done: end your last message with the one \
             question that a person has to answer."
        ),
        _ => format!(
            "The work is not done yet: {why}. Provide what is missing, and end with a short summary."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(class: FailureClass) -> Known<'static> {
        Known { asked: " Do it.\n", class, why: "it broke", last_lines: "", failed: &[] }
    }

    #[test]
    fn the_second_retry_is_told_what_failed_before() {
        let failed = [(1, "529 overloaded".to_owned()), (2, String::new())];
        let known = Known { failed: &failed, ..known(FailureClass::Transient) };
        assert_eq!(text(Words::Same, &known), "Do it.");
        let told = text(Words::SameAndHistory, &known);
        assert!(told.starts_with("Do it.\n\nThis was tried before"), "{told}");
        assert!(told.ends_with("- attempt 1: 529 overloaded\n- attempt 2: no reason is known"));
    }

    #[test]
    fn a_correction_says_what_is_missing() {
        let verify = Known { last_lines: "1 failed\n", ..known(FailureClass::VerifyFailed) };
        let told = text(Words::Missing, &verify);
        assert!(told.contains("it broke. Its last lines:\n\n1 failed\n\nFind"), "{told}");
        let told = text(Words::SameAndMissing, &known(FailureClass::DeliverableMissing));
        assert!(told.starts_with("Do it.\n\nThe work is not done yet: it broke."), "{told}");
        let told = text(Words::Missing, &known(FailureClass::MissingContext));
        assert!(told.contains("Nobody can answer just now"), "{told}");
    }
}
