//! Hundreds of connections held at once in one process: how much memory each takes.

use std::fs;

use crate::clients::{WAYS, attached, connector, options, session};
use crate::own_process;
use crate::server::Server;
use crate::table::{print, row};

/// Linux lets a process have 1,024 open files, unless it is told otherwise.
const CONNECTIONS: usize = 900;

const STREAM: &str = "a byte stream: TCP, TLS, WebSocket";
const SAMPLE: &str = "a session with the sample's settings";

pub fn run() {
    let mut rows = vec![row(["", "KiB each"])];
    let [presign, krate] = WAYS.map(|way| (way, format!("a session that publishes: {way}")));
    for (held, name) in [(STREAM, STREAM), (SAMPLE, SAMPLE), (presign.0, &presign.1), (krate.0, &krate.1)] {
        rows.extend(measured(held).map(|kib| row([name.to_owned(), format!("{kib:.1}")])));
    }
    print(&format!("Held at once in one process ({CONNECTIONS} connections), resident memory"), &rows);
    println!(
        "A session that publishes has room for 100 unacknowledged publishes, the sample's for one.\n\
         Socket buffers belong to the kernel and are not included."
    );
}

/// KiB for each connection. Each kind is held in a new process, because memory that one has freed would hide what the
/// next one needs.
fn measured(held: &str) -> Option<f64> {
    let output = own_process(&["hold", held]).output().expect("this program starts");
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

/// Opens connections of this kind, and prints the KiB that each takes.
#[tokio::main(flavor = "current_thread")]
pub async fn hold(held: &str) {
    let server = Server::start();
    let (endpoint, ca_file) = (server.endpoint.as_str(), server.ca_file.as_path());
    let kib = match held {
        STREAM => {
            let connector = connector(endpoint, ca_file);
            each(async || connector.open().await.expect("a byte stream")).await
        }
        SAMPLE => {
            let mut options = attached(endpoint, ca_file);
            options.set_keep_alive(60).set_outgoing_inflight_upper_limit(1).set_receive_maximum(Some(100));
            each(async || session(options.clone()).await).await
        }
        way => {
            let options = options(way, endpoint, ca_file);
            each(async || session(options.clone()).await).await
        }
    };
    match kib {
        Some(kib) => println!("{kib}"),
        None => eprintln!("there is no /proc here"),
    }
}

async fn each<T>(open: impl AsyncFn() -> T) -> Option<f64> {
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

/// This process's memory in KiB, where there is /proc.
pub fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
