//! The connector against the stand-in for IoT Core.

use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_credential_types::credential_fn::provide_credentials_fn;
use sigv4_websocket::provider::ProvideCredentials;
use sigv4_websocket::{BuildError, Connector, ConnectorBuilder, Credentials, Endpoint, Phase, Progress};
use test_support::gateway::{ACCESS_KEY, Act, Event, Gateway, Key, REGION, SECRET, Script, Stage};

fn settings(endpoint: &str, gateway: &Gateway) -> ConnectorBuilder {
    let endpoint = endpoint.parse().expect("an endpoint");
    Connector::builder(endpoint).region(REGION).ca_file(gateway.ca_file()).credentials(keys())
}

fn keys() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET, None, None, "test")
}

/// Gives another key at every call.
fn rotating() -> impl ProvideCredentials {
    let number = AtomicUsize::default();
    provide_credentials_fn(move || {
        let Key { access_key, secret, session_token } = key(number.fetch_add(1, Ordering::Relaxed));
        ready(Ok(Credentials::new(access_key, secret, session_token, None, "test")))
    })
}

fn key(number: usize) -> Key {
    Key {
        access_key: format!("ASIAROTATING0000000{number}"),
        secret: format!("secret/{number}"),
        session_token: Some(format!("token+{number}==")),
    }
}

/// The access keys in the upgrade requests, one for each connection.
fn access_keys(gateway: &Gateway) -> Vec<String> {
    let key = |event| match event {
        Event::Request(request) => {
            Some(request.target.split("X-Amz-Credential=").nth(1)?.get(..20)?.to_owned())
        }
        _ => None,
    };
    gateway.connections().into_iter().flatten().filter_map(key).collect()
}

#[tokio::test]
async fn only_a_refusal_of_iot_core_itself_makes_the_source_be_asked_again() {
    let of_a_front = b"HTTP/1.1 403 Forbidden\r\nserver: nginx\r\ncontent-length: 0\r\n\r\n".to_vec();
    for (refusal, second_key) in
        [(Script::default(), 1), (Script::fault(Stage::Request, [Act::Send(of_a_front), Act::Fin]), 0)]
    {
        let then = Script { keys: vec![key(second_key)], ..Script::default() };
        let gateway = Gateway::start_with(vec![refusal, then]).await;
        let settings = settings(&gateway.endpoint(), &gateway).credentials(rotating());
        let connector = settings.build().expect("a connector");
        let failure = connector.open().await.expect_err("a 403");
        assert_eq!((failure.phase(), failure.status()), (Phase::WebSocket, Some(403)));
        connector.open().await.expect("a stream");
        assert_eq!(access_keys(&gateway), [0, second_key].map(|number| key(number).access_key));
    }
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_fails_with_its_phase() {
    let gateway = Gateway::start(Script::fault(Stage::Accept, [Act::Hold])).await;
    let settings = settings(&gateway.endpoint(), &gateway);
    let connector = settings.connect_timeout(Duration::from_millis(300)).build().expect("a connector");
    let began = Instant::now();
    let failure = connector.open().await.expect_err("no answer");
    assert!(failure.is_deadline() && failure.retry_after().is_some(), "{failure}");
    assert_eq!(failure.phase(), Phase::Tls);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_and_an_observer_is_told_everything() {
    let gateway = Gateway::start(Script { clock_offset_seconds: 630, ..Script::default() }).await;
    let told = Arc::<Mutex<Vec<String>>>::default();
    let observed = told.clone();
    let observer =
        move |progress: Progress<'_>| observed.lock().expect("no panic").push(progress.to_string());
    let settings = settings(&gateway.endpoint(), &gateway).observer(observer);
    drop(settings.build().expect("a connector").open().await.expect("a stream"));
    let mut told = told.lock().expect("no panic").clone();
    let credentials = told.extract_if(.., |line| line.starts_with("credentials: "));
    assert_eq!(credentials.collect::<Vec<_>>(), ["credentials: AKIA…LE00 from the given provider"]);
    let phases = ["name resolution", "TCP", "TLS", "credentials", "signature", "WebSocket"];
    let phases = phases.map(|phase| format!("phase: {phase}"));
    let corrected =
        "the local clock is 10 minutes behind the server's; signing with the server's time instead";
    let expected = [&phases[..], &[corrected.to_owned()], &phases, &["phase: MQTT".to_owned()]].concat();
    assert_eq!(told, expected);
}

#[test]
fn what_cannot_work_is_refused_when_the_connector_is_built() {
    let endpoint: Endpoint = "abc-ats.iot.eu-west-1.amazonaws.com".parse().expect("an endpoint");
    let settings = || Connector::builder(endpoint.clone()).credentials(keys());
    assert_eq!(settings().build().expect("a connector").region(), "eu-west-1");
    assert_eq!(settings().region("us-east-1").build().expect("a connector").region(), "us-east-1");
    for text in ["eu west 1", "eu_west_1", "EU", "eu.west", "eu-west-1\n"] {
        for refused in [settings().region(text), settings().region_set(text), settings().region_set("")] {
            assert!(matches!(refused.build(), Err(BuildError::Region(_))), "{text:?}");
        }
    }
    assert_eq!(settings().region("").build().expect("a connector").region(), "eu-west-1");
    let of_one_region = format!("{:?}", settings().sigv4a().build().expect("a connector"));
    assert!(of_one_region.contains("RegionSet(\"eu-west-1\")"), "{of_one_region}");
    let local = Connector::builder("localhost".parse().expect("an endpoint")).region("eu-west-1");
    let local = local.credentials(keys()).proxy("socks5://127.0.0.1:9").build();
    assert!(matches!(local, Err(BuildError::Proxy(_))), "{local:?}");
    assert!(matches!(settings().profile("p").build(), Err(BuildError::CredentialsAndProfile)));
    assert!(matches!(settings().ca_file("/nowhere/ca.pem").build(), Err(BuildError::CaFile { .. })));
    let bad_proxy = settings().proxy("socks5://user:PASSW0RD@127.0.0.1:9").build().expect_err("a proxy");
    assert!(matches!(bad_proxy, BuildError::Proxy(_)), "{bad_proxy}");
    assert!(!format!("{bad_proxy} {bad_proxy:?}").contains("PASSW0RD"), "{bad_proxy:?}");
}
