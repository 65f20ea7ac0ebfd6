//! What one run of the program costs: time, CPU and memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use test_support::gateway::{ACCESS_KEY, REGION, SECRET};
use test_support::program::scrub;
use wait4::Wait4;

use crate::server::Server;
use crate::{print_head, print_row};

const RUNS: usize = 51;

/// How the program gets its keys and roots.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    Flags,
    /// The URL of a stand-in.
    Container(&'a str),
    /// Their directory.
    SystemRoots(&'static str),
}

impl Way<'_> {
    /// `SystemRoots` where Linux distributions keep them. macOS and Windows do not keep them in a directory.
    pub fn system_roots() -> Option<Self> {
        let directories = ["/etc/ssl/certs", "/etc/pki/tls/certs"];
        directories.into_iter().find(|path| Path::new(path).is_dir()).map(Way::SystemRoots)
    }

    pub fn name(self) -> &'static str {
        match self {
            Way::Flags => "keys by flag, --ca-file",
            Way::Container(_) => "keys from a container, --ca-file",
            Way::SystemRoots(_) => "keys by flag, the system's roots",
        }
    }

    /// The command to measure, which must end with exit code 0.
    pub fn command(self, endpoint: &str, ca_file: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigv4-websocket-connect"));
        scrub(&mut command).env("HOME", "/nonexistent").stdin(Stdio::null()).stdout(Stdio::piped());
        command.args(["--endpoint", endpoint, "--region", REGION]);
        match self {
            Way::Container(url) => command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url),
            _ => command.args(["--access-key", ACCESS_KEY, "--secret", SECRET]),
        };
        match self {
            // Everything that is read if neither variable is set, and the stand-in's authority.
            Way::SystemRoots(path) => command.env("SSL_CERT_FILE", ca_file).env("SSL_CERT_DIR", path),
            _ => command.arg("--ca-file").arg(ca_file),
        };
        command
    }
}

pub fn run() {
    let server = Server::start();
    let title = format!("The whole process, on a wire without delay ({RUNS} runs)");
    print_head(&title, &["wall ms", "CPU ms", "peak MiB"]);
    // The system's roots come last, since they leave caches full of certificates to the next run.
    for way in [Some(Way::Flags), Way::system_roots()].into_iter().flatten() {
        // The first run warms the caches.
        measure(way, &server);
        print_row(way.name(), (0..RUNS).map(|_| measure(way, &server)).collect());
    }
}

/// The time of a run, its CPU time, and its peak memory.
fn measure(way: Way<'_>, server: &Server) -> [f64; 3] {
    let mut command = way.command(&server.endpoint, &server.ca_file);
    let began = Instant::now();
    let mut program = command.stdout(Stdio::null()).spawn().expect("the program starts");
    let used = program.wait4().expect("the program ends");
    let wall = began.elapsed();
    assert!(used.status.success(), "the program failed: {}", used.status);
    let cpu = used.rusage.utime + used.rusage.stime;
    [wall.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3, used.rusage.maxrss as f64 / f64::from(1 << 20)]
}
