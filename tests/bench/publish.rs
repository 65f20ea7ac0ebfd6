//! Publishing with `presign.rs` alone and through the crate: how fast it is, and how much CPU time it takes.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rumqttc::{Event, Incoming, Outgoing, PublishOptions, QoS};
use wait4::Wait4;

use crate::clients::{WAYS, options, session};
use crate::own_process;
use crate::server::Server;
use crate::table::{Figures, print, row};

const MESSAGES: usize = 50_000;
const PAYLOAD: [u8; 256] = [b'x'; 256];
const RUNS: usize = 5;

pub fn run() {
    let mut rows = vec![
        row(["", "QoS", "a second", "", "CPU µs each", ""]),
        row(["", "", "median", "max", "median", "min"]),
    ];
    for qos in ["0", "1"] {
        let mut ways = WAYS.map(|way| (way, <[Figures; 2]>::default()));
        for _ in 0..RUNS {
            // In turn, so that other load on the machine affects both equally.
            for (way, [rate, cpu]) in &mut ways {
                let [seconds, used] = measure(way, qos).map(|time| time.as_secs_f64());
                rate.add(MESSAGES as f64 / seconds);
                cpu.add(used * 1e6 / MESSAGES as f64);
            }
        }
        for (way, [rate, cpu]) in &ways {
            let rates = [rate.median(), rate.max()].map(|figure| format!("{figure:.0}"));
            let cpus = [cpu.median(), cpu.min()].map(|figure| format!("{figure:.1}"));
            rows.push([way.to_string(), qos.to_owned()].into_iter().chain(rates).chain(cpus).collect());
        }
    }
    print(&format!("Publishing {MESSAGES} times 256 bytes ({RUNS} runs)"), &rows);
    println!(
        "CPU is that of the client's whole process. The server is the stand-in, which sets the pace of QoS 1."
    );
}

/// The time from the first publish to the last, and the CPU time of the process.
fn measure(way: &str, qos: &str) -> [Duration; 2] {
    let server = Server::start();
    let ca_file = server.ca_file.to_str().expect("a temporary path in UTF-8");
    let mut client = own_process(&["publish", way, qos, &server.endpoint, ca_file]);
    let mut client = client.stdout(Stdio::piped()).spawn().expect("this program starts");
    let mut told = client.stdout.take().expect("a piped stdout");
    let told = std::io::read_to_string(&mut told).expect("the figure");
    let used = client.wait4().expect("it ends").rusage;
    [Duration::from_secs_f64(told.trim().parse().expect("seconds")), used.utime + used.stime]
}

/// Publishes in that way, and prints the seconds it took.
#[tokio::main(flavor = "current_thread")]
pub async fn publish(way: &str, qos: &str, endpoint: &str, ca_file: &str) {
    let (client, mut eventloop) = session(options(way, endpoint, Path::new(ca_file))).await;
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
