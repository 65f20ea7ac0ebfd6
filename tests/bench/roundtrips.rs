//! Round trips from the first SYN to CONNACK, and to the end of the process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use test_support::gateway::own_keys;
use test_support::stand_ins::{LONG, StandIn, container};

use crate::program::{Program, Way};
use crate::relay::{self, DELAY};
use crate::server::Server;
use crate::table::{Figures, print, row};

const RUNS: usize = 11;

const NOTES: &str = "\
A round trip is 50 ms: a relay holds every chunk, and the FIN, for 25 ms each way, and the first for 50 ms more,
since ClientHello would have had to wait for the answer to the SYN. The container takes 100 ms to answer.";

// The stand-in for a container sleeps on the worker; this function blocks another thread.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
pub async fn run() {
    let server = Server::start();
    let (port, syns) = relay::start(server.port());
    let endpoint = format!("localhost:{port}");
    let program = Program::new();
    let container = slow_container(4 * DELAY).await;
    let mut rows = vec![row(["", "to CONNACK", "min", "max", "to exit", "min", "max"])];
    for way in [Way::Flags, Way::Environment, Way::Container(&container.url()), Way::SystemRoots] {
        if !program.can(way) {
            continue;
        }
        let mut figures = <[Figures; 2]>::default();
        for _ in 0..RUNS {
            let times = measure(program.command(&endpoint, &server.ca_file, way), &syns);
            figures.iter_mut().zip(times).for_each(|(figures, time)| figures.add(trips(time)));
        }
        let figures = figures.map(|f| [f.median(), f.min(), f.max()].map(|trips| format!("{trips:.2}")));
        rows.push([way.name().to_owned()].into_iter().chain(figures.concat()).collect());
    }
    print(&format!("Round trips from the first SYN (median of {RUNS} runs)"), &rows);
    println!("{NOTES}");
}

/// The time from the SYN to the line that reports CONNACK, and to the end of the process.
fn measure(mut command: Command, syns: &Receiver<Instant>) -> [Duration; 2] {
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a piped stdout")).lines();
    let mut connected = None;
    for line in lines.map_while(Result::ok) {
        connected = connected.or(line.starts_with("Connected").then(Instant::now));
    }
    let status = child.wait().expect("the program ends");
    let exit = Instant::now();
    assert!(status.success(), "the program failed: {status}");
    let syn = syns.recv().expect("the relay saw it");
    [connected.expect("a line that says Connected") - syn, exit - syn]
}

fn trips(time: Duration) -> f64 {
    time.as_secs_f64() / (2 * DELAY).as_secs_f64()
}

/// A container endpoint that takes this long to answer.
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
