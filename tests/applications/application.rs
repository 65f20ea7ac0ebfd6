//! `application`: the example that uses `transport` and `diagnosis` as the README describes.

use std::time::{Duration, Instant};

use crate::gateway::websocket::BINARY;
use crate::gateway::{ACCESS_KEY, Act, Event, Gateway, REGION, SECRET, Script, Stage, connack, frame};
use crate::program::Program;
use crate::relay::Relay;
use crate::running::{Running, example};

const CLIENT_ID: &str = "sensor-7";

/// The application at this endpoint, without credentials.
fn application(gateway: &Gateway, endpoint: &str) -> Program {
    let program = example("application").aimed_at(endpoint, gateway.ca_file(), REGION);
    program.args(["--client-id", CLIENT_ID, "--topic", "some/topic"])
}

fn with_keys(program: Program) -> Program {
    program.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET)
}

fn count(gateway: &Gateway, wanted: impl Fn(&Event) -> bool) -> usize {
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
    let application = Running::start(with_keys(application(&gateway, &gateway.endpoint())));
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
    let application = Running::start(with_keys(application(&gateway, &gateway.endpoint())));
    application.until("explained", || application.stderr().contains("Cognito")).await;
    let stderr = application.stderr();
    let resource = format!(r#""Resource":"arn:aws:iot:{REGION}:<account>:client/{CLIENT_ID}""#);
    for text in ["Not authorized (0x87)", "reason: No policy.", r#""Action":"iot:Connect""#, &resource] {
        assert!(stderr.contains(text), "{text}: {stderr}");
    }
}

/// IoT Core ends the connection after a SUBSCRIBE that no policy allows, each time after a successful
/// CONNACK.
#[tokio::test]
async fn it_slows_down_where_a_topic_is_forbidden() {
    let gateway = Gateway::start(Script::fault(Stage::Subscribe, [Act::Abort])).await;
    let application = Running::start(with_keys(application(&gateway, &gateway.endpoint())));
    let began = Instant::now();
    application.says("connected", 1).await;
    application.until("explained", || application.stderr().contains("error: the connection was lost")).await;
    while began.elapsed() < Duration::from_secs(8) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // If the waits did not grow, half a second on average, there would be about 16 connections.
    assert!(gateway.connections().len() < 12, "{}", gateway.connections().len());
    let stderr = application.stderr();
    assert_eq!(stderr.matches("error: the connection was lost").count(), 1, "{stderr}");
    assert!(stderr.contains("SUBSCRIBE or PUBLISH that no policy allows"), "{stderr}");
}

#[cfg(unix)]
#[tokio::test]
async fn it_ends_cleanly_at_a_signal() {
    for signal in ["INT", "TERM"] {
        let gateway = Gateway::start(Script::default()).await;
        let mut application = Running::start(with_keys(application(&gateway, &gateway.endpoint())));
        application.says("received", 1).await;
        assert_eq!(application.stop(signal).await, Some(0), "{signal}");
        gateway.finished(1).await;
        let goodbye = [
            Event::Disconnect { reason_code: 0 },
            Event::Close { code: Some(1000) },
            Event::CloseNotify,
            Event::Fin,
        ];
        let events = &gateway.connections()[0];
        assert!(events.ends_with(&goodbye), "{signal}: {events:#?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn it_ends_at_a_signal_without_a_session_too() {
    let gateway = Gateway::start(Script::fault(Stage::Accept, [Act::Hold])).await;
    let mut application = Running::start(with_keys(application(&gateway, &gateway.endpoint())));
    gateway.seen(0, |event| *event == Event::Accepted).await;
    assert_eq!(application.stop("TERM").await, Some(0));
    assert_eq!(gateway.connections().len(), 1);
}
