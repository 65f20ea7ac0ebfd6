//! `application`: the example that goes on for years, and what it says and does while its server has no fault after
//! CONNACK.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep;

use crate::gateway::http::Refusal;
use crate::gateway::mqtt::packet;
use crate::gateway::websocket::BINARY;
use crate::gateway::{ACCESS_KEY, Act, Event, Gateway, REGION, SECRET, Script, Stage, connack, frame};
use crate::program::Program;
use crate::relay::Relay;
use crate::running::{Running, example};

pub const CLIENT_ID: &str = "sensor-7";
pub const TOPIC: &str = "some/topic";

/// This program as the application at this endpoint, without credentials.
pub fn aimed(program: Program, ca_file: &Path, endpoint: &str) -> Program {
    let program = program.args([endpoint, CLIENT_ID, TOPIC]);
    program.env("AWS_REGION", REGION).env("AWS_CA_BUNDLE", ca_file)
}

fn application(gateway: &Gateway, endpoint: &str) -> Program {
    aimed(example("application"), gateway.ca_file(), endpoint)
}

pub fn with_keys(program: Program) -> Program {
    program.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET)
}

/// The application at this gateway.
pub fn started(gateway: &Gateway) -> Running {
    Running::start(with_keys(application(gateway, &gateway.endpoint())))
}

/// How many failures were explained.
pub fn errors(stderr: &str) -> usize {
    stderr.lines().filter(|line| line.starts_with("error: ")).count()
}

pub fn count(gateway: &Gateway, wanted: impl Fn(&Event) -> bool) -> usize {
    gateway.connections().iter().flatten().filter(|event| wanted(event)).count()
}

#[tokio::test]
async fn it_goes_on_after_two_cuts() {
    let gateway = Gateway::start(Script::default()).await;
    let relay = Relay::to(&gateway).await;
    let application = Running::start(with_keys(application(&gateway, &relay.endpoint())));
    application.says("received b\"hello\"", 1).await;
    for connections in [2, 3] {
        relay.cut();
        application.says("connected", connections).await;
        application.says("received b\"hello\"", connections).await;
    }
    assert_eq!(count(&gateway, |event| matches!(event, Event::Signed(_))), 3);
    assert_eq!(
        application.stderr().matches("error: the connection was lost").count(),
        2,
        "{}",
        application.stderr()
    );
}

#[cfg(unix)]
#[tokio::test]
async fn it_waits_for_credentials_that_take_six_seconds() {
    let gateway = Gateway::start(Script::default()).await;
    let keys = format!(r#"{{"Version":1,"AccessKeyId":"{ACCESS_KEY}","SecretAccessKey":"{SECRET}"}}"#);
    let program = application(&gateway, &gateway.endpoint()).file("keys.json", &keys);
    let command = format!("sleep 6 && cat {}", program.home("keys.json").display());
    let program = program.file(".aws/config", &format!("[default]\ncredential_process = {command}\n"));
    let application = Running::start(program);
    application.says("connected", 1).await;
    assert_eq!((gateway.connections().len(), application.stderr().as_str()), (1, ""));
}

#[tokio::test]
async fn it_explains_a_refusal_once_and_tries_again_at_growing_intervals() {
    let gateway = Gateway::start(Script { region: "eu-west-3".to_owned(), ..Script::default() }).await;
    let application = started(&gateway);
    let mut attempts = Vec::new();
    for nth in 1..=4 {
        application
            .until("refused", || count(&gateway, |event| matches!(event, Event::Refused { .. })) >= nth)
            .await;
        attempts.push(Instant::now());
    }
    for (pause, least) in attempts.windows(2).zip([1, 2, 4]) {
        let pause = pause[1] - pause[0];
        assert!(pause > Duration::from_secs(least) - Duration::from_millis(100), "{least} s, but {pause:?}");
    }
    let stderr = application.stderr();
    assert_eq!(stderr.matches("error: the server refused the upgrade with 403").count(), 1, "{stderr}");
    assert!(stderr.contains("hint: "), "{stderr}");
}

#[tokio::test]
async fn it_prints_the_policy_that_is_missing() {
    let denied = Act::Send(frame(BINARY, true, &connack(0x87, Some("No policy."))));
    let gateway = Gateway::start(Script::fault(Stage::Connect, [denied])).await;
    let application = started(&gateway);
    application.until("explained", || application.stderr().contains("Cognito")).await;
    let stderr = application.stderr();
    let resource = format!(r#""Resource":"arn:aws:iot:{REGION}:<account>:client/{CLIENT_ID}""#);
    for text in ["Not authorized (0x87)", "reason: No policy.", r#""Action":"iot:Connect""#, &resource] {
        assert!(stderr.contains(text), "{text}: {stderr}");
    }
}

/// A CONNACK as IoT Core words it: its reason string ends in an ID that is another one each time.
#[tokio::test]
async fn it_explains_equal_refusals_once_though_their_ids_differ() {
    let refused = |id: &str| {
        let reason = format!("CONNACK:Client is not authenticated/authorized to send the message:{id}");
        Script::fault(Stage::Connect, [Act::Send(frame(BINARY, true, &connack(0x87, Some(&reason))))])
    };
    let ids = ["14e6c214-8269-42af-6ac7-e1fe6c8e0b6f", "665c4287-913a-7661-ce30-76375addd23c"];
    let gateway = Gateway::start_with(ids.map(refused).into()).await;
    let application = started(&gateway);
    application.until("refused three times", || gateway.connections().len() >= 3).await;
    let stderr = application.stderr();
    assert_eq!(errors(&stderr), 1, "{stderr}");
}

#[tokio::test]
async fn it_explains_another_refusal_with_the_same_status() {
    let refused = |message: &str| {
        let refusal = Refusal::forbidden(message).response(SystemTime::now().into());
        Script::fault(Stage::Request, [Act::Send(refusal.into())])
    };
    let messages = [
        "Signature expired: 20261125T120000Z is now earlier than 20261125T120500Z (20261125T121000Z - 5 min.)",
        "The security token included in the request is invalid.",
    ];
    let gateway = Gateway::start_with(messages.map(refused).into()).await;
    let application = started(&gateway);
    gateway.finished(3).await;
    sleep(Duration::from_millis(200)).await;
    let stderr = application.stderr();
    for message in messages {
        assert_eq!(stderr.matches(&format!("message: {message}")).count(), 1, "{message}: {stderr}");
    }
}

/// rumqttc puts the keep-alive of a CONNACK into its own options.
#[tokio::test]
async fn every_attempt_begins_with_its_own_keep_alive() {
    let no_keep_alive = packet(0x20, &[0, 0, 3, 0x13, 0, 0]);
    let connack = Act::Send(frame(BINARY, true, &no_keep_alive));
    let gateway = Gateway::start(Script::fault(Stage::Connect, [connack, Act::Resume])).await;
    let relay = Relay::to(&gateway).await;
    let application = Running::start(with_keys(application(&gateway, &relay.endpoint())));
    application.says("received", 1).await;
    relay.cut();
    application.says("received", 2).await;
    let keep_alives = gateway.connections().into_iter().flatten().filter_map(|event| match event {
        Event::Connect(connect) => Some(connect.keep_alive),
        _ => None,
    });
    assert_eq!(keep_alives.collect::<Vec<_>>(), [60, 60]);
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
