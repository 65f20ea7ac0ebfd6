//! `application` after CONNACK: the server refuses a subscription or a message, ends the session, or does not answer.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::application::{CLIENT_ID, TOPIC, aimed, count, errors, started, with_keys};
use crate::gateway::websocket::{BINARY, TEXT};
use crate::gateway::{
    Act, Event, Gateway, REGION, Script, Stage, connack, disconnect, disconnect_because, frame,
};
use crate::relay::Relay;
use crate::running::{Running, example};

fn packet(packet: &[u8]) -> Act {
    Act::Send(frame(BINARY, true, packet))
}

/// The statement of a policy that allows this, as a hint shows it.
fn statement(action: &str, resource: &str) -> String {
    let arn = format!("arn:aws:iot:{REGION}:<account>:{resource}");
    format!(r#"hint: {{"Action":"{action}","Effect":"Allow","Resource":"{arn}"}}"#)
}

fn is_publish(event: &Event) -> bool {
    matches!(event, Event::Publish { .. })
}

#[tokio::test]
async fn a_refused_subscription_is_explained_and_tried_again_on_the_same_connection() {
    let gateway = Gateway::start(Script { subacks: vec![0x87; 3], ..Script::default() }).await;
    let application = started(&gateway);
    let mut attempts = Vec::new();
    for nth in 1..=4 {
        let subscribed = || count(&gateway, |event| *event == Event::Subscribe) >= nth;
        application.until("subscribing", subscribed).await;
        attempts.push(Instant::now());
        let published = count(&gateway, is_publish);
        assert!(nth == 4 || published == 0, "published after {nth} refusals");
    }
    for (pause, least) in attempts.windows(2).zip([1, 2, 4]) {
        let pause = pause[1] - pause[0];
        assert!(pause > Duration::from_secs(least) - Duration::from_millis(100), "{least} s, but {pause:?}");
    }
    application.says("received b\"hello\"", 1).await;
    assert_eq!(gateway.connections().len(), 1);
    let (stdout, stderr) = (application.stdout(), application.stderr());
    assert_eq!(stdout[..2], ["connected", "subscribed"], "{stdout:?}");
    let refused = format!("error: the server refused the subscription to {TOPIC:?}: Not authorized (0x87)");
    assert_eq!(errors(&stderr), 1, "{stderr}");
    for line in [
        refused,
        statement("iot:Subscribe", &format!("topicfilter/{TOPIC}")),
        statement("iot:Receive", &format!("topic/{TOPIC}")),
    ] {
        assert!(stderr.lines().any(|said| said == line), "{line}: {stderr}");
    }
}

#[tokio::test]
async fn a_refused_message_is_explained_once_and_the_next_one_is_sent() {
    let gateway = Gateway::start(Script { pubacks: vec![0x87; 9], ..Script::default() }).await;
    let application = started(&gateway);
    application.until("publishing twice", || count(&gateway, is_publish) == 2).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(gateway.connections().len(), 1);
    let stderr = application.stderr();
    let refused = format!("error: the server refused the message to {TOPIC:?}: Not authorized (0x87)");
    assert_eq!(errors(&stderr), 1, "{stderr}");
    for line in [refused, statement("iot:Publish", &format!("topic/{TOPIC}"))] {
        assert!(stderr.lines().any(|said| said == line), "{line}: {stderr}");
    }
}

/// The waits: at least one second after the first refusal of CONNECT, one to three after the cut, and so at least four after
/// the second refusal, but two if a refused message counted as a success.
#[tokio::test]
async fn a_refused_message_is_no_success() {
    let no_connection = || Script::fault(Stage::Connect, [packet(&connack(0x87, None))]);
    let session = Script { pubacks: vec![0x87; 9], ..Script::default() };
    let gateway = Gateway::start_with(vec![no_connection(), session, no_connection()]).await;
    let relay = Relay::to(&gateway).await;
    let application =
        Running::start(with_keys(aimed(example("application"), gateway.ca_file(), &relay.endpoint())));
    application.until("refused", || application.stderr().contains("refused the message")).await;
    relay.cut();
    gateway.seen(2, |event| matches!(event, Event::Connect(_))).await;
    let refused = Instant::now();
    application.until("trying again", || gateway.connections().len() == 4).await;
    assert!(refused.elapsed() > Duration::from_millis(3900), "{:?}", refused.elapsed());
}

/// IoT Core may end the connection after a SUBSCRIBE or PUBLISH that no policy allows, each time after a successful CONNACK.
#[tokio::test]
async fn the_end_of_a_connection_is_explained_once_where_a_topic_is_forbidden() {
    let mut running = Vec::new();
    for stage in [Stage::Subscribe, Stage::Publish] {
        let gateway = Gateway::start(Script::fault(stage, [Act::Abort])).await;
        running.push((stage, started(&gateway), gateway));
    }
    for (stage, application, gateway) in running {
        application.until("going on", || gateway.connections().len() >= 3).await;
        // Whoever connects anew must not subscribe once more for every connection that was lost.
        for events in gateway.connections() {
            let subscribed = events.iter().filter(|event| **event == Event::Subscribe).count();
            assert!(subscribed <= 1, "{stage:?}: {events:#?}");
        }
        let stderr = application.stderr();
        assert_eq!(stderr.matches("error: the connection was lost").count(), 1, "{stage:?}: {stderr}");
        assert_eq!(errors(&stderr), 1, "{stage:?}: {stderr}");
        assert!(stderr.contains("SUBSCRIBE or PUBLISH that no policy allows"), "{stage:?}: {stderr}");
    }
}

#[tokio::test]
async fn a_disconnect_says_once_what_iot_core_means_by_it() {
    let mut running = Vec::new();
    for (stage, code, name, meaning) in [
        (Stage::Publish, 0x93, "Receive maximum exceeded", "receive maximum in CONNACK"),
        (Stage::Publish, 0x94, "Topic alias invalid", "topic alias maximum in CONNACK"),
        (Stage::Publish, 0x95, "Packet too large", "packets of up to 128 KB"),
        (Stage::Publish, 0x8F, "Topic filter invalid", "topic filter is not valid"),
        (Stage::Publish, 0x90, "Topic name invalid", "topic name is not valid"),
        (Stage::Publish, 0x9B, "QoS not supported", "no QoS 2"),
        (Stage::Publish, 0xA1, "Subscription identifiers not supported", "no subscription identifiers"),
        (Stage::Publish, 0x97, "Quota exceeded", "100 publishes a second on a connection, 50 subscriptions"),
        (Stage::Publish, 0x8E, "Session taken over", &format!("another client connected as {CLIENT_ID}")),
        (Stage::Publish, 0x87, "Not authorized", "SUBSCRIBE or PUBLISH that no policy allows"),
        (Stage::Subscribe, 0x8F, "Topic filter invalid", "topic filter is not valid"),
        (Stage::Subscribe, 0x97, "Quota exceeded", "8 topic filters in a SUBSCRIBE"),
    ] {
        let gateway = Gateway::start(Script::fault(stage, [packet(&disconnect(code))])).await;
        let lines =
            [format!("error: the server ended the session: {name} (0x{code:02X})"), meaning.to_owned()];
        running.push((started(&gateway), gateway, lines));
    }
    for (application, gateway, lines) in running {
        application.until("going on", || gateway.connections().len() >= 3).await;
        let stderr = application.stderr();
        for line in &lines {
            assert_eq!(stderr.matches(line).count(), 1, "{line}: {stderr}");
        }
        assert_eq!(errors(&stderr), 1, "{lines:?}: {stderr}");
        // The hint about CONNECT would be wrong here.
        assert!(!stderr.contains("1 CONNECT per second"), "{stderr}");
    }
}

#[tokio::test]
async fn the_reason_of_a_disconnect_is_shown() {
    let taken_over = disconnect_because(0x98, "Closed by an administrator.");
    let gateway = Gateway::start(Script::fault(Stage::Publish, [packet(&taken_over)])).await;
    let application = started(&gateway);
    application.until("explained", || application.stderr().contains("Administrative action (0x98)")).await;
    let shown = || application.stderr().contains("  reason: Closed by an administrator.");
    application.until("giving the reason", shown).await;
}

#[tokio::test]
async fn broken_frames_are_not_taken_for_a_policy() {
    let text = Act::Send(frame(TEXT, true, b"hello"));
    let gateway = Gateway::start(Script::fault(Stage::Publish, [text])).await;
    let application = started(&gateway);
    application.until("explained", || application.stderr().contains("hint: ")).await;
    let stderr = application.stderr();
    assert!(stderr.contains("error: the server stopped speaking MQTT over WebSocket"), "{stderr}");
    assert!(stderr.contains("IoT Core does not answer like this") && !stderr.contains("policy"), "{stderr}");
}

#[tokio::test]
#[ignore = "takes 30 seconds, the time that the example gives a SUBACK"]
async fn a_suback_that_never_comes_is_noticed() {
    let silent = Script::fault(Stage::Subscribe, [Act::Resume]);
    let gateway = Gateway::start_with(vec![silent, Script::default()]).await;
    let application = started(&gateway);
    application.says("connected", 1).await;
    let connected = Instant::now();
    application.until("explained", || application.stderr().contains("hint: ")).await;
    let noticed = connected.elapsed();
    assert!((29..32).contains(&noticed.as_secs()), "{noticed:?}");
    let stderr = application.stderr();
    assert!(stderr.contains("error: the deadline of 30 s passed in the phase MQTT"), "{stderr}");
    application.says("received b\"hello\"", 1).await;
    assert_eq!(count(&gateway, |event| *event == Event::Subscribe), 2);
}

/// A laptop that slept sends one message when it wakes, and not one for every tick that it missed.
#[cfg(unix)]
#[tokio::test]
#[ignore = "takes 35 seconds, since the example publishes every ten"]
async fn a_stop_is_not_made_up_for() {
    let gateway = Gateway::start(Script::default()).await;
    let application = started(&gateway);
    application.says("received", 1).await;
    application.signal("STOP").await;
    sleep(Duration::from_secs(34)).await;
    let before = count(&gateway, is_publish);
    application.signal("CONT").await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(count(&gateway, is_publish) - before, 1);
    assert_eq!((application.stderr().as_str(), gateway.connections().len()), ("", 1));
}
