//! The settings that hold for the engine: the user's. It works for all repositories, so no single
//! repository's settings can hold for it, nor the variables of whichever shell started it.

use crate::domain::settings::LimitSettings;
use crate::store::config;
use crate::store::environment::Environment;
use crate::store::error::StoreError;

/// How much may run at once.
///
/// # Errors
/// When the user's settings cannot be read.
pub fn limits(environment: &Environment) -> Result<LimitSettings, StoreError> {
    Ok(config::of_user(environment)?.limits)
}
