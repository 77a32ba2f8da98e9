//! Whether an agent ended by asking its user something.
//!
//! An answer that ends in a question to the user waits for a person, whatever it changed. A polite
//! offer, a quotation or a rhetorical heading does not: it would hold up finished work for nothing.

/// The question that a final answer ends with, on one line of at most 300 characters; `None` when
/// it asks nothing.
pub fn question(answer: &str) -> Option<String> {
    let ending = Ending::of(answer);
    let sentences = sentences(&ending.paragraph);
    for (index, sentence) in sentences.iter().rev().take(3).enumerate() {
        if is_question(sentence) {
            let apart = index > 0 || ending.followed;
            let asks = !is_offer(sentence) && (!apart || is_addressed(sentence));
            return asks.then(|| shown(sentence));
        }
        if index == 0 && !ending.followed && is_request(sentence) {
            return Some(shown(sentence));
        }
        if !goes_with_a_question(sentence) {
            return None;
        }
    }
    None
}

/// The end of an answer, without the options or the code that a question may be followed by.
struct Ending {
    /// The last paragraph of prose, on one line.
    paragraph: String,
    /// True when a list or a block of code came after it.
    followed: bool,
}

impl Ending {
    fn of(answer: &str) -> Self {
        let mut lines: Vec<&str> = answer.lines().map(str::trim).collect();
        let mut followed = false;
        loop {
            match lines.last() {
                Some(&"") => _ = lines.pop(),
                Some(line) if line.starts_with("```") => {
                    lines.pop();
                    let opening = lines.iter().rposition(|line| line.starts_with("```"));
                    lines.truncate(opening.unwrap_or(0));
                    followed = true;
                }
                Some(line) if is_list_item(line) && !is_question(line) => {
                    lines.pop();
                    followed = true;
                }
                _ => break,
            }
        }
        let start = lines.iter().rposition(|line| line.is_empty() || is_heading(line));
        let paragraph: Vec<&str> = lines.drain(start.map_or(0, |at| at + 1)..).collect();
        // Of a list that ends in a question, only that item asks.
        let own = paragraph.iter().rposition(|line| is_list_item(line)).unwrap_or(0);
        let quoted = paragraph.iter().any(|line| line.starts_with('>'));
        let paragraph = if quoted { String::new() } else { paragraph[own..].join(" ") };
        Self { paragraph, followed }
    }
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#')
}

fn is_list_item(line: &str) -> bool {
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = rest.len() < line.len() && rest.starts_with([')', '.']);
    let lettered = matches!(line.as_bytes(), [b'(', _, b')', ..] | [b'A'..=b'F', b')' | b'.', ..]);
    numbered
        || lettered
        || line.starts_with("- ")
        || line.starts_with("* ")
        || line.starts_with('•')
}

/// Cuts after `.`, `!` or `?` before a space.
fn sentences(paragraph: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let mut letters = paragraph.chars().peekable();
    while let Some(letter) = letters.next() {
        let end = matches!(letter, '.' | '!' | '?' | '？' | '。');
        if let Some(sentence) = sentences.last_mut() {
            sentence.push(letter);
        }
        let wide = matches!(letter, '？' | '。');
        if end && (wide || letters.peek().is_some_and(|next| next.is_whitespace())) {
            sentences.push(String::new());
        }
    }
    sentences.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    sentences
}

/// Ends in a question mark of its own: not in quotes, brackets, code or an address.
fn is_question(sentence: &str) -> bool {
    let trimmed = sentence.trim_end_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, '*' | '_')
            || (!c.is_ascii() && !c.is_alphanumeric() && !is_mark(c))
    });
    let asks = trimmed.ends_with(['?', '？', '؟']);
    let last_word = trimmed.rsplit(char::is_whitespace).next().unwrap_or_default();
    asks && !last_word.contains("://") && !is_heading(sentence.trim())
}

/// Not ASCII, no letter, and yet no decoration that may follow a question.
fn is_mark(c: char) -> bool {
    matches!(c, '？' | '؟' | '”' | '’' | '»' | '）' | '。' | '…')
}

/// It speaks to the user or of what the agent is to do.
fn is_addressed(sentence: &str) -> bool {
    const ADDRESS: [&str; 15] = [
        " you ",
        " your ",
        " you'd ",
        " you’d ",
        "should i ",
        "shall i ",
        "should we ",
        "may i ",
        "can i ",
        "could i ",
        "do i ",
        "want me ",
        "ok to ",
        "okay to ",
        "which ",
    ];
    let padded = format!(" {} ", lower(sentence));
    ADDRESS.iter().any(|word| padded.contains(word))
}

/// A politeness after finished work.
fn is_offer(sentence: &str) -> bool {
    const OFFERS: [&str; 12] = [
        "anything else",
        "something else",
        "any other",
        "any questions",
        "any further",
        "me to also",
        " i also ",
        "as well?",
        "too?",
        "what do you think of it",
        "how does that look",
        "help with next",
    ];
    let lower = lower(sentence);
    OFFERS.iter().any(|offer| lower.contains(offer))
}

