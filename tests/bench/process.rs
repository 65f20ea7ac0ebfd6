//! What one run of the program costs: time, CPU and memory.

use std::process::{Command, Stdio};
use std::time::Instant;

use test_support::gateway::{ACCESS_KEY, REGION, SECRET};
use test_support::program::scrub;
use wait4::Wait4;

use crate::server::Server;
use crate::{print_head, print_row};

const RUNS: usize = 51;

/// The program, which must end with exit code 0. It gets its keys from flags, or from a container at this URL.
pub fn command(server: &Server, endpoint: &str, container: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigv4-websocket-connect"));
    scrub(&mut command).env("HOME", "/nonexistent").stdin(Stdio::null()).stdout(Stdio::piped());
    command.args(["--endpoint", endpoint, "--region", REGION, "--ca-file"]).arg(&server.ca_file);
    match container {
        Some(url) => command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url),
        None => command.args(["--access-key", ACCESS_KEY, "--secret", SECRET]),
    };
    command
}

pub fn run() {
    let server = Server::start();
    let title = format!("The whole process, on a wire without delay ({RUNS} runs)");
    print_head(&title, &["wall ms", "CPU ms", "peak MiB"]);
    // The first run warms the caches.
    measure(&server);
    print_row("keys by flag", (0..RUNS).map(|_| measure(&server)).collect());
}

/// The time of a run, its CPU time, and its peak memory.
fn measure(server: &Server) -> [f64; 3] {
    let mut command = command(server, &server.endpoint, None);
    let began = Instant::now();
    let mut program = command.stdout(Stdio::null()).spawn().expect("the program starts");
    let used = program.wait4().expect("the program ends");
    let wall = began.elapsed();
    assert!(used.status.success(), "the program failed: {}", used.status);
    let cpu = used.rusage.utime + used.rusage.stime;
    [wall.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3, used.rusage.maxrss as f64 / f64::from(1 << 20)]
}
