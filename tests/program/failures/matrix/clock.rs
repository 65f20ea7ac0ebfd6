//! Clock skew: corrected once per attempt if it is more than four minutes, and reported in one warning.

use std::time::Duration;

use crate::failures::answers::{answer, forbidden};
use crate::failures::row::{Row, row};
use crate::gateway::{Act, Script, Stage};

const DAY: i64 = 24 * 60 * 60;

/// An honest server whose clock is this far ahead.
fn ahead(seconds: i64) -> Script {
    Script { clock_offset_seconds: seconds, ..Script::default() }
}

fn healed(name: &'static str, seconds: i64) -> Row {
    row(name).scripts([ahead(seconds)]).connections(2)
}

pub fn rows() -> Vec<Row> {
    [healing(), no_healing(), only_once_in_a_row()].into_iter().flatten().collect()
}

/// The clock is half a minute further off than the name says, because the program rounds down and a run takes
/// some time.
fn healing() -> Vec<Row> {
    vec![
        healed("clock 6 minutes behind", 390).warns(["the local clock is 6 minutes behind"]),
        healed("clock 6 minutes ahead", -390).warns(["the local clock is 6 minutes ahead"]),
        healed("clock a day behind", DAY + 30).warns(["the local clock is 24 hours behind"]),
        healed("clock a day ahead", -DAY - 30).warns(["the local clock is 24 hours ahead"]),
        healed("clock half a century behind", 50 * 365 * DAY).warns(["the local clock is"]),
        row("clock off, then a server that is busy")
            .scripts([ahead(390), unavailable(), ahead(390)])
            .connections(3)
            .warns(["the local clock is 6 minutes behind", "503"]),
    ]
}

fn no_healing() -> Vec<Row> {
    let wrong_secret = |row: Row| row.flag("--secret", "wJalrWRONGwrongWRONGwrong").exits(6);
    let refused = |name, bytes: Vec<u8>| row(name).sends(Stage::Request, bytes).exits(6);
    let dated = |status, date: &str| answer(status, &[&format!("date: {date}")], "");
    vec![
        row("clock 3 minutes off, which is allowed").scripts([ahead(180)]),
        wrong_secret(row("clock 3 minutes behind, and a wrong secret"))
            .scripts([ahead(180)])
            .says(["does not match"])
            .never_says(["clock"]),
        wrong_secret(row("clock 3 minutes ahead, and a wrong secret"))
            .scripts([ahead(-180)])
            .says(["does not match"])
            .never_says(["clock"]),
        wrong_secret(row("clock 6 minutes behind, and a wrong secret"))
            .scripts([ahead(390)])
            .connections(2)
            .warns(["the local clock is 6 minutes behind"])
            .says(["does not match", "hint: the local clock is 6 minutes behind"]),
        refused("403 without a date", answer("403 Forbidden", &[], "")).says(["403"]),
        refused("403 with a date that is none", dated("403 Forbidden", "yesterday")).says(["403"]),
        row("403 with a date that no clock will show")
            .scripts([
                Script::fault(
                    Stage::Request,
                    [Act::Send(dated("403 Forbidden", "Fri, 31 Dec 9999 23:59:59 GMT"))],
                ),
                Script::fault(Stage::Accept, [Act::Wait(Duration::from_millis(1100)), Act::Continue]),
            ])
            .exits(6)
            .says(["403"]),
        refused("400 with a date of long ago", dated("400 Bad Request", "Wed, 01 Jan 2020 00:00:00 GMT"))
            .says(["400"]),
    ]
}

fn only_once_in_a_row() -> Vec<Row> {
    vec![
        row("a server that refuses for its clock for ever")
            .sends(Stage::Request, forbidden("Signature expired", 10))
            .exits(6)
            .connections(2)
            .warns(["the local clock is"])
            .says(["Signature expired"]),
        row("a server whose clock runs away")
            .scripts([600, 1200, 1800, 2400].map(|seconds| ahead(seconds + 30)))
            .exits(6)
            .connections(2)
            .warns(["the local clock is"])
            .says(["403"]),
        row("a server whose clock runs away while it is busy")
            .scripts([ahead(630), unavailable(), ahead(1230), ahead(1230)])
            .connections(4)
            .warns(["the local clock is", "503", "the local clock is"]),
    ]
}

fn unavailable() -> Script {
    let bytes = answer("503 Service Unavailable", &[], "");
    Script::fault(Stage::Request, [Act::Send(bytes)])
}
