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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_have_their_length() {
        let ids: std::collections::HashSet<String> = (0..1000).map(|_| letters(6)).collect();
        assert!(ids.len() > 990);
        assert!(letters(30).len() == 30 && letters(0).is_empty());
    }
}
