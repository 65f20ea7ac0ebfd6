//! Credentials are fetched anew when they expire within a minute, and what is said of those that have expired.

use crate::credentials::setup::{gateway_knowing, program, signers, temporary};
use crate::credentials::source::{Source, process};
use crate::gateway::{Act, Gateway, Script, Stage, connack, frame};
use crate::stand_ins::{LONG, container, expiration};
use time::Duration;

#[tokio::test]
async fn further_attempts_take_new_credentials_only_if_the_last_ones_are_about_to_expire() {
    let keys = ["FIRST", "SECOND"].map(temporary);
    let busy = Script {
        keys: keys.to_vec(),
        ..Script::fault(Stage::Connect, [Act::Send(frame(2, true, &connack(0x88, None))), Act::Fin])
    };
    let honest = Script { keys: keys.to_vec(), ..Script::default() };
    let gateway = Gateway::start_with(vec![busy.clone(), busy, honest]).await;
    let [first, second] = keys;
    let service =
        container::granting(vec![(first.clone(), Duration::seconds(50)), (second.clone(), LONG)]).await;
    let program = Source::Container.at(program(&gateway), &service.url());
    let outcome = program.args(["--attempts", "3"]).run().await;
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let signed = [first, second.clone(), second].map(|key| (key.access_key, key.session_token));
    assert_eq!((signers(&gateway), service.asked().len()), (signed.to_vec(), 2));
}

/// The local clock may be wrong, so it is no reason to refuse credentials.
#[tokio::test]
async fn credentials_that_have_expired_are_used_with_a_warning() {
    let key = temporary("EXPIRED");
    let gateway = gateway_knowing([key.clone()]).await;
    let outcome = process(program(&gateway), &key, &expiration(-LONG)).run().await;
    let warning = "warning: the credentials from the profile default have expired, by the local clock\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, warning), "{outcome:#?}");
}

#[tokio::test]
async fn a_refusal_says_whether_they_have_expired_by_the_servers_clock() {
    let (hour_ago, in_an_hour) = (&expiration(-LONG)[..], &expiration(LONG)[..]);
    for (expiration, ahead, said) in [
        (hour_ago, 0, "hint: the credentials expired at "),
        (in_an_hour, 0, "hint: the credentials have not expired, they are good until "),
        // They have expired by the server's clock, which is a day ahead, but not by the local one.
        (in_an_hour, 24 * 60 * 60, "hint: the credentials expired at "),
        ("1960-01-01T00:00:00Z", 0, "expired at a date before 1970 or after 9999"),
        ("9999-12-31T23:59:59Z", 0, "good until a date before 1970 or after 9999"),
    ] {
        let gateway = Gateway::start(Script { clock_offset_seconds: ahead, ..Script::default() }).await;
        let outcome = process(program(&gateway), &temporary("UNKNOWN"), expiration).run().await;
        assert_eq!(outcome.code, 6, "{expiration}: {outcome:#?}");
        assert!(outcome.stderr.contains(said), "{expiration}: {outcome:#?}");
    }
}
