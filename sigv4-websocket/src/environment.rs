//! The variables of the environment.

use std::env;

/// A variable with its name, unless it is empty. What is not UTF-8 is replaced.
pub(crate) fn variable(name: &'static str) -> Option<(&'static str, String)> {
    let value = env::var_os(name).filter(|value| !value.is_empty())?;
    Some((name, value.to_string_lossy().into_owned()))
}
