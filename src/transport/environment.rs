// SPDX-License-Identifier: Apache-2.0

//! Environment variables of which an empty one counts as not set, as in most tools.

use std::env;
use std::ffi::OsString;

/// The value of this variable, unless it is empty.
pub fn non_empty(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The first of these variables that is not empty, with its name.
pub fn first_non_empty(names: &[&'static str]) -> Option<(&'static str, OsString)> {
    names.iter().find_map(|name| Some((*name, non_empty(name)?)))
}
