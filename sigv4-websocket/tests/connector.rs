//! The connector as an application uses it, against the stand-in for IoT Core.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use sigv4_websocket::provider::{ProvideCredentials, future};
use sigv4_websocket::{BuildError, Connector, ConnectorBuilder, Credentials, Phase, Progress};
use test_support::gateway::{
    ACCESS_KEY, Act, CLEAN_CLOSE, Event, Gateway, Key, REGION, SECRET, Script, Stage,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn settings(gateway: &Gateway) -> ConnectorBuilder {
    let endpoint = gateway.endpoint().parse().expect("an endpoint");
    Connector::builder(endpoint).region(REGION).ca_file(gateway.ca_file())
}

fn keys() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET, None, None, "test")
}

/// The access keys in the upgrade requests, one for each connection.
fn access_keys(gateway: &Gateway) -> Vec<String> {
    let key = |event| match event {
        Event::Request(request) => {
            let (_, rest) = request.target.split_once("X-Amz-Credential=")?;
            Some(rest.split('%').next()?.to_owned())
        }
        _ => None,
    };
    gateway.connections().into_iter().flatten().filter_map(key).collect()
}

/// Returns two keys in turn, each with this lifetime.
#[derive(Debug)]
struct InTurn(AtomicUsize, [Key; 2], Duration);

impl ProvideCredentials for InTurn {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let InTurn(turn, keys, lifetime) = self;
        let Key { access_key, secret, session_token } = &keys[turn.fetch_add(1, Ordering::Relaxed) % 2];
        let expiry = Some(SystemTime::now() + *lifetime);
        let credentials = Credentials::new(access_key, secret, session_token.clone(), expiry, "test");
        future::ProvideCredentials::ready(Ok(credentials))
    }
}

fn two_keys() -> [Key; 2] {
    let key = |name: &str| Key {
        access_key: format!("ASIA{name:0<16}"),
        secret: format!("secret/of+{name}"),
        session_token: Some(format!("token/of+{name}==")),
    };
    [key("FIRST"), key("SECOND")]
}

fn in_turn(gateway: &Gateway, keys: &[Key; 2], lifetime: Duration) -> Connector {
    let provider = InTurn(AtomicUsize::default(), keys.clone(), lifetime);
    settings(gateway).credentials(provider).build().expect("a connector")
}

#[tokio::test]
async fn credentials_that_are_about_to_expire_are_fetched_again() {
    let keys = two_keys();
    for (lifetime, second) in [(50, 1), (3600, 0)] {
        let gateway = Gateway::start(Script { keys: keys.to_vec(), ..Script::default() }).await;
        let connector = in_turn(&gateway, &keys, Duration::from_secs(lifetime));
        drop(connector.open().await.expect("a stream"));
        drop(connector.open().await.expect("another stream"));
        connector.closed().await;
        assert_eq!(access_keys(&gateway), [&keys[0].access_key[..], &keys[second].access_key], "{lifetime}");
    }
}

#[tokio::test]
async fn refused_credentials_are_not_signed_with_again() {
    let keys = two_keys();
    let gateway = Gateway::start(Script { keys: vec![keys[1].clone()], ..Script::default() }).await;
    let connector = in_turn(&gateway, &keys, Duration::from_secs(3600));
    let failure = connector.open().await.expect_err("a key that the gateway does not know");
    assert_eq!((failure.phase(), failure.status()), (Phase::WebSocket, Some(403)));
    drop(connector.open().await.expect("a stream"));
    connector.closed().await;
    assert_eq!(access_keys(&gateway), keys.map(|key| key.access_key));
}

#[tokio::test]
async fn a_403_of_something_in_front_says_nothing_of_the_credentials() {
    let keys = two_keys();
    let forbidden = b"HTTP/1.1 403 Forbidden\r\nserver: nginx\r\ncontent-length: 0\r\n\r\n".to_vec();
    let first = Script::fault(Stage::Request, [Act::Send(forbidden), Act::Fin]);
    let then = Script { keys: keys.to_vec(), ..Script::default() };
    let gateway = Gateway::start_with(vec![first, then]).await;
    let connector = in_turn(&gateway, &keys, Duration::from_secs(3600));
    connector.open().await.expect_err("a front that forbids it");
    drop(connector.open().await.expect("a stream"));
    connector.closed().await;
    assert_eq!(access_keys(&gateway), [&keys[0].access_key[..], &keys[0].access_key]);
}