/// Asks without a question mark: `Please confirm …`, `Let me know which …`.
fn is_request(sentence: &str) -> bool {
    const OPENINGS: [&str; 16] = [
        "please confirm",
        "please clarify",
        "please choose",
        "please specify",
        "please provide",
        "please tell me",
        "please let me know which",
        "please let me know whether",
        "please let me know how",
        "please advise",
        "let me know which",
        "let me know whether",
        "let me know how",
        "let me know what",
        "tell me which",
        "waiting for your",
    ];
    const WITHIN: [&str; 5] = [
        "i'm waiting for your",
        "i am waiting for your",
        "awaiting your",
        "i need your approval",
        "i need your input",
    ];
    let lower = lower(sentence);
    let lower = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    OPENINGS.iter().any(|opening| lower.starts_with(opening))
        || WITHIN.iter().any(|words| lower.contains(words))
}

/// What is said after a question without taking it back: `I'd lean towards the first.`
fn goes_with_a_question(sentence: &str) -> bool {
    const OPENINGS: [&str; 16] = [
        "let me know",
        "please ",
        "once you",
        "i'd ",
        "i’d ",
        "i would",
        "i recommend",
        "i suggest",
        "i'll ",
        "i’ll ",
        "i lean",
        "my recommendation",
        "my preference",
        "if you ",
        "otherwise",
        "either ",
    ];
    let lower = lower(sentence);
    OPENINGS.iter().any(|opening| lower.starts_with(opening))
}

fn lower(sentence: &str) -> String {
    sentence.trim().trim_start_matches(['*', '_']).to_lowercase()
}

fn shown(sentence: &str) -> String {
    let clean = sentence.trim().trim_matches(['*', '_']);
    let clean = if is_list_item(clean) {
        clean.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '*' | '.' | ')'))
    } else {
        clean
    };
    let words: Vec<&str> = clean.split_whitespace().collect();
    let line: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    if line.chars().count() > 300 {
        return line.chars().take(299).chain(['…']).collect();
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::question;

    const ASKS: &[(&str, &str)] = &[
        ("Tailwind or CSS modules?", "Tailwind or CSS modules?"),
        (
            "I looked around. Should I use Tailwind or CSS modules?",
            "Should I use Tailwind or CSS modules?",
        ),
        ("Done with the header.\n\nWhich palette do you prefer?", "Which palette do you prefer?"),
        ("Which one should I take?\n\n1. Tailwind\n2. CSS modules\n", "Which one should I take?"),
        ("Which should I use?\n- A\n- B\n\n", "Which should I use?"),
        ("**Would you like me to proceed?**", "Would you like me to proceed?"),
        ("Shall I go on? 🙂", "Shall I go on?"),
        ("Should I run this?\n```sh\nrm -rf build\n```", "Should I run this?"),
        ("Do you want A or B? I'd lean towards A.", "Do you want A or B?"),
        (
            "How would you like to proceed? Let me know and I'll continue.",
            "How would you like to proceed?",
        ),
        ("The API key is missing. Please provide it.", "Please provide it."),
        ("There are two ways.\n\nLet me know which you want.", "Let me know which you want."),
        ("I cannot write there. I'm waiting for your approval.", "I'm waiting for your approval."),
        (
            "Two things are open:\n\n1. The name is fine.\n2. Should I drop the old table?",
            "Should I drop the old table?",
        ),
        ("Soll ich die alte Tabelle löschen?", "Soll ich die alte Tabelle löschen?"),
        ("どちらを使いますか？", "どちらを使いますか？"),
        ("Before I start: is v2 the target?", "Before I start: is v2 the target?"),
        (
            "Please confirm that the table may be dropped",
            "Please confirm that the table may be dropped",
        ),
    ];

    const DOES_NOT: &[&str] = &[
        "",
        "   \n",
        "Done: hello.txt written.",
        "All tests pass. Let me know if you'd like any changes.",
        "Implemented the theme. Is there anything else you'd like me to do?",
        "Done! Anything else?",
        "The dialog now says \"Ready to start?\"",
        "The dialog now says “Ready to start?”",
        "I renamed it (why was it called that?)",
        "The regex is `colou?`",
        "See https://example.org/?",
        "## What changed?\n\n- the header\n- the footer",
        "What changed?\n\n- the header\n- the footer",
        "**Why?**\n\nBecause it was slow.",
        "**What changed?**\n- the header",
        "Was it slow? Yes, it took a second. Now it takes a tenth.",
        "I asked myself: which is better? The second was, so I took it.",
        "> Should it be dark?",
        "Should it be dark?\n\nI decided for dark, as the prompt says so.",
        "Would you like me to also add tests?",
        "Fixed. Do you want me to update the docs as well?",
        "```\nif x? then y\n```",
        "Added the `is_ready?` method.",
        "Any questions? Feel free to reach out.",
    ];

    #[test]
    fn a_question_to_the_user_is_found() {
        for (text, expected) in ASKS {
            assert_eq!(question(text).as_deref(), Some(*expected), "{text:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_question_is_none() {
        for text in DOES_NOT {
            assert_eq!(question(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[\\PC\\n`>#?*-]{0,200}") {
            if let Some(question) = question(&text) {
                prop_assert!(!question.contains('\n'));
            }
        }
    }
}
