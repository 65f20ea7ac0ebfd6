//! Round trips from the first SYN to CONNACK, and to the end of the process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::gateway::own_keys;
use crate::program::{Program, Way};
use crate::relay::{self, DELAY, Seen};
use crate::server::Server;
use crate::stand_ins::{LONG, StandIn, container};
use crate::table::{Figures, print, row};

const RUNS: usize = 11;

/// Other clients to CONNACK over a wire with the same delay. Not measured here: from the text of the issue
/// that asked for this benchmark.
const OTHERS: [(&str, f64); 4] = [
    ("AWS's C client, default settings", 5.95),
    ("AWS's C client, TCP_NODELAY", 4.08),
    ("gneiss-mqtt-aws", 5.60),
    ("MQTT.js", 4.2),
];

const NOTES: &str = "\
A round trip is 50 ms: a relay holds every chunk, and the FIN, for 25 ms each way. It cannot hold the SYN, so
TCP costs nothing here; its round trip is added to what was measured from the moment the relay accepted.
What a real wire would hide behind TCP shows here, so:
- the container endpoint, meant to take 100 ms, answers after 50: TCP would have hidden the other 50;
- the system's roots are read beside TCP, so the last row of ours is without the time by which ClientHello was
  later for them than for --ca-file, up to 50 ms.";

// The stand-in for a container sleeps on the worker; this function blocks a thread of its own.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
pub async fn run() {
    let server = Server::start();
    let (port, seen) = relay::start(server.port());
    let endpoint = format!("localhost:{port}");
    let program = Program::new(&server.ca_file);
    let container = slow_container(2 * DELAY).await;
    let mut rows = vec![row(["", "to CONNACK", "min", "max", "to exit", "min", "max", "hello after ms", ""])];
    let mut earliest_hello = f64::INFINITY;
    for way in [Way::Flags, Way::Environment, Way::Container(&container.url()), Way::SystemRoots] {
        if !program.can(way) {
            continue;
        }
        let [mut hello, mut connack, mut exit] = <[Figures; 3]>::default();
        for _ in 0..RUNS {
            let times = measure(program.command(&endpoint, &server.ca_file, way), &seen);
            let [hello_trips, connack_trips, exit_trips] = times.map(trips);
            hello.add(hello_trips);
            connack.add(1.0 + connack_trips);
            exit.add(1.0 + exit_trips);
        }
        let hello = hello.median();
        let hello_ms = format!("{:.1}", hello * 2e3 * DELAY.as_secs_f64());
        rows.push(our_row(way.name(), &connack, &exit, &hello_ms));
        earliest_hello = earliest_hello.min(hello);
        if let Way::SystemRoots = way {
            let hidden = (hello - earliest_hello).min(1.0);
            rows.push(our_row("  less what TCP would hide", &connack.less(hidden), &exit.less(hidden), ""));
        }
    }
    for (name, connack) in OTHERS {
        let source = "as measured in the issue's text";
        rows.push(row([name, &format!("{connack:.2}"), "", "", "", "", "", "", source]));
    }
    print(&format!("Round trips (median of {RUNS} runs)"), &rows);
    println!("{NOTES}");
}

/// From the moment the relay accepted: to ClientHello, to the line that tells of CONNACK, to the end.
fn measure(mut command: Command, seen: &Receiver<Seen>) -> [Duration; 3] {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a piped stdout")).lines();
    let mut connected = None;
    for line in lines.map_while(Result::ok) {
        connected = connected.or(line.starts_with("Connected").then(Instant::now));
    }
    let status = child.wait().expect("the program ends");
    let exit = Instant::now();
    assert!(status.success(), "the program failed: {status}");
    let connected = connected.expect("a line that says Connected");
    let Seen { accepted, first_bytes } = seen.recv().expect("the relay saw it");
    [first_bytes, connected, exit].map(|moment| moment - accepted)
}

fn trips(time: Duration) -> f64 {
    time.as_secs_f64() / (2 * DELAY).as_secs_f64()
}

fn our_row(name: &str, connack: &Figures, exit: &Figures, hello: &str) -> Vec<String> {
    let figures = [connack, exit].map(|f| [f.median(), f.min(), f.max()].map(|trips| format!("{trips:.2}")));
    let cells = [name.to_owned()].into_iter().chain(figures.concat());
    cells.chain([hello.to_owned(), "measured here".to_owned()]).collect()
}

/// A container endpoint that takes so long.
async fn slow_container(time: Duration) -> StandIn {
    // A container's keys come with a token.
    let [.., key] = &own_keys()[..] else { panic!("the gateway knows keys") };
    let document = container::document(key, LONG);
    let answer = move |_: &_| {
        std::thread::sleep(time);
        document.clone()
    };
    StandIn::start(answer).await
}
