//! What kind of failure a message or an HTTP status stands for.

use crate::domain::launch::FailurePattern;
use crate::domain::task::FailureClass;

/// The class of an error: the first of the template's patterns that fits, else what the status
/// means by itself, else what the words mean for every agent, else permanent: an error that nobody
/// knows is not worth a second attempt without a person having read it.
pub fn classify(patterns: &[FailurePattern], message: &str, status: Option<u16>) -> FailureClass {
    known(patterns, message, status).unwrap_or(FailureClass::Permanent)
}

/// As [`classify`], but `None` when neither patterns nor status nor words tell anything.
pub fn known(
    patterns: &[FailurePattern],
    message: &str,
    status: Option<u16>,
) -> Option<FailureClass> {
    let lower = message.to_lowercase();
    let fits = |pattern: &&FailurePattern| {
        status.is_some_and(|status| pattern.status.contains(&status))
            || pattern.contains.iter().any(|part| lower.contains(&part.to_lowercase()))
    };
    patterns
        .iter()
        .find(fits)
        .map(|pattern| pattern.class)
        .or_else(|| status.and_then(of_status))
        .or_else(|| of_words(&lower))
}

/// What an HTTP status means by itself (RFC 9110; 529 is Anthropic's "overloaded"). An agent tells
/// a 429 only after its own retries are used up, so it is a limit and not a hiccup.
fn of_status(status: u16) -> Option<FailureClass> {
    match status {
        401 | 403 => Some(FailureClass::Auth),
        402 | 429 => Some(FailureClass::Limit),
        408 | 425 | 500..=599 => Some(FailureClass::Transient),
        400..=499 => Some(FailureClass::Permanent),
        _ => None,
    }
}

/// Words that mean the same whoever says them; the message in lower case.
fn of_words(lower: &str) -> Option<FailureClass> {
    const WORDS: [(&str, FailureClass); 18] = [
        ("invalid api key", FailureClass::Auth),
        ("not logged in", FailureClass::Auth),
        ("usage limit", FailureClass::Limit),
        ("rate limit", FailureClass::Limit),
        ("quota", FailureClass::Limit),
        ("connection refused", FailureClass::Transient),
        ("connection reset", FailureClass::Transient),
        ("connection dropped", FailureClass::Transient),
        ("econnreset", FailureClass::Transient),
        ("econnrefused", FailureClass::Transient),
        ("etimedout", FailureClass::Transient),
        ("socket hang up", FailureClass::Transient),
        ("stream disconnected", FailureClass::Transient),
        ("network error", FailureClass::Transient),
        ("timed out", FailureClass::Transient),
        ("unknown option", FailureClass::Permanent),
        ("unexpected argument", FailureClass::Permanent),
        ("unknown argument", FailureClass::Permanent),
    ];
    WORDS.iter().find(|(word, _)| lower.contains(word)).map(|&(_, class)| class)
}

/// The HTTP status of an error that a message mentions: `API Error: 401 …`, `unexpected status 529
/// …`, `"code":429`, `(429)`. `None` without one of these forms.
pub fn status_in(message: &str) -> Option<u16> {
    const MARKS: [&str; 8] = [
        "status code ",
        "status code: ",
        "status: ",
        "status ",
        "api error: ",
        "\"code\":",
        "http ",
        "(",
    ];
    let lower = message.to_lowercase();
    MARKS.iter().find_map(|mark| {
        lower.match_indices(mark).find_map(|(at, _)| status_at(&lower[at + mark.len()..]))
    })
}

/// Three digits of an error status at the very start of `text`, not followed by a fourth.
fn status_at(text: &str) -> Option<u16> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let status = (digits == 3).then(|| text[..3].parse().ok()).flatten()?;
    (400..=599).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_found_in_the_words_of_each_agent() {
        for (text, status) in [
            ("API Error: 401 invalid key", Some(401)),
            ("unexpected status 529 <unknown status code>: Overloaded", Some(529)),
            ("exceeded retry limit, last status: 429 Too Many Requests", Some(429)),
            (r#"[API Error: {"error":{"code":401,"message":"no"}}]"#, Some(401)),
            ("API Error: Request rejected (429) · Rate limited", Some(429)),
            ("wrote 404 lines (4040 bytes)", None),
            ("status 200 OK", None),
            ("", None),
        ] {
            assert_eq!(status_in(text), status, "{text}");
        }
    }

    #[test]
    fn a_connection_that_broke_is_worth_another_attempt() {
        for message in [
            "API Error: Connection dropped (ECONNRESET). Check the gateway set in \
             ANTHROPIC_BASE_URL, then try again.",
            "API Error: Unable to connect to API (ECONNREFUSED)",
            "connect ETIMEDOUT 203.0.113.7:443",
            "request failed: socket hang up",
            "error sending request: connection reset by peer",
        ] {
            assert_eq!(classify(&[], message, None), FailureClass::Transient, "{message}");
        }
    }

    #[test]
    fn a_template_knows_better_than_the_status() {
        let patterns = [FailurePattern {
            class: FailureClass::Auth,
            contains: vec!["Credit Balance".into()],
            status: vec![],
        }];
        let message = "Your credit balance is too low";
        assert_eq!(classify(&patterns, message, Some(400)), FailureClass::Auth);
        assert_eq!(classify(&patterns, "bad request", Some(400)), FailureClass::Permanent);
        assert_eq!(classify(&[], "overloaded", Some(529)), FailureClass::Transient);
        assert_eq!(classify(&[], "nobody knows", None), FailureClass::Permanent);
        assert_eq!(known(&[], "nobody knows", None), None);
    }
}
