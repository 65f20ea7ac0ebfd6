//! A machine with too few resources, or with a wrong clock.

#![cfg(target_os = "linux")]

use std::io::{Read, Write, pipe};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use crate::credentials::setup::gateway_knowing;
use crate::credentials::source::Source;
use crate::gateway::REGION;
use crate::program::Program;

/// A run that may have this many files open.
fn with_files(limit: u32) -> Output {
    let program = env!("CARGO_BIN_EXE_sigv4-websocket-connect");
    let endpoint = "--endpoint localhost:1 --region eu-central-1 --attempts 1";
    let keys = "--access-key AKIAIOSFODNN7EXAMPLE --secret EXAMPLEKEY";
    Command::new("sh")
        .args(["-c", &format!("ulimit -n {limit} && exec {program} {endpoint} {keys}")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("a shell")
}

#[test]
fn too_few_file_descriptors_are_an_error_and_no_panic() {
    for limit in 4..=16 {
        let output = with_files(limit);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(1 | 4 | 5)), "{limit}: {:?}, {told}", output.status);
        assert!(told.starts_with("error: "), "{limit}: {told}");
    }
}

#[tokio::test]
#[ignore = "needs faketime"]
async fn a_clock_before_1970_is_an_error_and_no_panic() {
    let gateway = gateway_knowing([]).await;
    let program =
        Program::at("faketime").args(["1960-01-01 00:00:00", env!("CARGO_BIN_EXE_sigv4-websocket-connect")]);
    let keys = ["--access-key", "AKIAIOSFODNN7EXAMPLE", "--secret", "EXAMPLEKEY"];
    let outcome = program.aimed_at(&gateway.endpoint(), gateway.ca_file(), REGION).args(keys).run().await;
    assert_eq!(outcome.code, 5, "{outcome:#?}");
    assert!(outcome.stderr.contains("hint: set the local clock"), "{outcome:#?}");
}

/// This is the stack that Windows gives to a program's main thread.
#[tokio::test]
async fn a_stack_of_one_mebibyte_is_enough() {
    let gateway = gateway_knowing([Source::Metadata.key()]).await;
    let limited = "ulimit -s 1024 && exec \"$0\" \"$@\"";
    let program = Program::at("/bin/sh").args(["-c", limited, env!("CARGO_BIN_EXE_sigv4-websocket-connect")]);
    let program = program.aimed_at(&gateway.endpoint(), gateway.ca_file(), REGION);
    let (program, _service) = Source::Metadata.provide(program).await;
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
}

/// A run that logs to a pipe which is full, and the pipe's other end.
fn with_full_stderr(endpoint: &str, timeout: &str) -> (Child, std::io::PipeReader) {
    let (reader, mut writer) = pipe().expect("a pipe");
    // This fills a pipe on Linux.
    writer.write_all(&[b'x'; 64 * 1024]).expect("room for it");
    let child = Command::new(env!("CARGO_BIN_EXE_sigv4-websocket-connect"))
        .args(["--endpoint", endpoint, "--region", "eu-central-1", "--log-level", "trace"])
        .args(["--access-key", "AKIAIOSFODNN7EXAMPLE", "--secret", "EXAMPLEKEY"])
        .args(["--timeout", timeout, "--attempts", "100"])
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .expect("the program");
    (child, reader)
}

/// A server that accepts TCP connections and sends nothing, and its address.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, format!("localhost:{port}"))
}

/// The exit code, if the program ends within this time.
fn code(child: &mut Child, within: Duration) -> Option<i32> {
    let begin = Instant::now();
    while begin.elapsed() < within {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        sleep(Duration::from_millis(10));
    }
    child.kill().expect("a child");
    child.wait().expect("a child");
    None
}

#[test]
fn a_deadline_holds_where_nobody_reads_stderr() {
    let (mut child, _reader) = with_full_stderr("localhost:1", "1");
    assert_eq!(code(&mut child, Duration::from_secs(5)), Some(4));
}

#[test]
fn a_signal_ends_a_run_where_nobody_reads_stderr() {
    let (deaf, endpoint) = silent();
    let (mut child, _reader) = with_full_stderr(&endpoint, "20");
    // The signal handler is installed before any connection is made.
    let _connection = deaf.accept().expect("a connection");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.expect("kill").success());
    assert_eq!(code(&mut child, Duration::from_secs(5)), Some(143));
}

#[test]
fn delayed_lines_are_written_when_stderr_is_read() {
    let (_deaf, endpoint) = silent();
    let (mut child, mut reader) = with_full_stderr(&endpoint, "2");
    let reading = thread::spawn(move || {
        sleep(Duration::from_secs(1));
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });
    assert_eq!(code(&mut child, Duration::from_secs(5)), Some(8));
    let text = reading.join().expect("a reader").expect("UTF-8");
    let told = text.trim_start_matches('x');
    assert!(told.contains("phase: "), "{told}");
    assert!(told.contains("error: "), "{told}");
    assert!(!told.contains("lines were lost"), "{told}");
}
