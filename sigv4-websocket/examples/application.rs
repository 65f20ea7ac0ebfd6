//! An application that reconnects after every cut, and says why if it cannot.
//!
//! `cargo run --example application -- --endpoint <id>-ats.iot.<region>.amazonaws.com`

use std::{error::Error, path::PathBuf, pin::pin, time::Duration};

use clap::Parser;
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, PublishOptions, QoS};
use sigv4_websocket::{Connector, Endpoint, Failure};
use tokio::time::{sleep, timeout};

const FIRST_WAIT: Duration = Duration::from_secs(1);

#[derive(Parser)]
struct Options {
    #[arg(long)]
    endpoint: Endpoint,
    #[arg(long)]
    region: Option<String>,
    #[arg(long)]
    ca_file: Option<PathBuf>,
    #[arg(long, default_value = "my-device")]
    client_id: String,
    #[arg(long, default_value = "my/topic")]
    topic: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { endpoint, region, ca_file, client_id, topic } = Options::parse();
    let mut settings = Connector::builder(endpoint);
    if let Some(region) = region {
        settings = settings.region(region);
    }
    if let Some(path) = ca_file {
        settings = settings.ca_file(path);
    }
    let connector = settings.build()?;
    let mut mqtt = MqttOptions::new(&client_id, "unused: the connector knows the endpoint");
    mqtt.set_outgoing_inflight_upper_limit(100).set_max_request_batch(16);
    connector.attach(&mut mqtt);
    let (client, mut eventloop) = AsyncClient::builder(mqtt).build();
    let (mut subscribed, mut publish) = (false, tokio::time::interval(Duration::from_secs(10)));
    let (mut explained, mut wait, mut stop) = (String::new(), FIRST_WAIT, pin!(stop()));
    loop {
        let event = tokio::select! {
            biased;
            () = &mut stop => break,
            _ = publish.tick(), if subscribed => {
                let published = client.try_publish(topic.as_str(), "hello", PublishOptions::new(QoS::AtLeastOnce));
                published.unwrap_or_else(|error| eprintln!("not published: {error}"));
                continue;
            }
            event = eventloop.poll() => event,
        };
        match event {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                println!("connected");
                client.try_subscribe(&topic, QoS::AtLeastOnce)?;
            }
            Ok(Event::Incoming(Incoming::SubAck(answer))) => {
                println!("subscribed: {:?}", answer.return_codes);
                subscribed = true;
                publish.reset_immediately();
            }
            // Only now is the session known to work. If no policy allowed the topic, it would have ended before.
            Ok(Event::Incoming(Incoming::PubAck(_))) => (explained, wait) = (String::new(), FIRST_WAIT),
            Ok(Event::Incoming(Incoming::Publish(message))) => println!("received {:?}", message.payload),
            Ok(_) => {}
            Err(error) => {
                subscribed = false;
                let failure = Failure::from(error);
                // The same failure is not explained twice in a row.
                if explained != failure.to_string() {
                    explained = failure.to_string();
                    eprint!("{}", connector.explain(&failure, &client_id));
                }
                // Final failures are tried again too, since somebody may change something. The wait is random, so that
                // devices that failed together do not come back together.
                let pause = failure.retry_after().unwrap_or(wait).max(wait) + wait.mul_f64(fastrand::f64());
                wait = Duration::from_secs(60).min(wait * 2);
                tokio::select! { () = sleep(pause) => {}, () = &mut stop => break }
            }
        }
    }

    // DISCONNECT if there is a session, then the close of WebSocket, TLS and TCP.
    client.try_disconnect_now()?;
    let ended = async { while eventloop.poll().await.is_ok() {} };
    timeout(Duration::from_secs(1), ended).await.ok();
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
