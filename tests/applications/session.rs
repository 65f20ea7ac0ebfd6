//! `application` after CONNACK: the server refuses a subscription or a message, ends the session, or does not answer.

use std::time::{Duration, Instant};

use crate::application::{CLIENT_ID, TOPIC, errors, start, started, statement};
use crate::gateway::websocket::{BINARY, TEXT};
use crate::gateway::{Act, Event, Gateway, Script, Stage, disconnect, disconnect_because, frame};
use crate::relay::Relay;
use crate::running::example;

fn packet(packet: &[u8]) -> Act {
    Act::Send(frame(BINARY, true, packet))
}

fn count(gateway: &Gateway, wanted: impl Fn(&Event) -> bool) -> usize {
    gateway.connections().iter().flatten().filter(|event| wanted(event)).count()
}

fn is_publish(event: &Event) -> bool {
    matches!(event, Event::Publish { .. })
}

/// The wait begins with one second, and doubles with each refused SUBSCRIBE and with the cut. The refused message
/// leaves it so, since that is no success. The wait after the last refused SUBSCRIBE, which has no random part, shows
/// it.
#[tokio::test]
async fn refused_topics_are_explained_once_and_tried_again_at_growing_intervals() {
    let refusing = Script { subacks: vec![0x87], pubacks: vec![0x87], ..Script::default() };
    let gateway = Gateway::start(refusing).await;
    let relay = Relay::to(&gateway).await;
    let application = start(example("application"), &relay.endpoint(), gateway.ca_file());
    let lines = [
        format!("error: the server refused the subscription to {TOPIC:?}: Not authorized (0x87)"),
        statement("iot:Subscribe", &format!("topicfilter/{TOPIC}")),
        statement("iot:Receive", &format!("topic/{TOPIC}")),
        format!("error: the server refused the message to {TOPIC:?}: Not authorized (0x87)"),
        statement("iot:Publish", &format!("topic/{TOPIC}")),
    ];
    for line in &lines {
        let said = || application.stderr().lines().any(|said| said == line);
        application.until(&format!("saying {line}"), said).await;
    }
    let cut = Instant::now();
    relay.cut();
    gateway.seen(1, is_publish).await;
    assert!(cut.elapsed() >= Duration::from_secs(1 + 4), "{:?}", cut.elapsed());
    let stderr = application.stderr();
    // The first subscription, the message, the cut, and the subscription after it.
    assert_eq!(errors(&stderr), 4, "{stderr}");
    for events in gateway.connections() {
        let subscribed = events.iter().take_while(|event| !is_publish(event));
        let subscribed = subscribed.filter(|event| **event == Event::Subscribe);
        assert_eq!(subscribed.count(), 2, "{events:#?}");
    }
    application.says("subscribed", 2).await;
    assert_eq!(application.stdout(), "connected\nsubscribed\n".repeat(2));
}

/// The server ends the connection again and again, each time after a successful CONNACK.
#[tokio::test]
async fn the_end_of_a_session_is_explained_once() {
    let ended = |code| packet(&disconnect(code));
    let taken_over = format!("another client connected as {CLIENT_ID}");
    let policy = "SUBSCRIBE or PUBLISH that no policy allows";
    let mut running = Vec::new();
    for (stage, act, error, text) in [
        // IoT Core may do so if no policy allows the topic.
        (Stage::Subscribe, Act::Abort, "the connection was lost", policy),
        (Stage::Publish, Act::Abort, "the connection was lost", policy),
        (Stage::Subscribe, ended(0x8F), "(0x8F)", "topic filter is not valid"),
        (Stage::Subscribe, ended(0x97), "(0x97)", "8 topic filters in a SUBSCRIBE"),
        (Stage::Publish, ended(0x87), "(0x87)", policy),
        (Stage::Publish, ended(0x8E), "(0x8E)", &taken_over),
        (Stage::Publish, ended(0x90), "(0x90)", "topic name is not valid"),
        (Stage::Publish, ended(0x93), "(0x93)", "receive maximum in CONNACK"),
        (Stage::Publish, ended(0x94), "(0x94)", "topic alias maximum in CONNACK"),
        (Stage::Publish, ended(0x95), "(0x95)", "packets of up to 128 KB"),
        (Stage::Publish, ended(0x97), "(0x97)", "100 publishes a second on a connection"),
        (Stage::Publish, packet(&disconnect_because(0x98, "Bye.")), "(0x98)", "  reason: Bye."),
        (Stage::Publish, ended(0x9B), "(0x9B)", "no QoS 2"),
        (Stage::Publish, ended(0xA1), "(0xA1)", "no subscription identifiers"),
        (
            Stage::Publish,
            Act::Send(frame(TEXT, true, b"hello")),
            "stopped speaking MQTT",
            "not answer like this",
        ),
    ] {
        let gateway = Gateway::start(Script::fault(stage, [act])).await;
        running.push((started(&gateway), gateway, error, text));
    }
    for (application, gateway, error, text) in running {
        application.until("going on", || gateway.connections().len() >= 3).await;
        let stderr = application.stderr();
        assert_eq!(errors(&stderr), 1, "{stderr}");
        let first = stderr.lines().next().expect("a line");
        assert!(first.contains(error) && stderr.contains(text), "{error}, {text}: {stderr}");
        // A hint about CONNECT, or about another cause, would be wrong here.
        assert!(stderr.matches("hint: ").count() <= 1, "{stderr}");
        // Whoever connects anew must not subscribe once more for every connection that was lost.
        for events in gateway.connections() {
            let subscribed = events.iter().filter(|event| **event == Event::Subscribe).count();
            assert!(subscribed <= 1, "{events:#?}");
        }
    }
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
    assert!(stderr.contains("no SUBACK for \"some/topic\" in 30 s"), "{stderr}");
    assert!(stderr.contains("error: the deadline of 30 s passed in the phase MQTT"), "{stderr}");
    application.says("received b\"hello\"", 1).await;
    assert_eq!(count(&gateway, |event| *event == Event::Subscribe), 2);
}

/// A laptop that slept sends one message when it wakes, and not one for every tick that it missed.
#[cfg(unix)]
#[tokio::test]
#[ignore = "takes 35 seconds, since the example publishes every ten"]
async fn a_stop_is_not_made_up_for() {
    use tokio::time::sleep;

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
