//! Hundreds of connections held at once in one process: how much memory each takes.

use rumqttc::MqttOptions;

use crate::own_process;
use crate::publish::{connector, session};
use crate::server::Server;

/// Linux lets a process have 1,024 open files, unless it is told otherwise.
const CONNECTIONS: usize = 900;

const STREAM: &str = "a byte stream: TCP, TLS, WebSocket";
const SAMPLE: &str = "a session with the sample's settings";

pub fn run() {
    println!("\nResident memory of each of {CONNECTIONS} connections, without socket buffers, in KiB\n");
    for held in [STREAM, SAMPLE] {
        // Each kind is held in a new process, because memory that one has freed would hide what the next one needs.
        own_process(&["hold", held]).status().expect("this program starts");
    }
}

/// Opens connections of this kind, and prints the KiB that each takes.
#[tokio::main(flavor = "current_thread")]
pub async fn hold(held: &str) {
    let server = Server::start();
    let connector = connector(&server.endpoint, &server.ca_file);
    let kib = if held == STREAM {
        each(async || connector.open().await.expect("a byte stream")).await
    } else {
        let mut options = MqttOptions::new("benchmark", "unused");
        options.set_keep_alive(60).set_outgoing_inflight_upper_limit(1).set_receive_maximum(Some(100));
        each(async || session(&connector, options.clone()).await).await
    };
    println!("  {held:40}{kib:>10.1}");
}

async fn each<T>(open: impl AsyncFn() -> T) -> f64 {
    // One-time costs of the first connections must not count for the others.
    let mut held = Vec::with_capacity(CONNECTIONS);
    for _ in 0..10 {
        held.push(open().await);
    }
    let before = resident();
    while held.len() < CONNECTIONS {
        held.push(open().await);
    }
    (resident() - before) / (CONNECTIONS - 10) as f64
}

/// This process's memory in KiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc, which only Linux has");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix(" kB"));
    line.expect("a line about memory").trim().parse().expect("a number")
}
