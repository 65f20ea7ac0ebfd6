//! Credentials are fetched anew when they expire within a minute or were refused, and only then.

use crate::credentials::profile::{print, process, process_output};
use crate::credentials::setup::{gateway_knowing, program, query_values, signers, temporary};
use crate::credentials::source::at_container;
use crate::gateway::{Act, Gateway, Key, Script, Stage};
use crate::program::Program;
use crate::stand_ins::{StandIn, container, expiration};
use time::Duration;

/// Refuses the first attempt in a way that a second attempt may mend.
fn busy_at_first(keys: &[Key]) -> Vec<Script> {
    let busy = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec();
    let first = Script::fault(Stage::Request, [Act::Send(busy), Act::Fin]);
    vec![first, Script { keys: keys.into(), ..Script::default() }]
}

/// The access keys in the upgrade requests, one for each connection.
fn access_keys(gateway: &Gateway) -> Vec<String> {
    let credentials = query_values(gateway, "X-Amz-Credential");
    credentials.iter().map(|value| value.split('%').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_second_attempt_takes_new_credentials_if_the_first_ones_are_about_to_expire() {
    let (first, second) = (temporary("FIRST"), temporary("SECOND"));
    for (lifetime, fetches, signer) in [
        (Duration::seconds(10), 2, &second),
        (Duration::seconds(50), 2, &second),
        (Duration::seconds(90), 1, &first),
        (Duration::hours(6), 1, &first),
    ] {
        let keys = [first.clone(), second.clone()];
        let gateway = Gateway::start_with(busy_at_first(&keys)).await;
        let endpoint = container::granting(keys.map(|key| (key, lifetime)).into()).await;
        let (program, endpoint) = at_container(program(&gateway), endpoint);
        let outcome = program.args(["--attempts", "2"]).run().await;
        assert_eq!(outcome.code, 0, "{lifetime}: {outcome:#?}");
        assert_eq!(endpoint.map(|endpoint: StandIn| endpoint.asked().len()), Some(fetches), "{lifetime}");
        assert_eq!(access_keys(&gateway), [first.access_key.as_str(), &signer.access_key], "{lifetime}");
        assert_eq!(
            signers(&gateway),
            [(signer.access_key.clone(), signer.session_token.clone())],
            "{lifetime}"
        );
    }
}

/// Credentials from a process and from a container, valid for this long from now on.
async fn good_for(
    lifetime: Duration,
    key: &Key,
    gateway: &Gateway,
) -> Vec<(Program, Option<StandIn>, &'static str)> {
    let mut output: serde_json::Value = serde_json::from_str(&process_output(key)).expect("JSON");
    output["Expiration"] = expiration(lifetime).into();
    let process_program = program(gateway).file("keys.json", &output.to_string());
    let command = print(&process_program, "keys.json");
    let process_program = process_program.file(".aws/config", &process("default", &command));
    let endpoint = container::granting(vec![(key.clone(), lifetime)]).await;
    let (container_program, endpoint) = at_container(program(gateway), endpoint);
    vec![(process_program, None, "profile default"), (container_program, endpoint, "container")]
}

/// The local clock may be wrong, so it is no reason to refuse credentials.
#[tokio::test]
async fn credentials_that_have_expired_are_used_with_a_warning() {
    let key = temporary("EXPIRED");
    let gateway = gateway_knowing([key.clone()]).await;
    for (program, _endpoint, source) in good_for(Duration::hours(-1), &key, &gateway).await {
        let outcome = program.run().await;
        let warning =
            format!("warning: the credentials from the {source} have expired, by the local clock\n");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, warning.as_str()), "{source}: {outcome:#?}");
    }
}

#[tokio::test]
async fn a_refusal_says_whether_they_have_expired_by_the_servers_clock() {
    let key = temporary("UNKNOWN");
    for (lifetime, ahead, said) in [
        (Duration::hours(-1), 0, "hint: the credentials expired at "),
        (Duration::hours(1), 0, "hint: the credentials have not expired, they are good until "),
        // They have expired by the server's clock, which is a day ahead, but not by the local one.
        (Duration::hours(1), 24 * 60 * 60, "hint: the credentials expired at "),
    ] {
        let gateway = Gateway::start(Script { clock_offset_seconds: ahead, ..Script::default() }).await;
        for (program, _endpoint, source) in good_for(lifetime, &key, &gateway).await {
            let outcome = program.run().await;
            assert_eq!(outcome.code, 6, "{source}: {outcome:#?}");
            assert!(outcome.stderr.contains(said), "{source}, {lifetime}: {outcome:#?}");
        }
    }
}
