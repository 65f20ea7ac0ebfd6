//! The log tells what happens, and shows no secret.

use crate::credentials::setup::{gateway_knowing, program, run_with_logs};
use crate::credentials::source::{CONFIG, CREDENTIALS, Source, process};
use crate::stand_ins::{LONG, expiration};
use std::fs::read_to_string;

#[tokio::test]
async fn the_trace_tells_what_the_transport_and_the_sdk_do() {
    let source = Source::Role;
    let gateway = gateway_knowing([source.key()]).await;
    let (program, _sts) = source.provide(program(&gateway)).await;
    let outcome = run_with_logs(program, &gateway, source).await;
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    for text in ["credentials loaded", "Sending frame", "beginning attempt #", "client::orchestrator"] {
        assert!(outcome.stderr.contains(text), "{text}: {outcome:#?}");
    }
}

/// The SDK's parser quotes the lines that it warns about.
#[tokio::test]
async fn a_profile_file_that_is_not_understood_shows_no_secret() {
    for (file, text) in [
        (CONFIG, "[user default]\naws_secret_access_key = SeCrEtAlphaKey9\n"),
        (CREDENTIALS, "[default]\naws_session_token: SeCrEtAlphaKey9==\n"),
        (CONFIG, "[sso-session a]\naws_secret_access_key =\n  SeCrEtAlphaKey9\n"),
    ] {
        let gateway = gateway_knowing([]).await;
        let outcome = run_with_logs(program(&gateway).file(file, text), &gateway, Source::Profile).await;
        assert_eq!(outcome.code, 3, "{outcome:#?}");
        let shown = (outcome.stdout.clone() + &outcome.stderr).to_lowercase();
        assert!(!shown.contains("alphakey"), "{outcome:#?}");
    }
}

/// The command prints keys, but fails, or prints them in a way that nobody can read.
#[tokio::test]
async fn a_command_that_fails_shows_no_secret() {
    for (missing, then) in [("", " && exit 3"), (":", ""), ("}", ""), ("ccess", "")] {
        let gateway = gateway_knowing([]).await;
        let program = process(program(&gateway), &Source::Process.key(), &expiration(LONG));
        let [output, config] =
            ["output", CONFIG].map(|file| read_to_string(program.home(file)).expect("text"));
        let config = format!("{}{then}\n", config.trim_end());
        let program = program.file("output", &output.replace(missing, "")).file(CONFIG, &config);
        let outcome = run_with_logs(program, &gateway, Source::Process).await;
        assert_eq!(outcome.code, 3, "{missing:?}{then}: {outcome:#?}");
    }
}

#[tokio::test]
async fn an_invalid_filter_is_reported() {
    let gateway = gateway_knowing([Source::Flags.key()]).await;
    let (program, _) = Source::Flags.provide(program(&gateway)).await;
    let outcome = program.env("RUST_LOG", "info,this=that").run().await;
    assert_eq!(outcome.code, 0, "{outcome:#?}");
    let warning = "warning: nothing is logged, because RUST_LOG is not a valid filter";
    assert!(outcome.stderr.contains(warning), "{outcome:#?}");
}
