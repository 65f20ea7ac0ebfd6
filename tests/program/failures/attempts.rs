//! Failures that another attempt may heal are tried again, with a warning that says why and when, and a clock that is
//! off is corrected within an attempt. Everything else is final, as the other rows prove, since they get only one
//! connection.

use std::time::Duration;

use crate::failures::answers::{answer, forbidden};
use crate::failures::row::{Row, row};
use crate::gateway::websocket::BINARY;
use crate::gateway::{Act, Script, Stage, connack, frame};

const LONG_AGO: &str = "date: Wed, 01 Jan 2020 00:00:00 GMT";

fn unavailable() -> Script {
    Script::fault(Stage::Request, [Act::Send(answer("503 Service Unavailable", &[], ""))])
}

/// An honest server whose clock is this far ahead. It is half a minute further off than the program says, which rounds
/// down while the run takes some time.
fn ahead(minutes: i64) -> Script {
    Script { clock_offset_seconds: minutes * 60 + 30 * minutes.signum(), ..Script::default() }
}

pub fn rows() -> Vec<Row> {
    let busy = Script::fault(Stage::Connect, [Act::Send(frame(BINARY, true, &connack(0x89, None)))]);
    // Late enough for the client to know that it is connected.
    let late_reset = Script::fault(Stage::Accept, [Act::Wait(Duration::from_millis(300)), Act::Reset]);
    let reset = Script::fault(Stage::Request, [Act::Reset]);
    // Only IoT Core itself can know that the clock is wrong.
    let dated = |name, status, headers: &[&str]| {
        row(name, 6, []).at(Stage::Request, [Act::Send(answer(status, headers, ""))])
    };
    vec![
        row("503 and CONNACK 0x89, then fine", 0, ["; trying again in ", " ms\n"])
            .scripts([unavailable(), busy, Script::default()])
            .warns(["503", "Server busy (0x89)"]),
        row("reset in the TLS handshake, then fine", 0, [])
            .scripts([late_reset, Script::default()])
            .warns(["TLS handshake"]),
        row("reset instead of an answer, then fine", 0, [])
            .scripts([reset, Script::default()])
            .warns(["no answer to the upgrade request"]),
        row("503, twice", 6, ["error: the server refused the upgrade with 503", "hint: the server is busy"])
            .scripts([unavailable()])
            .flag("--attempts", "2")
            .warns(["503"]),
        // If no time is left for another attempt, the error of the attempt before it counts.
        row("503 until the deadline", 6, ["; trying again in "])
            .scripts([unavailable()])
            .flag("--attempts", "100")
            .flag("--timeout", "2")
            .any_attempts()
            .within(8),
        row("clock 6 minutes ahead", 0, []).scripts([ahead(-6)]).warns(["clock is 6 minutes ahead of"]),
        row("clock 6 minutes behind, and a wrong secret", 6, ["does not match", "hint: the local clock is"])
            .flag("--secret", "wJalrWRONGwrongWRONGwrong")
            .scripts([ahead(6)])
            .warns(["the local clock is 6 minutes behind"]),
        row("a server that refuses for its clock for ever", 6, ["Signature expired"])
            .at(Stage::Request, [Act::Send(forbidden("Signature expired", 10))])
            .warns(["the local clock is"]),
        row("clock 6 minutes behind, then a busy server", 0, [])
            .scripts([ahead(6), unavailable(), ahead(6)])
            .warns(["the local clock is 6 minutes behind", "503"]),
        dated("400 with a date of long ago", "400 Bad Request", &[LONG_AGO]),
        dated("403 of a proxy with a date of long ago", "403 Forbidden", &["server: nginx", LONG_AGO]),
        row("a server whose clock runs away while it is busy", 0, [])
            .scripts([ahead(10), unavailable(), ahead(20), ahead(20)])
            .warns(["the local clock is", "503", "the local clock is"]),
    ]
}
