//! Randomness: the one place that makes it.

use std::hash::{BuildHasher, Hasher};

/// Letters that cannot be misread for one another when typed from a screen.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A number that differs at every call. From the seed that the standard library takes from the
/// system for its hash maps: good for names, not for secrets.
pub fn number() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// `length` random letters and digits, for an id: `x7k2m9`.
pub fn letters(length: usize) -> String {
    let mut state = number();
    (0..length)
        .map(|at| {
            if at % 12 == 11 {
                state = number();
            }
            let letter = LETTERS[(state % LETTERS.len() as u64) as usize];
            state /= LETTERS.len() as u64;
            char::from(letter)
        })
        .collect()
}

/// A random UUID (RFC 9562, version 4), for agents that let a session's id be chosen.
pub fn uuid() -> String {
    let (high, low) = (number(), number());
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
    let (d, e) = ((low >> 48) & 0x3fff, low & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{e:012x}", 0x8000 | d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_have_their_length() {
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| letters(6)).collect();
        assert!(ids.len() > 990);
        let uuid = uuid();
        assert!(uuid.len() == 36 && uuid.as_bytes()[14] == b'4', "{uuid}");
        assert!(letters(30).len() == 30 && letters(0).is_empty());
    }
}
