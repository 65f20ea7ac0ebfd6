//! Thousands of connections one after the other, in one process: does anything grow?

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use sigv4_websocket_connect::program::session::{Session, options};
use sigv4_websocket_connect::transport::connector::Connector;
use sigv4_websocket_connect::transport::credentials::CredentialSource;
use sigv4_websocket_connect::transport::network::Network;
use sigv4_websocket_connect::transport::presign::Scope;
use sigv4_websocket_connect::transport::proxy::Proxies;
use sigv4_websocket_connect::transport::tls::Tls;

use crate::gateway::{ACCESS_KEY, REGION, SECRET};
use crate::server::Server;
use crate::table::{print, row};

const CYCLES: usize = 2000;
const SETTLED: usize = 200;
pub const LIMIT: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
pub async fn run() {
    let mut server = Server::start();
    let connector = Arc::new(connector(&server, tls(&server)));
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
            row(["TLS handshakes that took up an earlier session".into(), server.answer()]),
            row([format!("resident after {SETTLED}"), kib(resident_settled)]),
            row([format!("resident after {CYCLES}"), kib(resident)]),
            row(["growth between".into(), kib(growth)]),
            row(["open descriptors before".into(), told(descriptors_before)]),
            row(["open descriptors after".into(), told(descriptors)]),
        ],
    );
}

/// Trusts the server.
pub fn tls(server: &Server) -> Tls {
    Tls::with_ca_file(&server.ca_file).expect("the server's authority")
}

/// To the server, with keys it knows.
pub fn connector(server: &Server, tls: Tls) -> Connector {
    let credentials = Credentials::new(ACCESS_KEY, SECRET, None, None, "benchmark");
    Connector::new(
        server.endpoint.parse().expect("an endpoint"),
        Scope::Region(REGION.to_owned()),
        CredentialSource::provider("benchmark", credentials),
        Network::new(tls, Proxies::from_env()),
    )
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
