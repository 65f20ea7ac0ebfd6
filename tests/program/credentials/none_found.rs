//! What is said when there are no credentials, whatever the reason is.

use crate::credentials::setup::{assert_says, failure, gateway_knowing, program};
use crate::credentials::source::{Source, at_metadata};
use crate::gateway::listener::Listener;
use crate::stand_ins::metadata;
use std::future::pending;

#[tokio::test]
async fn nothing_anywhere_lists_every_source_and_two_fixes() {
    let gateway = gateway_knowing([]).await;
    let outcome = failure(program(&gateway)).await;
    let beginnings = [
        "error: no credentials",
        "  environment: ",
        "  profile: ",
        "  web identity token: ",
        "  container: ",
        "  EC2 instance metadata: ",
        "hint: ",
        "hint: ",
    ];
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), beginnings.len(), "{lines:#?}");
    for (line, beginning) in lines.iter().zip(beginnings) {
        assert!(line.starts_with(beginning) && line.len() > beginning.len(), "{lines:#?}");
    }
    assert!(lines[6].contains("`aws login`") && lines[7].contains("AWS_ACCESS_KEY_ID"), "{lines:#?}");
}

#[tokio::test]
async fn an_instance_without_a_role_has_nothing() {
    let gateway = gateway_knowing([]).await;
    let (program, _service) = at_metadata(program(&gateway), metadata::with([]).await);
    let outcome = failure(program).await;
    assert_says(&outcome, &["error: no credentials found", "  EC2 instance metadata: received 404"]);
}

#[tokio::test]
async fn a_source_that_is_configured_and_fails_is_named() {
    for source in Source::ALL {
        let gateway = gateway_knowing([]).await;
        let Some((program, _stand_in)) = source.refuse(program(&gateway)).await else { continue };
        let outcome = failure(program).await;
        assert_says(&outcome, &[&format!("error: the {} does not provide credentials\n", source.name())]);
    }
}

#[tokio::test]
async fn a_source_that_never_answers_is_waited_for_until_the_deadline() {
    let gateway = gateway_knowing([]).await;
    let silent = Listener::start(|tcp| async move {
        let _open = tcp;
        pending().await
    })
    .await;
    let program = program(&gateway)
        .args(["--timeout", "1"])
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://127.0.0.1:{}", silent.port));
    let outcome = program.run().await;
    assert_eq!(outcome.code, 8, "{outcome:#?}");
    assert!(outcome.elapsed.as_secs() < 3, "{outcome:#?}");
    assert_says(&outcome, &["the deadline of 1 s passed in the phase credentials"]);
}
