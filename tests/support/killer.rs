//! A git that kills the `wt` which started it.

use std::path::PathBuf;

use crate::support::env::{TestEnv, program_on_path};

/// A git that kills the `wt` which started it, at one of its calls.
pub struct Killer {
    dir: PathBuf,
}

/// At which moment of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// It is not made.
    Before,
    /// It is made.
    After,
    /// Of the call that moves the branch: when it is told to.
    Commit,
}

impl Killer {
    /// Stands in for git from now on. The branch is moved by the call that logs what begins with
    /// `moves`.
    pub fn on(env: &TestEnv, moves: &str) -> Self {
        let dir = env.dir().join("killer");
        std::fs::create_dir(&dir).unwrap();
        let (git, files) = (program_on_path("git").unwrap(), dir.display());
        let script = format!(
            "#!/bin/sh
            git='{}'
            read count < '{files}/count'; read at when < '{files}/at'
            count=$((count + 1)); echo $count > '{files}/count'
            case \"$*\" in *'update-ref -m {moves}'*) moves=yes ;; esac
            if [ \"$when\" = Commit ] && [ -n \"$moves\" ]; then
                while read -r line; do
                    [ \"$line\" = commit ] && kill -9 $PPID && exit 1
                    echo \"$line\"
                done | \"$git\" \"$@\"
                exit
            fi
            [ $count = \"$at\" ] && [ $when = Before ] && kill -9 $PPID && exit 1
            [ $count = \"$at\" ] || exec \"$git\" \"$@\"
            \"$git\" \"$@\"
            kill -9 $PPID
            ",
            git.display()
        );
        env.program("git", &script);
        let killer = Self { dir };
        killer.arm(0, When::After);
        killer
    }

    /// Kills at the call of this number, counted from 1; 0 never.
    pub fn arm(&self, at: usize, when: When) {
        std::fs::write(self.dir.join("count"), "0\n").unwrap();
        std::fs::write(self.dir.join("at"), format!("{at} {when:?}\n")).unwrap();
    }

    /// How many calls there were since it was armed.
    pub fn calls(&self) -> usize {
        std::fs::read_to_string(self.dir.join("count")).unwrap().trim().parse().unwrap()
    }
}
