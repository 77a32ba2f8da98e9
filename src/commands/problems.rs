//! Failures of lower floors as problems for people: the kind that decides the exit code, and a
//! hint where there is something to do.

use crate::domain::name::NameError;
use crate::domain::problem::{Kind, Problem};
use crate::git::error::GitError;
use crate::store::error::StoreError;

impl From<GitError> for Problem {
    fn from(error: GitError) -> Self {
        let message = error.to_string();
        match error {
            GitError::Start { .. } => {
                Self::failed(message).hint("install git 2.39 or newer, then `wt doctor`")
            }
            GitError::NotARepository(_) => Self::failed(message)
                .hint("go to a repository, or name one: `wt -C DIR …`")
                .hint("start a new one: `git init && git commit --allow-empty -m start`"),
            GitError::Unusable { .. } => {
                Self::failed(message).hint("see what git says: `git status`")
            }
            GitError::NoSuchRevision(_) => {
                Self::failed(message).hint("see the branches there are: `git branch --all`")
            }
            GitError::Failed { stderr, .. } => {
                let more = stderr.lines().skip(1).take(20).map(str::to_owned).collect::<Vec<_>>();
                Self::failed(message).details(more)
            }
            GitError::Slow { .. } => {
                Self::failed(message).hint("see what holds it up: `git status`")
            }
            GitError::Blocked { path } => {
                Self::failed(message).hint(format!("take it away: `rm {}`", quoted(&path)))
            }
            GitError::Unexpected { .. } | GitError::File { .. } | GitError::Lib(_) => {
                Self::failed(message)
            }
        }
    }
}

fn quoted(path: &std::path::Path) -> String {
    let text = path.to_string_lossy();
    shlex::try_quote(&text).map_or_else(|_| "PATH".to_owned(), |quoted| quoted.into_owned())
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::TooNew { .. } => {
                Self::failed(message).hint("install the newer one: `cargo install wt`")
            }
            StoreError::BadState { .. } => Self::new(Kind::Refused, message)
                .hint("use another place: `XDG_STATE_HOME=DIR wt …`"),
            StoreError::Setting { nearest, .. } => {
                let problem = Self::usage(message);
                match nearest {
                    Some(key) => {
                        problem.hint(format!("did you mean `{key}`? All keys: `wt config show`"))
                    }
                    None => problem.hint("all keys and their values: `wt config show`"),
                }
            }
            StoreError::NameTaken(_) => {
                Self::refused(message).hint("take another name, or look at it: `wt list`")
            }
            StoreError::Moved { .. } => {
                Self::failed(message).hint("look at what became of it: `wt status`")
            }
            StoreError::Full => Self::failed(message).hint("make room: `wt gc` empties the trash"),
            StoreError::Damaged { .. } => {
                Self::failed(message).hint("rebuild it from what is beside it: `wt doctor --fix`")
            }
            StoreError::Sql(_) | StoreError::BadRow { .. } => {
                Self::failed(message).hint("look for damage: `wt doctor`")
            }
            StoreError::File { .. } => Self::failed(message),
        }
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        let problem = Self::usage(error.to_string());
        match error.slug {
            Some(slug) => problem.hint(format!("a name that works: `{slug}`")),
            None => problem.hint("a name that works: `try-1`"),
        }
    }
}
