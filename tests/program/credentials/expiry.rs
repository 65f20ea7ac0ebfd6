//! What is said of credentials that have expired.

use crate::credentials::setup::{gateway_knowing, program, temporary};
use crate::credentials::source::process;
use crate::gateway::{Gateway, Script};
use crate::stand_ins::{LONG, expiration};

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
    // Those of the second row have expired by the server's clock, which is a day ahead, but not by the local one.
    for (expiration, ahead) in [(expiration(-LONG), 0), (expiration(LONG), 24 * 60 * 60)] {
        let gateway = Gateway::start(Script { clock_offset_seconds: ahead, ..Script::default() }).await;
        let outcome = process(program(&gateway), &temporary("UNKNOWN"), &expiration).run().await;
        assert_eq!(outcome.code, 6, "{expiration}: {outcome:#?}");
        let said = outcome.stderr.contains("hint: the credentials expired at ");
        assert!(said, "{expiration}: {outcome:#?}");
    }
}
