//! Credentials are fetched anew when they expire within a minute or were refused, and only then.

use crate::credentials::profile::{print, process, process_output};
use crate::credentials::setup::{gateway_knowing, program, query_values, signers, temporary};
use crate::credentials::source::at_container;
use crate::gateway::{Act, Gateway, Key, REGION, Script, Stage};
use crate::program::Program;
use crate::stand_ins::{StandIn, container, expiration};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use sigv4_websocket_connect::transport::connector::Connector;
use sigv4_websocket_connect::transport::credentials::CredentialSource;
use sigv4_websocket_connect::transport::network::Network;
use sigv4_websocket_connect::transport::presign::Scope;
use sigv4_websocket_connect::transport::proxy::Proxies;
use sigv4_websocket_connect::transport::tls::Tls;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use time::{Duration, OffsetDateTime};
use tokio::time::sleep;

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

/// Returns the keys in turn, each with this lifetime, and counts the calls.
#[derive(Clone, Debug)]
struct InTurn(Arc<AtomicUsize>, [Key; 2], Duration);

impl ProvideCredentials for InTurn {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let InTurn(turn, keys, lifetime) = self;
        let Key { access_key, secret, session_token } = &keys[turn.fetch_add(1, Ordering::Relaxed) % 2];
        let expiry = Some((OffsetDateTime::now_utc() + *lifetime).into());
        let credentials = Credentials::new(access_key, secret, session_token.clone(), expiry, "test");
        future::ProvideCredentials::ready(Ok(credentials))
    }
}

fn connector(gateway: &Gateway, keys: &[Key; 2], lifetime: Duration) -> Connector {
    let tls = Tls::with_ca_file(gateway.ca_file()).expect("the gateway's authority");
    let network = Network::new(tls, Proxies::from_env());
    let credentials = CredentialSource::provider("test", InTurn(Arc::default(), keys.clone(), lifetime));
    let endpoint = gateway.endpoint().parse().expect("an endpoint");
    Connector::new(endpoint, Scope::Region(REGION.into()), credentials, network)
}

#[tokio::test]
async fn one_connector_signs_with_new_credentials_once_the_old_ones_are_about_to_expire() {
    let keys = [temporary("FIRST"), temporary("SECOND")];
    for (lifetime, signer) in [(Duration::seconds(61), &keys[1]), (Duration::hours(1), &keys[0])] {
        let gateway = gateway_knowing(keys.clone()).await;
        let connector = connector(&gateway, &keys, lifetime);
        drop(connector.connect().await.expect("a stream"));
        sleep(std::time::Duration::from_millis(1500)).await;
        drop(connector.connect().await.expect("another stream"));
        connector.closed().await;
        let signers: Vec<String> = signers(&gateway).into_iter().map(|(access_key, _)| access_key).collect();
        assert_eq!(signers, [keys[0].access_key.as_str(), &signer.access_key], "{lifetime}");
    }
}

#[tokio::test]
async fn refused_credentials_are_not_signed_with_again() {
    let keys = [temporary("FIRST"), temporary("SECOND")];
    let gateway = gateway_knowing([keys[1].clone()]).await;
    let connector = connector(&gateway, &keys, Duration::hours(1));
    connector.connect().await.expect_err("a key that the gateway does not know");
    drop(connector.connect().await.expect("a stream"));
    connector.closed().await;
    assert_eq!(access_keys(&gateway), keys.map(|key| key.access_key));
}

#[tokio::test]
async fn a_403_of_something_in_front_says_nothing_of_the_credentials() {
    let keys = [temporary("FIRST"), temporary("SECOND")];
    let forbidden = b"HTTP/1.1 403 Forbidden\r\nserver: nginx\r\ncontent-length: 0\r\n\r\n".to_vec();
    let first = Script::fault(Stage::Request, [Act::Send(forbidden), Act::Fin]);
    let then = Script { keys: keys.to_vec(), ..Script::default() };
    let gateway = Gateway::start_with(vec![first, then]).await;
    let connector = connector(&gateway, &keys, Duration::hours(1));
    connector.connect().await.expect_err("a front that forbids it");
    drop(connector.connect().await.expect("a stream"));
    connector.closed().await;
    assert_eq!(access_keys(&gateway), [keys[0].access_key.as_str(), &keys[0].access_key]);
}

/// The clock is paused; only the sleeps move it.
#[tokio::test(start_paused = true)]
async fn a_lasting_refusal_makes_the_source_be_asked_at_most_once_a_minute() {
    let count = Arc::new(AtomicUsize::new(0));
    let provider = InTurn(count.clone(), [temporary("FIRST"), temporary("SECOND")], Duration::hours(1));
    let credentials = CredentialSource::provider("test", provider);
    let mut counts = Vec::new();
    for rest in [0, 0, 0, 30, 29, 2, 0, 58, 3, 90, 0] {
        sleep(std::time::Duration::from_secs(rest)).await;
        credentials.fetch(|_| {}).await.expect("keys");
        credentials.refused();
        counts.push(count.load(Ordering::Relaxed));
    }
    assert_eq!(counts, [1, 2, 2, 2, 2, 3, 3, 3, 4, 5, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_over_once_the_source_was_asked_again() {
    let count = Arc::new(AtomicUsize::new(0));
    let provider = InTurn(count.clone(), [temporary("FIRST"), temporary("SECOND")], Duration::hours(1));
    let credentials = CredentialSource::provider("test", provider);
    credentials.fetch(|_| {}).await.expect("keys");
    credentials.refused();
    for _ in 0..3 {
        credentials.fetch(|_| {}).await.expect("keys");
        assert_eq!(count.load(Ordering::Relaxed), 2, "nothing was refused since");
        sleep(std::time::Duration::from_secs(600)).await;
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
        let warning = format!("warning: the credentials from the {source} expired at ");
        assert_eq!(outcome.code, 0, "{source}: {outcome:#?}");
        assert!(outcome.stderr.starts_with(&warning), "{source}: {outcome:#?}");
        assert!(outcome.stderr.ends_with(" GMT, by the local clock\n"), "{source}: {outcome:#?}");
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
