//! Random peers: whatever a server, a proxy or a credential service says, the program ends in time with a code that
//! fits. It never panics, and uses little memory. Even at `--log-level trace` it shows none of the secrets that it was
//! given, and no character that could disturb a terminal.
//!
//! A run tries the same few cases each time. `RANDOM_MINUTES=60 cargo test --test program random -- --nocapture` tries
//! others for an hour, and says how many.

mod edit;
mod on_the_way;
mod server;

use std::fmt::Debug;
use std::io;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseResult, TestRunner};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::runtime::Builder;

use crate::program::{Outcome, Program};

/// Two seconds of `--timeout`, two for the goodbye, and some more for a busy machine.
const ENDED_BY: Duration = Duration::from_secs(10);

/// The limit for the debug build, in KiB.
const MAX_MEMORY: u64 = 64 * 1024;

/// This many letters and digits of a secret in a row count as a leak.
const TELLING: usize = 16;

/// Tries so many random cases of one kind, or in a long run so many between two looks at the clock.
fn survives<C: Debug>(
    kind: &str,
    count: u32,
    cases: impl Strategy<Value = C>,
    survive: impl AsyncFn(C) -> TestCaseResult,
) {
    let minutes = std::env::var("RANDOM_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    let until = minutes.map(|minutes: u64| Instant::now() + Duration::from_secs(60 * minutes));
    let rng_seed = if until.is_some() { RngSeed::Random } else { RngSeed::Fixed(20_261_125) };
    let config = Config { cases: count, rng_seed, failure_persistence: None, ..Config::default() };
    let run =
        |case| Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(survive(case));
    let mut tried = 0;
    loop {
        let outcome = TestRunner::new(config.clone()).run(&cases, run);
        assert!(outcome.is_ok(), "{kind}, after {tried} others: {}", outcome.expect_err("a failure"));
        tried += count;
        if until.is_none_or(|until| until < Instant::now()) {
            break;
        }
    }
    println!("{kind}: {tried} random cases");
}

/// Runs the program, and checks what must hold in every case. What must stay secret is asked for when the run is over.
async fn run(
    program: Program,
    codes: &[i32],
    secrets: impl FnOnce() -> Vec<String>,
) -> Result<Outcome, TestCaseError> {
    let flags = ["--timeout", "2", "--attempts", "1", "--log-level", "trace"];
    let outcome = program.args(flags).run().await;
    let Outcome { code, stdout, stderr, elapsed, peak_memory_kib } = &outcome;
    prop_assert!(codes.contains(code), "an exit code that does not fit: {:#?}", outcome);
    // aws-config panics at some answers of instance metadata, which the program reports as an error of that source.
    let of_aws_config = stderr.contains("error: the EC2 instance metadata does not provide credentials\n");
    prop_assert!(of_aws_config || !stderr.contains("panicked"), "a panic: {:#?}", outcome);
    prop_assert!(*elapsed < ENDED_BY, "no end in time: {:#?}", outcome);
    prop_assert!(*peak_memory_kib < MAX_MEMORY, "too much memory: {:#?}", outcome);
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    prop_assert_eq!(errors, usize::from(*code != 0), "not one error: {:#?}", outcome);
    let shown = [stdout.as_str(), stderr].concat();
    let disturbs = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    prop_assert_eq!(shown.chars().find(|c| disturbs(*c)), None, "a character that disturbs: {:#?}", outcome);
    for secret in secrets() {
        let runs = secret.split(|c: char| !c.is_ascii_alphanumeric());
        let mut parts = runs.flat_map(|run| run.as_bytes().windows(TELLING));
        let leaks = parts.any(|part| shown.as_bytes().windows(TELLING).any(|shown| shown == part));
        prop_assert!(!leaks && !shown.contains(&secret), "a part of the secret {}: {:#?}", secret, outcome);
    }
    Ok(outcome)
}

/// The peer has nothing more to say, and lets the client end the connection.
async fn await_end(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    stream.shutdown().await?;
    copy(&mut stream, &mut sink()).await.map(drop)
}
