//! What the tests have in common: made-up keys, a gateway that knows them, the program run against it.

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

/// A parameter of the upgrade requests as it stands in each query, one for each connection.
pub fn query_values(gateway: &Gateway, name: &str) -> Vec<String> {
    let events = gateway.connections().into_iter().flatten();
    let targets = events.filter_map(|event| match event {
        Event::Request(request) => Some(request.target),
        _ => None,
    });
    let value = |target: String| {
        let (_, rest) = target.split_once(&format!("{name}=")).expect("such a parameter");
        rest.split('&').next().unwrap_or_default().to_owned()
    };
    targets.map(value).collect()
}

/// Runs the program, which must connect with this key and name its source.
pub async fn assert_connects(program: Program, gateway: &Gateway, key: &Key, source: &str) {
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{source}: {outcome:#?}");
    assert_eq!(signers(gateway), [(key.access_key.clone(), key.session_token.clone())], "{source}");
    let told = format!(" from the {source}\n");
    assert!(outcome.stdout.contains(&told), "{source}: {outcome:#?}");
}

/// Runs the program, which must report in time, and in plain words, that it has no credentials.
pub async fn failure(program: Program) -> Outcome {
    let outcome = failure_after_panic(program).await;
    for dump in ["panicked", "Some(", "None,", "Err(", " { ", "SdkBody", "StatusCode("] {
        assert!(!outcome.stderr.contains(dump), "{dump}: {outcome:#?}");
    }
    outcome
}

/// The same where aws-config panics, which Rust's own hook reports before the program reports the error.
pub async fn failure_after_panic(program: Program) -> Outcome {
    let outcome = program.run().await;
    assert_eq!(outcome.code, 3, "{outcome:#?}");
    assert!(outcome.elapsed.as_secs() < 5, "{outcome:#?}");
    outcome
}

/// Asserts that stderr holds each of the texts.
pub fn assert_says(outcome: &Outcome, texts: &[&str]) {
    for text in texts {
        assert!(outcome.stderr.contains(text), "no {text:?} in\n{}", outcome.stderr);
    }
}
