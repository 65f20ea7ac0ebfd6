//! `minimal`: `presign.rs` by itself, with rumqttc's own WebSocket.

use crate::gateway::{Event, Gateway, REGION, SESSION_TOKEN, Script, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET};
use crate::relay::Relay;
use crate::running::{Running, example};

#[tokio::test]
async fn it_comes_back_freshly_signed_after_a_cut() {
    let gateway = Gateway::start(Script::default()).await;
    let relay = Relay::to(&gateway).await;
    let minimal = example("minimal")
        .args([relay.endpoint().as_str(), REGION])
        // rumqttc trusts the system's roots, which this variable replaces.
        .env("SSL_CERT_FILE", gateway.ca_file())
        .env("AWS_ACCESS_KEY_ID", TEMPORARY_ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", TEMPORARY_SECRET)
        .env("AWS_SESSION_TOKEN", SESSION_TOKEN);
    let minimal = Running::start(minimal);
    minimal.says("hello", 1).await;
    relay.cut();
    minimal.says("hello", 2).await;
    let (mut signed, mut topics) = (Vec::new(), Vec::new());
    for event in gateway.connections().into_iter().flatten() {
        match event {
            Event::Signed(verified) => signed.push(verified),
            Event::Publish { topic, .. } => topics.push(topic),
            _ => {}
        }
    }
    assert_eq!(topics, ["minimal/topic"; 2]);
    let [first, second] = &signed[..] else { panic!("{signed:#?}") };
    assert_ne!(first.date, second.date);
    for verified in [first, second] {
        assert_eq!(verified.session_token.as_deref(), Some(SESSION_TOKEN));
    }
}
