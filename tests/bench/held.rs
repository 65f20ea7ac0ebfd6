//! Hundreds of connections held at once in one process: how much memory each takes, by layer, and in each of
//! the ways of "Build your own on it".

use std::future::Future;

use sigv4_websocket_connect::program::session::{Session, options};
use sigv4_websocket_connect::transport::endpoint::Endpoint;
use sigv4_websocket_connect::transport::tcp;
use sigv4_websocket_connect::transport::tls::Tls;

use crate::many::{LIMIT, resident};
use crate::mqtt_settings::connector;
use crate::own_process;
use crate::publish::connected;
use crate::server::Server;
use crate::table::{print, row};

/// Linux lets a process have 1,024 open files, unless it is told otherwise.
const CONNECTIONS: usize = 900;

/// Each stage includes the one before it.
const STAGES: [(&str, &str); 4] = [
    ("tcp", "TCP: Tokio's registration"),
    ("tls", "TLS: rustls's keys and buffers"),
    ("websocket", "WebSocket: tungstenite's buffers"),
    ("session", "MQTT: rumqttc's tables and buffers"),
];

/// Complete connections with room for 100 unacknowledged publishes.
const WAYS: [(&str, &str); 2] =
    [("presign", "presign.rs alone"), ("transport", "transport, with or without diagnosis")];

pub fn run() {
    let mut rows = vec![row(["", "KiB each", "in all"])];
    let mut beneath = 0.0;
    for (stage, name) in STAGES {
        let Some(kib) = measured(stage) else { continue };
        rows.push(row([name.to_owned(), format!("{:.1}", kib - beneath), format!("{kib:.1}")]));
        beneath = kib;
    }
    for (way, name) in WAYS {
        let Some(kib) = measured(way) else { continue };
        rows.push(row([name.to_owned(), String::new(), format!("{kib:.1}")]));
    }
    print(&format!("Held at once in one process ({CONNECTIONS} connections), resident memory"), &rows);
    println!("Socket buffers belong to the kernel and are not included.");
}

/// KiB for each connection. Each stage runs in a new process, because memory that one stage has freed would
/// hide what the next one needs.
fn measured(stage: &str) -> Option<f64> {
    let output = own_process(&["hold", stage]).output().expect("this program starts");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Opens the connections up to this stage, and prints the KiB that each takes.
#[tokio::main(flavor = "current_thread")]
pub async fn hold(stage: &str) {
    let server = Server::start();
    let endpoint: Endpoint = server.endpoint.parse().expect("an endpoint");
    let connector = connector(&server.endpoint, &server.ca_file);
    let tls = Tls::with_ca_file(&server.ca_file).expect("the server's authority");
    let open_tcp = async || {
        let addresses = tcp::resolve(&endpoint).await.expect("localhost");
        tcp::connect(addresses).await.expect("the server listens")
    };
    let kib = match stage {
        "tcp" => each(open_tcp).await,
        "tls" => {
            let open = async || {
                let handshake = tls.prepare().await.expect("the server's authority");
                handshake.run(endpoint.server_name(), open_tcp().await).await.expect("TLS")
            };
            each(open).await
        }
        "websocket" => each(async || connector.connect().await.expect("a WebSocket")).await,
        "session" => {
            let open =
                async || Session::connect(options("benchmark", &connector, LIMIT)).await.expect("MQTT");
            each(open).await
        }
        way => {
            let open = async || connected(way, &server.endpoint, &server.ca_file, &connector).await;
            each(open).await
        }
    };
    match kib {
        Some(kib) => println!("{kib}"),
        None => eprintln!("there is no /proc here"),
    }
}

async fn each<T, F: Future<Output = T>>(open: impl Fn() -> F) -> Option<f64> {
    // One-time costs of the first connections must not count for the others.
    let mut held = Vec::with_capacity(CONNECTIONS);
    for _ in 0..10 {
        held.push(open().await);
    }
    let before = resident()?;
    while held.len() < CONNECTIONS {
        held.push(open().await);
    }
    Some((resident()? - before) / (CONNECTIONS - 10) as f64)
}
