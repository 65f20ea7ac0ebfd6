//! Thousands of connections one after the other, in one process: does anything grow?

use std::fs;
use std::time::{Duration, Instant};

use sigv4_websocket_connect::program::session::{Session, options};

use crate::mqtt_settings::connector;
use crate::server::Server;
use crate::table::{print, row};

const CYCLES: usize = 2000;
const SETTLED: usize = 200;
pub const LIMIT: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
pub async fn run() {
    let mut server = Server::start();
    let connector = connector(&server.endpoint, &server.ca_file);
    let descriptors_before = descriptors();
    let mut resident_settled = None;
    let began = Instant::now();
    for nth in 0..CYCLES {
        if nth == SETTLED {
            resident_settled = resident();
        }
        let session = Session::connect(options("benchmark", &connector, LIMIT)).await;
        session.expect("the server accepts").disconnect(&connector).await;
    }
    let per_second = CYCLES as f64 / began.elapsed().as_secs_f64();
    let (resident, descriptors) = (resident(), descriptors());
    server.ask("resumed");

    let growth = resident.zip(resident_settled).map(|(end, settled)| end - settled);
    let kib = |figure: Option<f64>| told(figure.map(|kib| format!("{kib:.0} KiB")));
    print(
        &format!("Many in one process ({CYCLES} times connect and disconnect, one after the other)"),
        &[
            row(["cycles per second".into(), format!("{per_second:.0}")]),
            row(["TLS handshakes that resumed an earlier session".into(), server.answer()]),
            row([format!("resident after {SETTLED}"), kib(resident_settled)]),
            row([format!("resident after {CYCLES}"), kib(resident)]),
            row(["growth between".into(), kib(growth)]),
            row(["open descriptors before".into(), told(descriptors_before)]),
            row(["open descriptors after".into(), told(descriptors)]),
        ],
    );
}

/// This process's memory in KiB, where there is /proc.
pub fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn descriptors() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

fn told(figure: Option<impl ToString>) -> String {
    figure.map_or("not measured".to_owned(), |figure| figure.to_string())
}
