//! Exit codes: 0 done, 1 failed, 2 usage, 3 conflicts, 4 a gate or check failed, 5 refused,
//! 6 a wait ran out, 130 interrupted.

use std::process::ExitCode;

use crate::domain::problem::Kind;

/// The exit code of a kind of problem.
pub fn code(kind: Kind) -> ExitCode {
    ExitCode::from(match kind {
        Kind::Failed => 1,
        Kind::Usage => 2,
        Kind::Conflicts => 3,
        Kind::Check => 4,
        Kind::Refused => 5,
        Kind::TimedOut => 6,
        Kind::Interrupted => 130,
    })
}
