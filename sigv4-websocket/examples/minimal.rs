//! The shortest way to connect: `presign.rs` and rumqttc's own WebSocket. Copy this file and `presign.rs`. What they
//! depend on stands in the README of the repository.
//!
//! ```sh
//! cargo run --example minimal -- <id>-ats.iot.<region>.amazonaws.com <region>
//! ```
//!
//! Keys come from AWS_ACCESS_KEY_ID and the variables that belong to it. For keys that expire, use another provider of
//! aws-config.

#[allow(dead_code, reason = "this example signs for one region only")]
#[path = "../src/presign.rs"]
mod presign;

use std::time::{Duration, SystemTime};
use std::{error::Error, io};

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_credential_types::provider::ProvideCredentials;
use presign::{Scope, presign};
use rumqttc::{AsyncClient, Event, Incoming, MqttOptions, PublishOptions, QoS};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (host, region) = arguments.next().zip(arguments.next()).ok_or("usage: minimal HOST REGION")?;
    let url = format!("wss://{host}/mqtt");
    let mut options = MqttOptions::try_websocket_with_default_tls("minimal", url)?;
    options.set_connect_timeout(Duration::from_secs(30));
    // rumqttc calls this for every attempt, so each request is signed anew.
    options.set_fallible_request_modifier(move |mut request| {
        let (host, scope) = (host.clone(), Scope::Region(region.clone()));
        async move {
            let keys = EnvironmentVariableCredentialsProvider::new().provide_credentials().await;
            let keys = keys.map_err(io::Error::other)?;
            let url = presign(&host, &scope, &keys, SystemTime::now()).map_err(io::Error::other)?;
            *request.uri_mut() = url.parse().map_err(io::Error::other)?;
            Ok::<_, io::Error>(request)
        }
    });

    let (client, mut eventloop) = AsyncClient::builder(options).build();
    loop {
        match eventloop.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                client.try_subscribe("minimal/topic", QoS::AtLeastOnce)?
            }
            Ok(Event::Incoming(Incoming::SubAck(_))) => {
                client.try_publish("minimal/topic", "hello", PublishOptions::new(QoS::AtLeastOnce))?;
            }
            Ok(Event::Incoming(Incoming::Publish(message))) => println!("{:?}", message.payload),
            Ok(_) => {}
            Err(error) => {
                eprintln!("{error}");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }
}
