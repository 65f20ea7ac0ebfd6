// SPDX-License-Identifier: Apache-2.0

//! Variables of the environment, by the rule of most tools that an empty one is none.

use std::env;
use std::ffi::OsString;

/// A variable of the environment that is not empty.
pub fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The first of these variables that is not empty, with its name.
pub fn first_set(names: &[&'static str]) -> Option<(&'static str, OsString)> {
    names.iter().find_map(|name| Some((*name, set(name)?)))
}
