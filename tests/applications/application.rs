//! `application`: the example that goes on for years, and what it says and does while its server has no fault after
//! CONNACK.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rumqttc::{AsyncClient, MqttOptions, Packet, QoS};
use sigv4_websocket::{Connector, Credentials};

use crate::gateway::http::Refusal;
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::BINARY;
use crate::gateway::{
    ACCESS_KEY, Act, Event, Gateway, REGION, SECRET, Script, Stage, connack, frame, publish,
};
use crate::program::Program;
use crate::relay::Relay;
use crate::running::{Running, example};

pub const CLIENT_ID: &str = "sensor-7";
pub const TOPIC: &str = "some/topic";

/// Starts this program as the application.
pub fn start(program: Program, endpoint: &str, ca_file: &Path) -> Running {
    let program = program.args([endpoint, CLIENT_ID, TOPIC]).env("AWS_REGION", REGION);
    let program = program.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
    Running::start(program.env("AWS_CA_BUNDLE", ca_file))
}

/// The application at this gateway.
pub fn started(gateway: &Gateway) -> Running {
    start(example("application"), &gateway.endpoint(), gateway.ca_file())
}

/// The statement of a policy that allows this, as a hint shows it.
pub fn statement(action: &str, resource: &str) -> String {
    let arn = format!("arn:aws:iot:{REGION}:<account>:{resource}");
    format!(r#"hint: {{"Action":"{action}","Effect":"Allow","Resource":"{arn}"}}"#)
}

/// How many failures were explained.
pub fn errors(stderr: &str) -> usize {
    stderr.lines().filter(|line| line.starts_with("error: ")).count()
}

/// rumqttc puts the keep-alive of a CONNACK, here 0, into its own options.
#[tokio::test]
async fn it_goes_on_after_two_cuts_with_its_own_keep_alive() {
    let connack = frame(BINARY, true, &packet(0x20, &[0, 0, 3, 0x13, 0, 0]));
    let gateway = Gateway::start(Script::fault(Stage::Connect, [Act::Send(connack), Act::Resume])).await;
    let relay = Relay::to(&gateway).await;
    let application = start(example("application"), &relay.endpoint(), gateway.ca_file());
    application.says("received b\"hello\"", 1).await;
    for sessions in [2, 3] {
        relay.cut();
        application.says("received b\"hello\"", sessions).await;
    }
    let keep_alives = gateway.connections().into_iter().flatten().filter_map(|event| match event {
        Event::Connect(connect) => Some(connect.keep_alive),
        _ => None,
    });
    assert_eq!(keep_alives.collect::<Vec<_>>(), [60, 60, 60]);
    let stderr = application.stderr();
    assert_eq!(stderr.matches("error: the connection was lost").count(), 2, "{stderr}");
}

/// rumqttc takes 10 KiB unless it is told otherwise, and IoT Core sends payloads of up to 128 KiB. It also gives an attempt
/// five seconds, which is too short for some sources of credentials.
#[tokio::test]
async fn rumqttc_is_told_how_long_messages_and_attempts_may_be() {
    let message = frame(BINARY, true, &publish("t", &[b'x'; 128 * 1024]));
    let gateway = Gateway::start(Script::fault(Stage::Subscribe, [Act::Send(message), Act::Resume])).await;
    let keys = Credentials::new(ACCESS_KEY, SECRET, None, None, "test");
    let settings = Connector::builder(gateway.endpoint().parse().expect("an endpoint")).credentials(keys);
    let settings =
        settings.region(REGION).ca_file(gateway.ca_file()).connect_timeout(Duration::from_secs(20));
    let mut options = MqttOptions::new(CLIENT_ID, "unused");
    settings.build().expect("a connector").attach(&mut options);
    assert!(options.connect_timeout() > Duration::from_secs(20), "{:?}", options.connect_timeout());
    let (client, mut eventloop) = AsyncClient::builder(options).build();
    client.try_subscribe("t", QoS::AtMostOnce).expect("room");
    let message = loop {
        if let rumqttc::Event::Incoming(Packet::Publish(message)) = eventloop.poll().await.expect("a session")
        {
            break message;
        }
    };
    assert_eq!(message.payload.len(), 128 * 1024);
}

#[tokio::test]
async fn it_waits_after_a_refusal_and_explains_the_next_one() {
    let messages = [
        "Signature expired: 20261125T120000Z is now earlier than 20261125T120500Z",
        "The security token included in the request is invalid.",
    ];
    let refused = |message| {
        let refusal = Refusal::forbidden(message).response(SystemTime::now().into());
        Script::fault(Stage::Request, [Act::Send(refusal.into())])
    };
    let mut scripts: Vec<_> = messages.map(refused).into();
    let connack = frame(BINARY, true, &connack(0x87, Some("No policy.")));
    scripts.push(Script::fault(Stage::Connect, [Act::Send(connack)]));
    let gateway = Gateway::start_with(scripts).await;
    let began = Instant::now();
    let application = started(&gateway);
    gateway.seen(1, |event| *event == Event::Accepted).await;
    assert!(began.elapsed() > Duration::from_secs(1), "{:?}", began.elapsed());
    application.until("explained", || application.stderr().contains("iot:Connect")).await;
    let stderr = application.stderr();
    assert_eq!(errors(&stderr), 3, "{stderr}");
    assert_eq!(stderr.matches("error: the server refused the upgrade with 403").count(), 2, "{stderr}");
    let statement = statement("iot:Connect", &format!("client/{CLIENT_ID}"));
    for text in messages.into_iter().chain(["Not authorized (0x87)", "reason: No policy.", &statement]) {
        assert!(stderr.contains(text), "{text}: {stderr}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn it_ends_cleanly_at_a_signal() {
    for signal in ["INT", "TERM"] {
        let gateway = Gateway::start(Script::default()).await;
        let mut application = started(&gateway);
        application.says("received", 1).await;
        assert_eq!(application.stop(signal).await, Some(0), "{signal}");
        gateway.finished(1).await;
        let events = &gateway.connections()[0];
        assert!(events.ends_with(&crate::gateway::CLEAN_CLOSE), "{signal}: {events:#?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn it_ends_at_a_signal_without_a_session_too() {
    let gateway = Gateway::start(Script::fault(Stage::Accept, [Act::Hold])).await;
    let mut application = started(&gateway);
    gateway.seen(0, |event| *event == Event::Accepted).await;
    assert_eq!(application.stop("TERM").await, Some(0));
    assert_eq!(gateway.connections().len(), 1);
}
