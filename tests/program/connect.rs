//! Connecting up to CONNACK and disconnecting, with the real binary.

use crate::gateway::{
    CLEAN_CLOSE, Event, Gateway, REGION, SESSION_TOKEN, Script, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET,
};
use crate::program::Program;

const KEYS: [&str; 6] =
    ["--access-key", TEMPORARY_ACCESS_KEY, "--secret", TEMPORARY_SECRET, "--session-token", SESSION_TOKEN];

#[tokio::test]
async fn every_layer_opens_as_iot_core_wants_it_and_closes_in_order() {
    let gateway = Gateway::start(Script::default()).await;
    let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION);
    let outcome = program.args(KEYS).run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
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

/// Progress goes to stdout; warnings, the log and the report of a failure go to stderr.
#[cfg(unix)]
#[tokio::test]
async fn a_closed_stdout_or_stderr_hides_no_failure() {
    use crate::gateway::{Act, Stage};
    for (fault, without_stdout, without_stderr) in
        [(None, 1, 0), (Some((Stage::Connect, vec![Act::Fin])), 7, 7)]
    {
        let gateway = Gateway::start(Script { fault, ..Script::default() }).await;
        for (closed, level, code) in [
            ("stdout", "none", without_stdout),
            ("stderr", "none", without_stderr),
            ("stderr", "trace", without_stderr),
        ] {
            let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION).args(KEYS);
            let program = program.args(["--client-id", "warned/of", "--log-level", level]);
            let (mut child, _home) = program.spawn();
            match closed {
                "stdout" => drop(child.stdout.take()),
                _ => drop(child.stderr.take()),
            }
            assert_eq!(child.wait().await.expect("an end").code(), Some(code), "{closed}, {level}");
        }
        // Even if nobody reads the progress, the session ends cleanly.
        gateway.finished(3).await;
        let ends_cleanly = |events: &Vec<Event>| events.ends_with(&CLEAN_CLOSE);
        assert_eq!(gateway.connections().iter().all(ends_cleanly), without_stderr == 0);
    }
}
