// SPDX-License-Identifier: Apache-2.0

//! The AWS profile files (AWS SDKs and Tools Reference Guide, "Shared config and credentials files"): is
//! there such a profile? A misspelt one would otherwise be passed over, and other credentials be used than
//! was asked for.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

/// The profile that was asked for does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no profile {name:?} in {}, which {}", self.places(), self.holding())]
pub struct NoSuchProfile {
    /// Its name, from `--profile` or `AWS_PROFILE`.
    pub name: String,
    /// Where it was looked for.
    pub files: [PathBuf; 2],
    /// The profiles that are there.
    pub known: BTreeSet<String>,
}

/// Looks for the profile in both files; one without a name is the default, which need not exist.
///
/// # Errors
///
/// [`NoSuchProfile`] with the profiles that are there.
pub fn check(name: Option<String>) -> Result<(), NoSuchProfile> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(()) };
    let home = env::home_dir().unwrap_or_default();
    let files = [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")].map(
        |(variable, file)| match env::var_os(variable).map(PathBuf::from) {
            None => home.join(".aws").join(file),
            Some(path) => path.strip_prefix("~").map(|below| home.join(below)).unwrap_or(path),
        },
    );
    let texts = files.clone().map(|file| fs::read_to_string(file).unwrap_or_default());
    let known: BTreeSet<String> = texts.iter().flat_map(|text| text.lines()).filter_map(profile).collect();
    if known.contains(&name) { Ok(()) } else { Err(NoSuchProfile { name, files, known }) }
}

/// The profile that a line begins: `[profile name]`, or `[name]`.
fn profile(line: &str) -> Option<String> {
    let section = line.trim().strip_prefix('[')?.split(']').next()?.trim();
    match section.split_once(char::is_whitespace) {
        None => Some(section.to_owned()),
        Some(("profile", name)) => Some(name.trim().trim_matches('"').to_owned()),
        Some(_) => None,
    }
}

impl NoSuchProfile {
    fn places(&self) -> String {
        self.files.each_ref().map(|file| file.display().to_string()).join(" or ")
    }

    fn holding(&self) -> String {
        let known: Vec<_> = self.known.iter().map(String::as_str).collect();
        if known.is_empty() { "hold none".to_owned() } else { format!("hold: {}", known.join(", ")) }
    }
}
