//! What the tests have in common: made-up keys, a gateway that knows them, the program run against it.

use crate::credentials::source::Source;
use crate::gateway::{Event, Gateway, Key, REGION, Script};
use crate::program::{Outcome, Program};

/// A made-up key named after its owner. The secret and the token have characters that must be
/// percent-encoded.
pub fn permanent(owner: &str) -> Key {
    Key {
        access_key: format!("AKIA{owner:0<16}"),
        secret: format!("secretOf/{owner}+y2kS9wTq4RvXc7LmZp1NbGh"),
        session_token: None,
    }
}

/// A made-up key with a session token.
pub fn temporary(owner: &str) -> Key {
    Key {
        access_key: format!("ASIA{owner:0<16}"),
        session_token: Some(format!("tokenOf/{owner}+IQoJb3JpZ2luX2VjEB0&100%of=it==")),
        ..permanent(owner)
    }
}

/// A gateway that knows these keys.
pub async fn gateway_knowing(keys: impl Into<Vec<Key>>) -> Gateway {
    Gateway::start(Script { keys: keys.into(), ..Script::default() }).await
}

/// The program against that gateway, without any credentials yet.
pub fn program(gateway: &Gateway) -> Program {
    Program::against(&gateway.endpoint(), gateway.ca_file(), REGION)
}

/// The keys that signed, in the order of the connections.
pub fn signers(gateway: &Gateway) -> Vec<(String, Option<String>)> {
    let events = gateway.connections().into_iter().flatten();
    let signed = events.filter_map(|event| match event {
        Event::Signed(verified) => Some((verified.access_key, verified.session_token)),
        _ => None,
    });
    signed.collect()
}

/// Runs the program with every log, which must show no secret of this source.
pub async fn run_with_logs(program: Program, gateway: &Gateway, source: Source) -> Outcome {
    // A directive for the crate whose events show most has precedence over a general one.
    let program = program.env("RUST_LOG", "trace,aws_smithy_runtime::client::orchestrator=trace");
    // These two make the AWS SDK log what it leaves out otherwise.
    let program = program.env("LOG_SENSITIVE_BODIES", "true").env("LOG_SIGNABLE_BODY", "true");
    let outcome = program.run().await;
    assert!(outcome.stderr.contains("TRACE"), "{outcome:#?}");
    let mut secrets = source.secrets();
    secrets.extend(gateway.connections().into_iter().flatten().filter_map(signature));
    for (what, secret) in secrets {
        // The longest run of letters and digits looks the same in every encoding.
        let runs = secret.split(|c: char| !c.is_ascii_alphanumeric());
        let telling = runs.max_by_key(|run| run.len()).expect("a secret");
        let leak = outcome.stdout.lines().chain(outcome.stderr.lines()).find(|line| line.contains(telling));
        assert_eq!(leak, None, "the {what} of {source:?}");
    }
    outcome
}

fn signature(event: Event) -> Option<(&'static str, String)> {
    let Event::Request(request) = event else { return None };
    let (_, rest) = request.target.split_once("X-Amz-Signature=")?;
    Some(("signature", rest.split('&').next()?.to_owned()))
}

/// Asserts that this is the outcome of a run without credentials, which ended in time, took little memory, and reports
/// these texts in plain words.
pub fn assert_fails(outcome: &Outcome, texts: &[&str]) {
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.elapsed.as_secs() < 5 && outcome.peak_memory_kib < 64 * 1024, "{outcome:#?}");
    // Before this there may be log lines, and what Rust's own hook says of a panic of aws-config.
    let report = &outcome.stderr[outcome.stderr.find("\nerror: ").unwrap_or_default()..];
    for text in texts {
        assert!(report.contains(text), "no {text:?} in\n{report}");
    }
    let panic = report.contains("its settings or its answer make no sense");
    assert_eq!(outcome.stderr.contains("panicked"), panic, "{report}");
    for dump in ["Some(", "None,", "Err(", " { ", "SdkBody", "StatusCode("] {
        assert!(!report.contains(dump), "{dump}: {report}");
    }
}
