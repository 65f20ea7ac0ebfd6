//! Which key signs, for different files and environments. In every row there is also an instance role.
//! Another key must never be used instead of the one that was asked for.

mod rows;

use std::ffi::OsString;

use crate::credentials::setup::{gateway_knowing, permanent, signers};
use crate::credentials::source::at_metadata;
use crate::gateway::Key;
use crate::program::Outcome;
use crate::stand_ins::metadata;

const CONFIG: &str = ".aws/config";
const CREDENTIALS: &str = ".aws/credentials";
const ROLE: &str = "role_arn = arn:aws:iam::111122223333:role/Things";

/// A row, whose texts may hold `{wanted}` and `{other}`, the settings of two keys. Variables may be `{id}` or
/// `{secret}`, those of the wanted key, or hold `{home}`.
struct Row {
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    environment: Vec<(&'static str, OsString)>,
    args: Vec<&'static str>,
    wants: Wants,
    warns: Option<&'static str>,
}

enum Wants {
    /// The key that the row is about.
    Wanted,
    /// The instance role, since nothing else is set up.
    Instance,
    /// No key: exit code 3 and these words.
    None(Vec<&'static str>),
}

/// A row that fails; the error contains these words.
fn none<const N: usize>(name: &'static str, says: [&'static str; N]) -> Row {
    row(name).none(says)
}

fn row(name: &'static str) -> Row {
    let (files, environment, args) = (Vec::new(), Vec::new(), Vec::new());
    Row { name, files, environment, args, wants: Wants::Wanted, warns: None }
}

impl Row {
    fn file(mut self, path: &'static str, text: impl AsRef<[u8]>) -> Self {
        self.files.push((path, text.as_ref().to_vec()));
        self
    }

    fn config(self, text: &str) -> Self {
        self.file(CONFIG, text)
    }

    fn credentials(self, text: &str) -> Self {
        self.file(CREDENTIALS, text)
    }

    fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// `AWS_PROFILE`
    fn named(self, profile: &str) -> Self {
        self.variable("AWS_PROFILE", profile)
    }

    /// `--profile`
    fn only(mut self, profile: &'static str) -> Self {
        self.args = vec!["--profile", profile];
        self
    }

    fn instance(self) -> Self {
        Self { wants: Wants::Instance, ..self }
    }

    fn none<const N: usize>(self, says: [&'static str; N]) -> Self {
        Self { wants: Wants::None(says.to_vec()), ..self }
    }

    fn warns(self, text: &'static str) -> Self {
        Self { warns: Some(text), ..self }
    }
}

fn settings(key: &Key) -> String {
    format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key.access_key, key.secret)
}

async fn check(row: Row) -> Result<(), String> {
    let (wanted, other, instance) =
        (permanent("WANTED"), permanent("OTHER"), crate::credentials::setup::temporary("INSTANCE"));
    let gateway = gateway_knowing([wanted.clone(), other.clone(), instance.clone()]).await;
    let filled = |text: &[u8]| {
        // Text that is not UTF-8 has no placeholders for keys.
        let Ok(text) = std::str::from_utf8(text) else { return text.to_vec() };
        text.replace("{wanted}", &settings(&wanted)).replace("{other}", &settings(&other)).into_bytes()
    };
    let mut program = crate::credentials::setup::program(&gateway).args(row.args.iter().copied());
    for (path, text) in &row.files {
        program = program.file(path, &filled(text));
    }
    for (name, value) in &row.environment {
        program = match value.to_str() {
            Some("{id}") => program.env(name, &wanted.access_key),
            Some("{secret}") => program.env(name, &wanted.secret),
            Some(text) if text.contains("{home}") => {
                let home = program.home("").display().to_string();
                program.env(name, text.replace("{home}/", &home))
            }
            _ => program.env(name, value),
        };
    }
    let (program, _service) = at_metadata(program, metadata::granting(&instance).await);
    let outcome = program.run().await;
    let signers: Vec<String> = signers(&gateway).into_iter().map(|(access_key, _)| access_key).collect();
    let complaint = complaint(&row, &outcome, &signers, [&wanted, &instance]);
    complaint.map_or(Ok(()), |complaint| Err(format!("{}: {complaint}\n{signers:?}\n{outcome:#?}", row.name)))
}

fn complaint(
    row: &Row,
    outcome: &Outcome,
    signers: &[String],
    [wanted, instance]: [&Key; 2],
) -> Option<String> {
    let signer = match &row.wants {
        Wants::Wanted => Some(&wanted.access_key),
        Wants::Instance => Some(&instance.access_key),
        Wants::None(_) => None,
    };
    if signers.iter().collect::<Vec<_>>() != signer.into_iter().collect::<Vec<_>>() {
        return Some(format!("{signer:?} was to sign"));
    }
    if outcome.code != if signer.is_some() { 0 } else { 3 } {
        return Some("the exit code is wrong".to_owned());
    }
    let warnings: Vec<&str> = outcome.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    let as_told = match row.warns {
        Some(text) => warnings.len() == 1 && warnings[0].contains(text),
        None => warnings.is_empty(),
    };
    if !as_told {
        return Some(format!("the warnings are not {:?}", row.warns));
    }
    if outcome.stderr.contains(&wanted.secret) || outcome.elapsed.as_secs() > 4 {
        return Some("a secret, or too slow".to_owned());
    }
    let Wants::None(says) = &row.wants else { return None };
    says.iter().find(|text| !outcome.stderr.contains(**text)).map(|text| format!("does not say {text:?}"))
}

async fn check_all(rows: Vec<Row>) {
    let mut failures = Vec::new();
    for row in rows {
        failures.extend(check(row).await.err());
    }
    assert!(failures.is_empty(), "{} rows:\n\n{}", failures.len(), failures.join("\n\n"));
}
