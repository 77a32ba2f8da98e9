//! Settings of the user's own git configuration, never of a repository: that one is shared with
//! the variants' agents.

use std::path::Path;

use crate::git::command::Git;

/// A setting of the user's or the system's configuration; `None` when it is not set there.
///
/// What is asked here may name a program to run (`core.pager`).
pub fn user_setting(name: &str) -> Option<String> {
    let asked = ["config", "--show-scope", "-z", "--get-all", name];
    let answer = Git::discovering(Path::new("/")).args(asked).answer().ok()?;
    last_of_user(&answer.stdout)
}

/// Scopes and values, each ended by a null; later ones win.
fn last_of_user(output: &[u8]) -> Option<String> {
    let fields: Vec<&[u8]> = output.split(|byte| *byte == 0).collect();
    let mut users = fields.chunks_exact(2).filter(|pair| matches!(pair[0], b"global" | b"system"));
    users.next_back().map(|pair| String::from_utf8_lossy(pair[1]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_and_the_systems_settings_count() {
        let said = b"system\0less\0global\0delta --dark\0local\0touch owned\0worktree\0x\0";
        assert_eq!(last_of_user(said).as_deref(), Some("delta --dark"));
        assert_eq!(last_of_user(b"local\0touch owned\0"), None);
        assert_eq!(last_of_user(b""), None);
    }
}
