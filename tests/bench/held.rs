//! A thousand connections held at once in one process: what memory each takes, layer by layer, and in each of the ways
//! of "Build your own on it".

use std::future::Future;

use sigv4_websocket_connect::program::session::{Session, options};
use sigv4_websocket_connect::transport::endpoint::Endpoint;
use sigv4_websocket_connect::transport::tcp;
use sigv4_websocket_connect::transport::tls::Tls;

use crate::many::{LIMIT, resident};
use crate::own_process;
use crate::publish::connected;
use crate::server::Server;
use crate::table::{print, row};
use crate::ways::connector;

const CONNECTIONS: usize = 1000;
/// Descriptors for everything else.
const SPARE: usize = 50;

/// Each holds what the one before does, and more.
const STAGES: [(&str, &str); 4] = [
    ("tcp", "TCP: Tokio's registration"),
    ("tls", "TLS: rustls's keys and buffers"),
    ("websocket", "WebSocket: tungstenite's buffers"),
    ("session", "MQTT: rumqttc's tables and buffers"),
];

/// Whole connections with room for 100 publishes that are not acknowledged yet.
const WAYS: [(&str, &str); 2] =
    [("presign", "presign.rs alone"), ("transport", "transport, with or without diagnosis")];

pub fn run() {
    let limit = rlimit::increase_nofile_limit(u64::MAX).map_or(usize::MAX, |limit| limit as usize);
    let count = CONNECTIONS.min(limit.saturating_sub(SPARE));
    let mut rows = vec![row(["", "KiB each", "in all"])];
    let mut beneath = 0.0;
    for (stage, name) in STAGES {
        let Some(kib) = measured(stage, count) else { continue };
        rows.push(row([name.to_owned(), format!("{:.1}", kib - beneath), format!("{kib:.1}")]));
        beneath = kib;
    }
    for (way, name) in WAYS {
        let Some(kib) = measured(way, count) else { continue };
        rows.push(row([name.to_owned(), String::new(), format!("{kib:.1}")]));
    }
    print(&format!("Held at once in one process ({count} connections), resident memory"), &rows);
    println!("Socket buffers are the kernel's and not among it.");
    if count < CONNECTIONS {
        println!("{CONNECTIONS} were wanted, but `ulimit -n` allows {limit} descriptors.");
    }
}

/// KiB each, in a process of its own, since memory that was freed would hide what the next stage needs.
fn measured(stage: &str, count: usize) -> Option<f64> {
    let output = own_process(&["hold", stage, &count.to_string()]).output().expect("this program starts");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Opens that many up to that stage, and prints what they take, in KiB each.
#[tokio::main(flavor = "current_thread")]
pub async fn hold(stage: &str, count: usize) {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let server = Server::start();
    let endpoint: Endpoint = server.endpoint.parse().expect("an endpoint");
    let connector = connector(&server.endpoint, &server.ca_file);
    let tls = Tls::with_ca_file(&server.ca_file).expect("the server's authority");
    let open_tcp = async || {
        let addresses = tcp::resolve(&endpoint).await.expect("localhost");
        tcp::connect(addresses).await.expect("the server listens")
    };
    let kib = match stage {
        "tcp" => each(count, open_tcp).await,
        "tls" => {
            let open = async || {
                let handshake = tls.for_endpoint().await.expect("the server's authority");
                handshake.run(endpoint.server_name(), open_tcp().await).await.expect("TLS")
            };
            each(count, open).await
        }
        "websocket" => each(count, async || connector.connect().await.expect("a WebSocket")).await,
        "session" => {
            let open =
                async || Session::connect(options("benchmark", &connector, LIMIT)).await.expect("MQTT");
            each(count, open).await
        }
        way => {
            let open = async || connected(way, &server.endpoint, &server.ca_file, &connector).await;
            each(count, open).await
        }
    };
    match kib {
        Some(kib) => println!("{kib}"),
        None => eprintln!("there is no /proc here"),
    }
}

async fn each<T, F: Future<Output = T>>(count: usize, open: impl Fn() -> F) -> Option<f64> {
    // What the first ones need once and for all is no cost of the others.
    let mut held = Vec::with_capacity(count);
    for _ in 0..10 {
        held.push(open().await);
    }
    let before = resident()?;
    while held.len() < count {
        held.push(open().await);
    }
    Some((resident()? - before) / (count - 10) as f64)
}
