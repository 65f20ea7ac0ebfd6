//! Runs the program as a row says, and compares: exit code, texts, warnings, connections, time. Also checks
//! what holds for every row: no panic, no Debug dump, no secret, and little memory.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::failures::row::Row;
use crate::failures::run::{Run, run};
use crate::gateway::{Event, SECRET, SESSION_TOKEN, TEMPORARY_SECRET};
use crate::program::Outcome;

/// A run of the debug build takes 20 MiB, whatever the server does.
const MEMORY_LIMIT_KIB: u64 = 32 * 1024;

/// What only a `{:?}` or a panic writes.
const DUMPS: [&str; 10] =
    ["panicked", "RUST_BACKTRACE", "Some(", "Ok(", "Err(", "Error(", "Error {", "Os {", "kind: ", " { "];

pub async fn check(row: Row) -> Result<(), String> {
    let run = run(&row).await;
    let complaints = complaints(&row, &run);
    match complaints.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "{}:\n  - {}\n{:#?}\nconnections: {:?}",
            row.name,
            complaints.join("\n  - "),
            run.outcome,
            run.connections
        )),
    }
}

fn complaints(row: &Row, run: &Run) -> Vec<String> {
    let Outcome { code, stdout, stderr, elapsed, peak_memory_kib } = &run.outcome;
    let mut complaints = Vec::new();
    let mut claim = |holds: bool, otherwise: String| {
        if !holds {
            complaints.push(otherwise);
        }
    };
    claim(*code == row.code, format!("exit code {code}, not {}", row.code));
    claim(*elapsed <= row.within, format!("took {elapsed:?}, more than {:?}", row.within));
    for text in &row.says {
        claim(stderr.contains(&run.fill_in(text)), format!("does not say {text:?}"));
    }
    for text in &row.never_says {
        claim(!stderr.contains(&run.fill_in(text)), format!("says {text:?}"));
    }
    let warnings: Vec<&str> = stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    if let Some(texts) = &row.warnings {
        let as_told = warnings.len() == texts.len()
            && warnings.iter().zip(texts).all(|(warning, text)| warning.contains(text));
        claim(as_told, format!("the warnings are not {texts:?}"));
    }
    if let Some(wanted) = row.connections {
        let seen = run.connections.len();
        claim(seen == wanted, format!("the server saw {seen} connections, not {wanted}"));
    }
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    claim(errors == usize::from(row.code != 0), format!("{errors} lines begin with error:"));
    let complete = stdout.lines().last() == Some("Sample complete.");
    claim(complete == (row.code == 0), "stdout does not tell of the outcome".to_owned());
    let secrets = secrets(row, run);
    for stream in [stdout, stderr] {
        // Logs may hold such dumps, because their readers can read them.
        let logged = row.flags.iter().any(|(flag, _)| *flag == "--log-level");
        for dump in DUMPS.into_iter().filter(|_| !logged) {
            claim(!stream.contains(dump), format!("a dump: {dump}"));
        }
        for secret in &secrets {
            claim(!stream.contains(secret.as_str()), format!("a secret: {secret}"));
        }
    }
    let within = *peak_memory_kib < MEMORY_LIMIT_KIB;
    claim(within, format!("took {peak_memory_kib} KiB of memory"));
    complaints
}

/// The keys, the token (plain, and encoded as in a URL), and every signature that was sent.
fn secrets(row: &Row, run: &Run) -> Vec<String> {
    let signatures = run.connections.iter().flatten().filter_map(|event| match event {
        Event::Request(request) => request.target.split("X-Amz-Signature=").nth(1)?.get(..64),
        _ => None,
    });
    let given = row.flags.iter().filter(|(flag, _)| ["--secret", "--session-token"].contains(flag));
    let given = given.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty());
    let always = [SECRET, TEMPORARY_SECRET, SESSION_TOKEN, "X-Amz-Signature"];
    let encoded = utf8_percent_encode(SESSION_TOKEN, NON_ALPHANUMERIC).to_string();
    signatures.chain(given).chain(always).map(str::to_owned).chain([encoded]).collect()
}
