//! An application that publishes and receives for years: it reconnects after every cut, and says why if it cannot.
//!
//! `cargo run --example application -- <id>-ats.iot.<region>.amazonaws.com`

use std::{error::Error, pin::pin, time::Duration};

use rumqttc::Packet::{ConnAck, PubAck, Publish, SubAck};
use rumqttc::{AsyncClient, Event, MqttOptions, PublishOptions, QoS};
use sigv4_websocket::{Connector, Failure, Phase};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const SUBACK_TIME: Duration = Duration::from_secs(30);

#[derive(PartialEq)]
enum State {
    Connecting,
    Subscribing,
    Refused,
    Subscribed,
}

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(run());
    // A name resolution that is still running must not hold up the exit.
    runtime.shutdown_background();
    result
}

async fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().ok_or("usage: application ENDPOINT [CLIENT_ID [TOPIC]]")?;
    let client_id = arguments.next().unwrap_or("my-device".to_owned());
    let topic = arguments.next().unwrap_or("my/topic".to_owned());
    // Region, credentials, root certificates and proxy come from the endpoint's name and the environment.
    let connector = Connector::builder(endpoint.parse()?).build()?;
    let mut mqtt = MqttOptions::new(&client_id, "unused: the connector knows the endpoint");
    mqtt.set_outgoing_inflight_upper_limit(100).set_max_request_batch(16);
    connector.attach(&mut mqtt);
    let (client, mut eventloop) = AsyncClient::builder(mqtt.clone()).build();

    let mut told: Option<Failure> = None;
    // The same failure is not explained twice in a row.
    let tell = |told: &mut Option<Failure>, failure: Failure| {
        if !told.as_ref().is_some_and(|told| failure.is_like(told)) {
            eprint!("{}", connector.explain(&failure, &client_id));
        }
        *told = Some(failure);
    };
    let mut ticks = interval(Duration::from_secs(10));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut state, mut due, mut wait) = (State::Connecting, Instant::now(), FIRST_WAIT);
    let mut stop = pin!(stop());
    loop {
        let event = tokio::select! {
            biased;
            () = &mut stop => break,
            _ = ticks.tick(), if state == State::Subscribed => {
                let published = client.try_publish(topic.as_str(), "hello", PublishOptions::new(QoS::AtLeastOnce));
                published.unwrap_or_else(|error| eprintln!("not published: {error}"));
                continue;
            }
            () = sleep_until(due), if state == State::Subscribing => {
                eprintln!("no SUBACK for {topic:?} in {} s", SUBACK_TIME.as_secs());
                eventloop.clean();
                Err(Failure::deadline(Phase::Mqtt, SUBACK_TIME))
            }
            () = sleep_until(due), if state == State::Refused => {
                client.try_subscribe(&topic, QoS::AtLeastOnce)?;
                (state, due) = (State::Subscribing, Instant::now() + SUBACK_TIME);
                continue;
            }
            event = eventloop.poll() => event.map_err(Failure::from),
        };
        match event {
            Ok(Event::Incoming(ConnAck(_))) => {
                println!("connected");
                client.try_subscribe(&topic, QoS::AtLeastOnce)?;
                (state, due) = (State::Subscribing, Instant::now() + SUBACK_TIME);
            }
            Ok(Event::Incoming(SubAck(answer))) => match Failure::from_suback(&answer, &[&topic]).pop() {
                None => {
                    println!("subscribed");
                    state = State::Subscribed;
                    ticks.reset_immediately();
                }
                Some(refused) => {
                    tell(&mut told, refused);
                    (state, due) = (State::Refused, Instant::now() + wait);
                    wait = LONGEST_WAIT.min(wait * 2);
                }
            },
            // Only a message that was accepted shows that the session works.
            Ok(Event::Incoming(PubAck(answer))) => match Failure::from_puback(&answer, &topic) {
                None => (told, wait) = (None, FIRST_WAIT),
                Some(refused) => tell(&mut told, refused),
            },
            Ok(Event::Incoming(Publish(message))) => println!("received {:?}", message.payload),
            Ok(_) => {}
            Err(failure) => {
                // Final failures are tried again too, since somebody may change something. The wait is random, so that
                // devices that failed together do not come back together.
                let pause = failure.retry_after().unwrap_or(wait) + wait.mul_f64(fastrand::f64());
                tell(&mut told, failure);
                (state, wait) = (State::Connecting, LONGEST_WAIT.min(wait * 2));
                // rumqttc puts into its options what the last CONNACK said, such as another keep-alive.
                eventloop.options = mqtt.clone();
                tokio::select! { () = sleep(pause) => {}, () = &mut stop => break }
            }
        }
    }

    // DISCONNECT if there is a session, then the close of WebSocket, TLS and TCP.
    client.try_disconnect_now()?;
    timeout(FIRST_WAIT, async { while eventloop.poll().await.is_ok() {} }).await.ok();
    drop(eventloop);
    connector.closed().await;
    Ok(())
}

/// Ends at Ctrl-C, or at SIGTERM on systems that have it.
async fn stop() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! { _ = terminate.recv() => return, _ = tokio::signal::ctrl_c() => return }
    }
    tokio::signal::ctrl_c().await.ok();
}