/// CONNECT with the client ID `open`, CONNACK, DISCONNECT.
#[tokio::test]
async fn any_client_can_speak_mqtt_over_the_stream() {
    let gateway = Gateway::start(Script::default()).await;
    let connector = settings(&gateway).credentials(keys()).build().expect("a connector");
    let mut stream = connector.open().await.expect("a stream");
    stream.write_all(b"\x10\x11\0\x04MQTT\x05\x02\0\x3C\0\0\x04open").await.expect("CONNECT");
    stream.flush().await.expect("CONNECT");
    let mut connack = [0; 5];
    stream.read_exact(&mut connack).await.expect("CONNACK");
    assert_eq!((connack[0], connack[3]), (0x20, 0));
    stream.write_all(b"\xE0\0").await.expect("DISCONNECT");
    stream.flush().await.expect("DISCONNECT");
    drop(stream);
    connector.closed().await;
    gateway.finished(1).await;
    assert!(gateway.connections()[0].ends_with(&CLEAN_CLOSE), "{:#?}", gateway.connections());
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_fails_with_its_phase() {
    for (stage, phase) in [(Stage::Accept, Phase::Tls), (Stage::Request, Phase::WebSocket)] {
        let gateway = Gateway::start(Script::fault(stage, [Act::Hold])).await;
        let settings = settings(&gateway).credentials(keys()).connect_timeout(Duration::from_millis(500));
        let began = Instant::now();
        let failure = settings.build().expect("a connector").open().await.expect_err("no answer");
        assert!(failure.is_deadline() && failure.retry_after().is_some(), "{failure}");
        assert_eq!(failure.phase(), phase);
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_and_an_observer_is_told_everything() {
    let gateway = Gateway::start(Script { clock_offset_seconds: 630, ..Script::default() }).await;
    let told = Arc::<Mutex<Vec<String>>>::default();
    let observed = told.clone();
    let observer =
        move |progress: Progress<'_>| observed.lock().expect("no panic").push(progress.to_string());
    let connector = settings(&gateway).credentials(keys()).observer(observer).build().expect("a connector");
    drop(connector.open().await.expect("a stream"));
    let told = told.lock().expect("no panic").clone();
    let phases = ["name resolution", "TCP", "TLS", "credentials", "signature", "WebSocket"];
    let mut expected: Vec<String> = phases.map(|phase| format!("phase: {phase}")).to_vec();
    expected.extend([
        "the local clock is 10 minutes behind the server's; signing with the server's time instead".into(),
    ]);
    expected.extend(phases.map(|phase| format!("phase: {phase}")));
    expected.push("phase: MQTT".to_owned());
    let (keys, others): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|line| line.starts_with("credentials: "));
    assert_eq!(keys, ["credentials: AKIA…LE00 from the given provider"]);
    assert_eq!(others, expected);
}

#[test]
fn what_cannot_work_is_refused_when_the_connector_is_built() {
    let endpoint = || "abc-ats.iot.eu-west-1.amazonaws.com".parse().expect("an endpoint");
    let settings = || Connector::builder(endpoint()).credentials(keys());
    assert_eq!(settings().build().expect("a connector").region(), "eu-west-1");
    assert_eq!(settings().region("us-east-1").build().expect("a connector").region(), "us-east-1");
    for region in ["", "eu west 1", "eu_west_1", "-eu", "eu-", "eu.west", &"e".repeat(64)] {
        assert!(matches!(settings().region(region).build(), Err(BuildError::Region { .. })), "{region:?}");
    }
    for regions in ["", "a,,b", "eu west", "EU"] {
        assert!(matches!(settings().region_set(regions).build(), Err(BuildError::RegionSet)), "{regions:?}");
    }
    let of_one_region = format!("{:?}", settings().sigv4a().build().expect("a connector"));
    assert!(of_one_region.contains("RegionSet(\"eu-west-1\")"), "{of_one_region}");
    for regions in ["*", "eu-*,us-east-1"] {
        assert!(settings().region_set(regions).build().is_ok(), "{regions:?}");
    }
    assert!(matches!(settings().profile("p").build(), Err(BuildError::CredentialsAndProfile)));
    assert!(matches!(settings().ca_file("/nowhere/ca.pem").build(), Err(BuildError::CaFile { .. })));
    let bad_proxy = settings().proxy("socks5://user:PASSW0RD@127.0.0.1:9").build().expect_err("a proxy");
    assert!(matches!(bad_proxy, BuildError::Proxy(_)), "{bad_proxy}");
    assert!(!format!("{bad_proxy} {bad_proxy:?}").contains("PASSW0RD"), "{bad_proxy:?}");
}
