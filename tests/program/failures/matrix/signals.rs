//! Ctrl-C and SIGTERM: before CONNACK the program ends at once, after it the session is closed first.

use crate::failures::answers::answer;
use crate::failures::row::{Row, When, row};
use crate::gateway::{Act, Event, Script, Stage};

pub fn rows() -> Vec<Row> {
    [before_connack(), between_attempts(), after_connack()].into_iter().flatten().collect()
}

fn interrupted(name: &'static str, signal: &'static str, when: When) -> Row {
    let code = if signal == "TERM" { 143 } else { 130 };
    row(name).signal(signal, when).exits(code).says(["error: interrupted"])
}

/// The gateway keeps the program waiting at that stage.
fn held(name: &'static str, signal: &'static str, when: When, stage: Stage) -> Row {
    interrupted(name, signal, when).at(stage, [Act::Hold])
}

fn before_connack() -> Vec<Row> {
    let accepted: When = |event| *event == Event::Accepted;
    let asked: When = |event| matches!(event, Event::Request(_));
    let connecting: When = |event| matches!(event, Event::Connect(_));
    vec![
        held("SIGINT in the TLS handshake", "INT", accepted, Stage::Accept),
        held("SIGTERM in the TLS handshake", "TERM", accepted, Stage::Accept),
        held("SIGINT before the answer to the upgrade", "INT", asked, Stage::Request),
        held("SIGTERM before the answer to the upgrade", "TERM", asked, Stage::Request),
        held("SIGINT before CONNACK", "INT", connecting, Stage::Connect),
        held("SIGTERM before CONNACK", "TERM", connecting, Stage::Connect),
    ]
}

fn between_attempts() -> Vec<Row> {
    let refused = Act::Send(answer("503 Service Unavailable", &[], ""));
    let scripts = [Script::fault(Stage::Request, [refused]), Script::fault(Stage::Request, [Act::Hold])];
    let over: When = |event| {
        matches!(event, Event::CloseNotify | Event::Fin | Event::EndedWithoutCloseNotify | Event::Reset)
    };
    vec![
        interrupted("SIGINT between two attempts", "INT", over)
            .scripts(scripts)
            .warns(["503"])
            // The wait is random, and may already be over when the signal comes.
            .any_connections(),
    ]
}

/// The gateway sees DISCONNECT, and keeps the program waiting.
fn after_connack() -> Vec<Row> {
    let disconnected: When = |event| matches!(event, Event::Disconnect { reason_code: 0 });
    let closed: When = |event| matches!(event, Event::Close { code: Some(1000) });
    vec![
        held("SIGINT at DISCONNECT", "INT", disconnected, Stage::Disconnect),
        held("SIGTERM at DISCONNECT", "TERM", disconnected, Stage::Disconnect),
        held("SIGINT at the Close", "INT", closed, Stage::Close),
        held("SIGTERM at the Close", "TERM", closed, Stage::Close),
    ]
}
