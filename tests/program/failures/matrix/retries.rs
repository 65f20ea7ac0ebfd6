//! Failures that another attempt may heal are tried again, with a line that says why and when. Others are
//! final. The rows of the other files prove that, since they get only one connection.

use std::time::Duration;

use crate::failures::answers::answer;
use crate::failures::row::{Row, Server, row};
use crate::gateway::websocket::BINARY;
use crate::gateway::{Act, Script, Stage, connack, frame};

/// Late enough for the client to know that it is connected.
const LATE_RESET: [Act; 2] = [Act::Wait(Duration::from_millis(300)), Act::Reset];

pub fn rows() -> Vec<Row> {
    [healed(), exhausted(), out_of_time()].into_iter().flatten().collect()
}

fn refuses(status: &str) -> Script {
    Script::fault(Stage::Request, [Act::Send(answer(status, &[], ""))])
}

fn says(code: u8) -> Script {
    Script::fault(Stage::Connect, [Act::Send(frame(BINARY, true, &connack(code, None)))])
}

/// Only the first connection fails.
fn healed() -> Vec<Row> {
    let then_fine = |name, first: Script| {
        row(name).scripts([first, Script::default()]).connections(2).says(["; trying again in ", " ms\n"])
    };
    vec![
        then_fine("429, then fine", refuses("429 Too Many Requests")).warns(["429"]),
        then_fine("500, then fine", refuses("500 Internal Server Error")).warns(["500"]),
        then_fine("503, then fine", refuses("503 Service Unavailable")).warns(["503"]),
        then_fine("504, then fine", refuses("504 Gateway Timeout")).warns(["504"]),
        then_fine("CONNACK 0x88, then fine", says(0x88)).warns(["Server unavailable (0x88)"]),
        then_fine("CONNACK 0x89, then fine", says(0x89)).warns(["Server busy (0x89)"]),
        then_fine("CONNACK 0x9F, then fine", says(0x9F)).warns(["Connection rate exceeded (0x9F)"]),
        then_fine("reset in the TLS handshake, then fine", Script::fault(Stage::Accept, LATE_RESET))
            .warns(["TLS handshake"]),
        then_fine("reset instead of an answer, then fine", Script::fault(Stage::Request, [Act::Reset]))
            .warns(["upgrade"]),
        row("503 and CONNACK 0x89, then fine")
            .scripts([refuses("503 Service Unavailable"), says(0x89), Script::default()])
            .connections(3)
            .warns(["503", "Server busy (0x89)"]),
    ]
}

fn exhausted() -> Vec<Row> {
    let busy = |name, status, attempts: usize| {
        row(name)
            .scripts([refuses(status)])
            .flag("--attempts", attempts.to_string())
            .exits(6)
            .connections(attempts)
            .says(["hint: ", "busy"])
    };
    vec![
        busy("429, three times", "429 Too Many Requests", 3).warns(["429", "429"]),
        busy("500, three times", "500 Internal Server Error", 3).warns(["500", "500"]),
        busy("503, three times", "503 Service Unavailable", 3).warns(["503", "503"]),
        busy("503, twice", "503 Service Unavailable", 2).warns(["503"]),
        busy("503, once", "503 Service Unavailable", 1).never_says(["trying again"]),
        row("reset in every TLS handshake")
            .at(Stage::Accept, LATE_RESET)
            .exits(5)
            .connections(3)
            .warns(["TLS handshake"; 2]),
    ]
}

/// If no time is left for another attempt, the error of the attempt before it counts.
fn out_of_time() -> Vec<Row> {
    let hasty = |name| {
        row(name)
            .flag("--attempts", "100")
            .flag("--timeout", "2")
            .any_attempts()
            .says(["; trying again in "])
            .never_says(["deadline"])
            .within(8)
    };
    vec![
        hasty("503 until the deadline").scripts([refuses("503 Service Unavailable")]).exits(6),
        // On Windows a refusal takes two seconds.
        hasty("nobody listens until the deadline")
            .flag("--timeout", "5")
            .server(Server::Nobody)
            .says(["refused"])
            .exits(4)
            .within(11),
    ]
}
