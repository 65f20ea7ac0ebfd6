//! `minimal`: `presign.rs` by itself, with rumqttc's own WebSocket.

use crate::gateway::{
    ACCESS_KEY, Event, Gateway, REGION, SECRET, SESSION_TOKEN, Script, TEMPORARY_ACCESS_KEY,
    TEMPORARY_SECRET, Verified,
};
use crate::relay::Relay;
use crate::running::{Running, example};

/// The signatures that the gateway accepted, in the order of the connections.
fn signed(gateway: &Gateway) -> Vec<Verified> {
    let events = gateway.connections().into_iter().flatten();
    let signed = events.filter_map(|event| match event {
        Event::Signed(verified) => Some(verified),
        _ => None,
    });
    signed.collect()
}

#[tokio::test]
async fn it_comes_back_freshly_signed_after_a_cut() {
    let gateway = Gateway::start(Script::default()).await;
    let relay = Relay::to(&gateway).await;
    let minimal = example("minimal").args([relay.endpoint().as_str(), REGION]);
    // rumqttc trusts the system's roots, which this variable replaces.
    let minimal = minimal
        .env("SSL_CERT_FILE", gateway.ca_file())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET);
    let minimal = Running::start(minimal);
    minimal.says("hello", 1).await;
    relay.cut();
    minimal.says("hello", 2).await;
    let signed = signed(&gateway);
    let [first, second] = &signed[..] else { panic!("{signed:#?}") };
    assert_ne!(first.date, second.date);
    let published = gateway.connections().into_iter().flatten();
    let published =
        published.filter(|event| matches!(event, Event::Publish { topic, .. } if topic == "minimal/topic"));
    assert_eq!(published.count(), 2);
}

#[tokio::test]
async fn it_sends_the_session_token_once() {
    let gateway = Gateway::start(Script::default()).await;
    let minimal = example("minimal").args([gateway.endpoint().as_str(), REGION]);
    let minimal = minimal
        .env("SSL_CERT_FILE", gateway.ca_file())
        .env("AWS_ACCESS_KEY_ID", TEMPORARY_ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", TEMPORARY_SECRET)
        .env("AWS_SESSION_TOKEN", SESSION_TOKEN);
    let minimal = Running::start(minimal);
    minimal.says("hello", 1).await;
    assert_eq!(signed(&gateway)[0].session_token.as_deref(), Some(SESSION_TOKEN));
}
