//! Processes of attempts that have ended: what an agent left running.

use crate::commands::context::Context;
use crate::commands::doctor::Finding;
use crate::commands::doctor::mend::Mend;
use crate::domain::attempt::AttemptState;
use crate::domain::problem::Problem;
use crate::engine::process::marked;
use crate::engine::process::tree::MARK;
use crate::store::attempts;

/// Looks.
///
/// # Errors
/// The store's.
pub fn look(ctx: &Context<'_>) -> Result<Vec<Finding>, Problem> {
    let mut findings = vec![];
    for (value, pids) in marked::values(MARK) {
        let attempt = crate::domain::id::AttemptId::new(value);
        // Those of another state directory are somebody else's.
        let Some(known) = attempts::by_id(ctx.store.read(), &attempt)? else { continue };
        if matches!(known.state, AttemptState::Ended | AttemptState::Abandoned) {
            let shown: Vec<String> = pids.iter().map(u32::to_string).collect();
            let found = format!("has ended, and left processes: {}", shown.join(", "));
            findings.push(
                Finding::wrong(attempt.to_string(), found)
                    .mended_by("end them", Mend::EndProcesses(attempt)),
            );
        }
    }
    if findings.is_empty() {
        findings.push(Finding::fine("processes", "none is left of an agent that has ended"));
    }
    Ok(findings)
}
