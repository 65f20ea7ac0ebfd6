//! Publishing through the crate: how fast it is, and how much CPU time it takes.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, Outgoing, PublishOptions, QoS};
use sigv4_websocket::{Connector, Credentials};
use test_support::gateway::{ACCESS_KEY, REGION, SECRET};
use wait4::Wait4;

use crate::server::Server;
use crate::{own_process, print_head, print_row};

const MESSAGES: usize = 50_000;
const PAYLOAD: [u8; 256] = [b'x'; 256];
const RUNS: usize = 5;

pub fn run() {
    let title = format!("Publishing {MESSAGES} times 256 bytes ({RUNS} runs)");
    print_head(&title, &["µs each", "CPU µs each"]);
    for qos in ["0", "1"] {
        print_row(&format!("QoS {qos}"), (0..RUNS).map(|_| measure(qos)).collect());
    }
    println!(
        "CPU is that of the client's process. The server is the stand-in, which sets the pace of QoS 1."
    );
}

/// The time of a publish, and its share of the CPU time of the process, in microseconds.
fn measure(qos: &str) -> [f64; 2] {
    let server = Server::start();
    let ca_file = server.ca_file.to_str().expect("a temporary path in UTF-8");
    let mut client = own_process(&["publish", qos, &server.endpoint, ca_file]);
    let mut client = client.stdout(Stdio::piped()).spawn().expect("this program starts");
    let seconds = std::io::read_to_string(client.stdout.take().expect("a piped stdout")).expect("the figure");
    let used = client.wait4().expect("it ends").rusage;
    let cpu = (used.utime + used.stime).as_secs_f64();
    [seconds.trim().parse().expect("seconds"), cpu].map(|seconds| seconds * 1e6 / MESSAGES as f64)
}

/// Publishes, and prints the seconds it took.
#[tokio::main(flavor = "current_thread")]
pub async fn publish(qos: &str, endpoint: &str, ca_file: &str) {
    let mut options = MqttOptions::new("benchmark", "unused");
    options.set_outgoing_inflight_upper_limit(100).set_max_request_batch(16);
    let (client, mut eventloop) = session(&connector(endpoint, Path::new(ca_file)), options).await;
    let qos = if qos == "0" { QoS::AtMostOnce } else { QoS::AtLeastOnce };
    let began = Instant::now();
    let publishing = async {
        for _ in 0..MESSAGES {
            client.publish("benchmark", &PAYLOAD[..], PublishOptions::new(qos)).await.expect("an event loop");
        }
    };
    let polling = async {
        let mut done = 0;
        while done < MESSAGES {
            match (eventloop.poll().await.expect("a session"), qos) {
                (Event::Outgoing(Outgoing::Publish(_)), QoS::AtMostOnce) => done += 1,
                (Event::Incoming(Incoming::PubAck(_)), _) => done += 1,
                _ => {}
            }
        }
    };
    tokio::join!(publishing, polling);
    client.disconnect().await.expect("an event loop");
    while !matches!(eventloop.poll().await.expect("a session"), Event::Outgoing(Outgoing::Disconnect)) {}
    println!("{}", began.elapsed().as_secs_f64());
}

pub fn connector(endpoint: &str, ca_file: &Path) -> Connector {
    let keys = Credentials::new(ACCESS_KEY, SECRET, None, None, "benchmark");
    let settings = Connector::builder(endpoint.parse().expect("an endpoint")).region(REGION);
    settings.credentials(keys).ca_file(ca_file).build().expect("a connector")
}

/// A session with these settings.
pub async fn session(connector: &Connector, mut options: MqttOptions) -> (AsyncClient, EventLoop) {
    connector.attach(&mut options);
    let (client, mut eventloop) = AsyncClient::builder(options).build();
    while !matches!(eventloop.poll().await.expect("a session"), Event::Incoming(Incoming::ConnAck(_))) {}
    (client, eventloop)
}
