//! Connecting up to CONNACK and disconnecting, with the real binary.

use std::time::Duration;

use crate::gateway::{
    ACCESS_KEY, Act, CLEAN_CLOSE, Event, Gateway, REGION, SECRET, SESSION_TOKEN, Script, Stage,
    TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET,
};
use crate::program::{Outcome, Program};

const KEYS: [&str; 4] = ["--access-key", ACCESS_KEY, "--secret", SECRET];

async fn connect_with(gateway: &Gateway, args: impl IntoIterator<Item = &str>) -> Outcome {
    Program::against(&gateway.endpoint(), gateway.ca_file(), REGION).args(args).run().await
}

fn assert_success(outcome: &Outcome) {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
    assert_eq!(outcome.stdout.lines().last(), Some("Sample complete."));
}

/// The log shows as much as `curl -v` would, and nothing secret.
#[tokio::test]
async fn the_debug_log_tells_of_every_layer() {
    let gateway = Gateway::start(Script::default()).await;
    let outcome = connect_with(&gateway, KEYS.into_iter().chain(["--log-level", "debug"])).await;
    let port = gateway.port();
    let wanted = [
        "localhost has the addresses [",
        &format!("trying 127.0.0.1:{port}"),
        &format!("connected to 127.0.0.1:{port}"),
        "TLSv1_3 with TLS13_AES_256_GCM_SHA384, a full handshake",
        "> GET /mqtt, presigned with Algorithm=AWS4-HMAC-SHA256, Credential=",
        &format!("> host: localhost:{port}"),
        "< 101 Switching Protocols",
        "< sec-websocket-protocol: mqtt",
        "> CONNECT",
        "keep-alive 60 s, clean start, receive maximum 100",
        "< CONNACK Success (0x00)",
        "> DISCONNECT",
        "the WebSocket is closed on both sides",
        "TLS and TCP are closed",
    ];
    for text in wanted {
        assert!(outcome.stderr.contains(text), "{text}: {outcome:#?}");
    }
    for text in ["X-Amz-Signature", SECRET, "after closing", "WARN", "ERROR"] {
        assert!(!outcome.stderr.contains(text), "{text}: {outcome:#?}");
    }
    let mut ours = outcome.stderr.lines().filter(|line| line.contains("sigv4_websocket_connect"));
    assert!(!ours.any(|line| line.contains("Some(")), "{outcome:#?}");
}

#[tokio::test]
async fn every_layer_opens_as_iot_core_wants_it_and_closes_in_order() {
    let gateway = Gateway::start(Script::default()).await;
    let keys = ["--access-key", TEMPORARY_ACCESS_KEY, "--secret", TEMPORARY_SECRET];
    let args = keys.into_iter().chain(["--session-token", SESSION_TOKEN]);
    assert_success(&connect_with(&gateway, args).await);
    gateway.finished(1).await;
    let [events] = &gateway.connections()[..] else { panic!("one connection") };
    let [
        Event::Accepted,
        Event::Tls { server_name, alpn },
        Event::Request(request),
        Event::Signed(verified),
        Event::Upgraded,
        Event::Connect(connect),
        closing @ ..,
    ] = &events[..]
    else {
        panic!("{events:#?}")
    };
    assert_eq!((server_name.as_deref(), &alpn[..]), (Some("localhost"), &[][..]));
    assert_eq!(request.only_header("host"), Some(gateway.endpoint().as_str()));
    assert_eq!(verified.access_key, TEMPORARY_ACCESS_KEY);
    assert_eq!(verified.session_token.as_deref(), Some(SESSION_TOKEN));
    assert!(connect.clean_start, "{connect:?}");
    assert!((30..=1200).contains(&connect.keep_alive), "{connect:?}");
    let properties = connect.properties.as_ref().expect("properties");
    assert_eq!(properties.receive_maximum, Some(100));
    assert_eq!(connect.client_id.len(), "test-".len() + 36, "{connect:?}");
    assert_eq!(closing, CLEAN_CLOSE);
}

#[tokio::test]
async fn sigv4a_is_signed_for_a_set_of_regions() {
    for (regions, args) in [
        (REGION, &["--signing-algorithm", "sigv4a"][..]),
        ("eu-%2A%2Cus-east-1", &["--signing-algorithm", "sigv4a", "--region-set", "eu-*,us-east-1"]),
    ] {
        let gateway = Gateway::start(Script::default()).await;
        assert_success(&connect_with(&gateway, KEYS.iter().chain(args).copied()).await);
        let events = &gateway.connections()[0];
        let region_set = format!("X-Amz-Region-Set={regions}");
        let asks_for =
            |event: &Event| matches!(event, Event::Request(request) if request.target.contains(&region_set));
        assert!(events.iter().any(asks_for), "{events:#?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_closed_stdout_hides_no_failure() {
    for (fault, code) in [(None, 1), (Some((Stage::Connect, vec![Act::Fin])), 7)] {
        let gateway = Gateway::start(Script { fault, ..Script::default() }).await;
        let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION).args(KEYS);
        let (mut child, _home) = program.spawn();
        drop(child.stdout.take());
        assert_eq!(child.wait().await.expect("an end").code(), Some(code));
        let goodbye = Event::Disconnect { reason_code: 0 };
        gateway.finished(1).await;
        assert_eq!(gateway.connections()[0].contains(&goodbye), code == 1);
    }
}

/// Warnings, the log and the report of the failure go to stderr.
#[cfg(unix)]
#[tokio::test]
async fn a_closed_stderr_changes_no_exit_code() {
    for (secret, code) in [(SECRET, 0), ("wrong", 6)] {
        for level in ["none", "trace"] {
            let gateway = Gateway::start(Script::default()).await;
            let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION);
            let program = program.args(["--access-key", ACCESS_KEY, "--secret", secret]);
            let program = program.args(["--client-id", "warned/of", "--log-level", level]);
            let (mut child, _home) = program.spawn();
            drop(child.stderr.take());
            assert_eq!(child.wait().await.expect("an end").code(), Some(code), "{level}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_the_program_at_once() {
    use std::os::unix::process::ExitStatusExt;
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        if is_ignored(number) {
            continue;
        }
        let gateway = Gateway::start(Script::fault(Stage::Accept, [Act::Hold])).await;
        let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION).args(KEYS);
        let (mut child, _home) = program.spawn();
        gateway.seen(0, |event| *event == Event::Accepted).await;
        let id = child.id().expect("it is running").to_string();
        let kill = tokio::process::Command::new("kill").args(["-s", name, &id]).status().await;
        assert!(kill.expect("kill").success());
        let end = tokio::time::timeout(Duration::from_secs(3), child.wait()).await;
        assert_eq!(end.expect("an end").expect("a status").signal(), Some(number), "{name}");
    }
}

/// Whether this process ignores a signal. A background job of a script ignores SIGINT, and so do the programs that it
/// starts.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & 1 << (signal - 1) != 0
}
