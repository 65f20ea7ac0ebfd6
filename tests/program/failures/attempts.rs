//! Failures that another attempt may heal are tried again, with a warning that says why and when, and a clock that is off is
//! corrected within an attempt. Everything else is final, as the other rows prove, since they get only one connection.

use std::time::Duration;

use crate::failures::answers::{answer, forbidden};
use crate::failures::row::{Row, row};
use crate::gateway::websocket::BINARY;
use crate::gateway::{Act, Script, Stage, connack, frame};

/// Late enough for the client to know that it is connected.
const LATE_RESET: [Act; 2] = [Act::Wait(Duration::from_millis(300)), Act::Reset];

fn unavailable() -> Script {
    Script::fault(Stage::Request, [Act::Send(answer("503 Service Unavailable", &[], ""))])
}

/// An honest server whose clock is this far ahead. It is half a minute further off than the program says, which rounds down
/// while the run takes some time.
fn ahead(minutes: i64) -> Script {
    Script { clock_offset_seconds: minutes * 60 + 30 * minutes.signum(), ..Script::default() }
}

pub fn rows() -> Vec<Row> {
    let busy = Script::fault(Stage::Connect, [Act::Send(frame(BINARY, true, &connack(0x89, None)))]);
    vec![
        row("503 and CONNACK 0x89, then fine")
            .scripts([unavailable(), busy, Script::default()])
            .connections(3)
            .says(["; trying again in ", " ms\n"])
            .warns(["503", "Server busy (0x89)"]),
        row("reset in the TLS handshake, then fine")
            .scripts([Script::fault(Stage::Accept, LATE_RESET), Script::default()])
            .connections(2)
            .warns(["TLS handshake"]),
        row("reset instead of an answer, then fine")
            .scripts([Script::fault(Stage::Request, [Act::Reset]), Script::default()])
            .connections(2)
            .warns(["upgrade"]),
        row("503, twice")
            .scripts([unavailable()])
            .flag("--attempts", "2")
            .exits(6)
            .connections(2)
            .warns(["503"])
            .says(["hint: the server is busy"]),
        // If no time is left for another attempt, the error of the attempt before it counts.
        row("503 until the deadline")
            .scripts([unavailable()])
            .flag("--attempts", "100")
            .flag("--timeout", "2")
            .any_attempts()
            .exits(6)
            .says(["; trying again in "])
            .never_says(["deadline"])
            .within(8),
        row("clock 6 minutes ahead").scripts([ahead(-6)]).connections(2).warns(["is 6 minutes ahead of the"]),
        row("clock 6 minutes behind, and a wrong secret")
            .scripts([ahead(6)])
            .flag("--secret", "wJalrWRONGwrongWRONGwrong")
            .exits(6)
            .connections(2)
            .warns(["the local clock is 6 minutes behind"])
            .says(["does not match", "hint: the local clock is 6 minutes behind"]),
        row("clock 3 minutes behind, and a wrong secret")
            .scripts([ahead(3)])
            .flag("--secret", "wJalrWRONGwrongWRONGwrong")
            .exits(6)
            .says(["does not match"])
            .never_says(["clock"]),
        row("a server that refuses for its clock for ever")
            .at(Stage::Request, [Act::Send(forbidden("Signature expired", 10))])
            .exits(6)
            .connections(2)
            .warns(["the local clock is"])
            .says(["Signature expired"]),
        row("a server whose clock runs away while it is busy")
            .scripts([ahead(10), unavailable(), ahead(20), ahead(20)])
            .connections(4)
            .warns(["the local clock is", "503", "the local clock is"]),
    ]
}
