//! The three ways of the README's "Build your own on it", side by side: how each behaves with the same
//! server.
//!
//! 1. `presign.rs` with rumqttc's own WebSocket, as in `minimal`
//! 2. `transport`
//! 3. `transport` and `diagnosis`, as in `application`

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{AsyncClient, ConnectionError, Event as Mqtt, EventLoop, Incoming, Outgoing};
use sigv4_websocket_connect::diagnosis::{failure::Failure, hint::Facts};
use sigv4_websocket_connect::transport::connector::Connector;
use tokio::time::timeout;
use tracing_subscriber::prelude::*;

use crate::gateway::websocket::BINARY;
use crate::gateway::{Act, Event, Gateway, REGION, Script, Stage, connack as connack_packet, frame};
use crate::mqtt_settings;

const LIMIT: Duration = Duration::from_secs(20);

/// The first way.
fn presign_alone(gateway: &Gateway) -> (AsyncClient, EventLoop) {
    AsyncClient::builder(mqtt_settings::presign_alone(&gateway.endpoint(), gateway.ca_file())).build()
}

/// The connector of the other two ways.
fn connector(gateway: &Gateway) -> Arc<Connector> {
    mqtt_settings::connector(&gateway.endpoint(), gateway.ca_file())
}

fn with_transport(connector: &Arc<Connector>) -> (AsyncClient, EventLoop) {
    AsyncClient::builder(mqtt_settings::with_transport(connector)).build()
}

async fn connack(eventloop: &mut EventLoop) -> Result<(), ConnectionError> {
    timeout(LIMIT, async {
        while !matches!(eventloop.poll().await?, Mqtt::Incoming(Incoming::ConnAck(_))) {}
        Ok(())
    })
    .await
    .expect("an answer in time")
}

/// The error of each way with this script: one line of the first two, the full report of the third.
async fn told(script: Script) -> [String; 3] {
    let gateway = Gateway::start(script).await;
    let connector = connector(&gateway);
    let facts = Facts { connector: &connector, region: REGION, client_id: "way-3" };
    let failure = async |(_client, mut eventloop): (AsyncClient, EventLoop)| {
        connack(&mut eventloop).await.expect_err("no session")
    };
    let first = failure(presign_alone(&gateway)).await.to_string();
    let second = failure(with_transport(&connector)).await;
    [first, second.to_string(), facts.explain(&Failure::from(second))]
}

#[tokio::test]
async fn a_refusal() {
    let [first, second, third] = told(Script { region: "eu-west-3".to_owned(), ..Script::default() }).await;
    assert!(first.ends_with("403 Forbidden") && second.ends_with("403 Forbidden"), "{first}\n{second}");
    assert!(third.contains("message: Credential should be scoped to a valid region"), "{third}");
    assert!(third.contains("request id: ") && third.contains("hint: "), "{third}");
}

#[tokio::test]
async fn a_hang_up_after_connect() {
    for (act, cause) in [
        (Act::Fin, "Connection reset without closing handshake"),
        (Act::Abort, "peer closed connection without sending TLS close_notify"),
        (Act::Reset, "reset"),
    ] {
        let [first, second, third] = told(Script::fault(Stage::Connect, [act.clone()])).await;
        assert!(first.contains(cause) && !first.contains("CONNECT"), "{act:?}: {first}");
        assert!(second.ends_with("the server hung up after CONNECT, without a CONNACK"), "{act:?}: {second}");
        assert!(third.contains(cause) && third.contains(r#""Action":"iot:Connect""#), "{act:?}: {third}");
    }
}

#[tokio::test]
async fn a_refused_connect() {
    let denied = Act::Send(frame(BINARY, true, &connack_packet(0x87, Some("No policy."))));
    let [first, second, third] = told(Script::fault(Stage::Connect, [denied])).await;
    assert!(first.contains("NotAuthorized") && !first.contains("No policy."), "{first}");
    assert!(second.ends_with("the server refused CONNECT: Not authorized (0x87)"), "{second}");
    assert!(third.contains("reason: No policy.") && third.contains(r#""Action":"iot:Connect""#), "{third}");
}

#[tokio::test]
async fn a_clean_end() {
    let gateway = Gateway::start(Script::default()).await;
    let connector = connector(&gateway);
    let disconnect = Event::Disconnect { reason_code: 0 };
    let endings = [
        vec![disconnect.clone(), Event::EndedWithoutCloseNotify],
        vec![disconnect, Event::Close { code: Some(1000) }, Event::CloseNotify, Event::Fin],
    ];
    let ways = [presign_alone(&gateway), with_transport(&connector)];
    for (nth, ((client, mut eventloop), ending)) in ways.into_iter().zip(endings).enumerate() {
        connack(&mut eventloop).await.expect("a session");
        client.disconnect().await.expect("an event loop");
        while !matches!(eventloop.poll().await, Ok(Mqtt::Outgoing(Outgoing::Disconnect)) | Err(_)) {}
        drop(eventloop);
        connector.closed().await;
        gateway.finished(nth + 1).await;
        let events = &gateway.connections()[nth];
        assert!(events.ends_with(&ending), "{events:#?}");
    }
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_log_of_everything() {
    let gateway = Gateway::start(Script::default()).await;
    let captured = Captured::default();
    let writer = captured.clone();
    let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
    // For this thread alone: other tests would log into it.
    let _until_dropped = tracing_subscriber::registry().with(layer).set_default();
    let connector = connector(&gateway);
    for (shown, (_client, mut eventloop)) in
        [(true, presign_alone(&gateway)), (false, with_transport(&connector))]
    {
        connack(&mut eventloop).await.expect("a session");
        let log =
            String::from_utf8_lossy(&std::mem::take(&mut *captured.0.lock().expect("no panic"))).into_owned();
        assert!(log.contains("Sending frame"), "{log}");
        assert_eq!(log.contains("X-Amz-Signature"), shown, "{log}");
    }
}

#[tokio::test]
async fn a_wrong_clock() {
    let gateway = Gateway::start(Script { clock_offset_seconds: 600, ..Script::default() }).await;
    let (_client, mut first) = presign_alone(&gateway);
    assert!(connack(&mut first).await.expect_err("no session").to_string().contains("403"));
    let (_client, mut second) = with_transport(&connector(&gateway));
    connack(&mut second).await.expect("a session");
}
