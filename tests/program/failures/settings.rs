//! Flags and variables that cannot work are refused with exit code 2 before any packet is sent.

use std::collections::BTreeMap;

use crate::gateway::{
    ACCESS_KEY, Gateway, REGION, SECRET, SESSION_TOKEN, Script, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET,
};
use crate::program::{Outcome, Program};

/// A good run with other values for some flags, where `None` leaves the flag out, and with these variables.
async fn run(gateway: &Gateway, changes: &[(&str, Option<&str>)], environment: &[(&str, &str)]) -> Outcome {
    let (endpoint, ca_file) = (gateway.endpoint(), gateway.ca_file().display().to_string());
    let mut flags = BTreeMap::from([
        ("--endpoint", Some(endpoint.as_str())),
        ("--region", Some(REGION)),
        ("--ca-file", Some(&ca_file)),
        ("--access-key", Some(ACCESS_KEY)),
        ("--secret", Some(SECRET)),
    ]);
    flags.extend(changes.iter().copied());
    // With an equals sign, a value may begin with a hyphen.
    let flags: Vec<_> =
        flags.into_iter().filter_map(|(flag, value)| Some(format!("{flag}={}", value?))).collect();
    let program = Program::new().args(flags.iter().map(String::as_str));
    environment.iter().fold(program, |program, (name, value)| program.env(name, value)).run().await
}

#[tokio::test]
async fn a_flag_that_cannot_work_is_refused() {
    let gateway = Gateway::start(Script::default()).await;
    let white_space = "is empty, or begins or ends with white space";
    for (flag, value, said) in [
        ("--endpoint", "wss://localhost/mqtt", "bare host, without scheme or path: localhost"),
        ("--region", "eu central 1", "error: the region is \"eu central 1\""),
        ("--client-id", "", "it is empty"),
        ("--client-id", &"é".repeat(65), "it is longer than 128 bytes"),
        ("--client-id", "sensor\u{7F}", "it contains a control character"),
        ("--access-key", "", &format!("--access-key {white_space}")),
        ("--access-key", "AKIA ", &format!("--access-key {white_space}")),
        ("--secret", "wJalrSECRET\n", &format!("--secret {white_space}")),
        ("--session-token", " t0k3n", &format!("--session-token {white_space}")),
        ("--profile", "work", "--access-key"),
        ("--timeout", "0", "--timeout"),
        ("--timeout", "86401", "--timeout"),
        ("--timeout", "soon", "--timeout"),
        ("--attempts", "0", "--attempts"),
        ("--log-level", "loud", "--log-level"),
        ("--region-set", "*", "--region-set needs --signing-algorithm sigv4a"),
    ] {
        let outcome = run(&gateway, &[(flag, Some(value))], &[]).await;
        assert_eq!(outcome.code, 2, "{flag}={value}: {outcome:#?}");
        assert!(outcome.stderr.contains(said), "{flag}={value}: {outcome:#?}");
        assert!(!["wJalr", "t0k3n"].iter().any(|secret| outcome.stderr.contains(secret)), "{outcome:#?}");
    }
    for (changes, said) in [
        (&[("--endpoint", None)][..], "--endpoint"),
        (&[("--region", None)], "error: which region is the endpoint in?"),
        (&[("--secret", None)], "--secret"),
        (&[("--access-key", None)], "--access-key"),
        (&[("--access-key", None), ("--secret", None), ("--session-token", Some("t"))], "--access-key"),
        (&[("--access-key", None), ("--secret", None), ("--profile", Some(""))], "--profile"),
    ] {
        let outcome = run(&gateway, changes, &[]).await;
        assert_eq!(outcome.code, 2, "{changes:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(said), "{changes:?}: {outcome:#?}");
    }
    assert!(gateway.connections().is_empty());
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_refused() {
    let gateway = Gateway::start(Script::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ca.pem");
    for (content, said) in [
        ("", "there is no usable PEM certificate in"),
        ("Amazon Root CA 1", "there is no usable PEM certificate in"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "there is no usable PEM certificate in",
        ),
        ("-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n", "cannot read certificates from"),
    ] {
        std::fs::write(&path, content).expect("a file in the temporary folder");
        let outcome = run(&gateway, &[("--ca-file", path.to_str())], &[]).await;
        let told = format!("error: the CA file cannot be used\n  cause: {said} {}\n", path.display());
        assert_eq!(outcome.code, 2, "{content}: {outcome:#?}");
        assert!(outcome.stderr.starts_with(&told), "{content}: {outcome:#?}");
    }
}

#[tokio::test]
async fn the_environment_says_what_flags_leave_open() {
    let gateway = Gateway::start(Script::default()).await;
    let ca_file = gateway.ca_file().to_str().expect("a path in UTF-8");
    let other = Gateway::start(Script::default()).await;
    let other_ca_file = other.ca_file().to_str().expect("a path in UTF-8");
    let bad = "eu central 1";
    for (left_out, environment, code, said) in [
        ("--region", &[("AWS_REGION", REGION), ("AWS_DEFAULT_REGION", "eu-west-3")][..], 0, ""),
        ("--region", &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", REGION)], 0, ""),
        (
            "--region",
            &[("AWS_REGION", bad)],
            2,
            "error: AWS_REGION is \"eu central 1\", which is not the name of",
        ),
        ("--region", &[("AWS_DEFAULT_REGION", bad)], 2, "error: AWS_DEFAULT_REGION is \"eu central 1\""),
        ("--client-id", &[("AWS_REGION", bad), ("AWS_CA_BUNDLE", "/nowhere")], 0, ""),
        ("--ca-file", &[("AWS_CA_BUNDLE", ca_file)], 0, ""),
        ("--ca-file", &[("AWS_CA_BUNDLE", "/nowhere")], 2, "error: AWS_CA_BUNDLE cannot be used\n  cause: "),
        (
            "--ca-file",
            &[("AWS_CA_BUNDLE", other_ca_file)],
            5,
            "hint: the issuer of the server's certificate is not in",
        ),
        // On other systems no variable names the system's roots.
        #[cfg(target_os = "linux")]
        ("--ca-file", &[("AWS_CA_BUNDLE", ""), ("SSL_CERT_FILE", ca_file)], 0, ""),
        #[cfg(target_os = "linux")]
        ("--ca-file", &[("SSL_CERT_FILE", other_ca_file)], 5, "hint: a proxy may be inspecting TLS here"),
        #[cfg(target_os = "linux")]
        (
            "--ca-file",
            &[("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nowhere")],
            5,
            "hint: install the package ca-certificates, or name a CA file",
        ),
    ] {
        let outcome = run(&gateway, &[(left_out, None)], environment).await;
        assert_eq!(outcome.code, code, "{environment:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(said), "{environment:?}: {outcome:#?}");
        assert_eq!(outcome.stderr.is_empty(), code == 0, "{environment:?}: {outcome:#?}");
    }
}

#[tokio::test]
async fn flags_may_be_spelt_as_in_other_samples_and_doubtful_client_ids_cause_a_warning() {
    let gateway = Gateway::start(Script::default()).await;
    let ca_file = gateway.ca_file().display().to_string();
    for client_id in ["sensor#7", "sensor+7", "sensor/7"] {
        let program = Program::new().args(["--endpoint", &gateway.endpoint(), "--region", REGION]);
        let program =
            program.args(["--signing_algorithm", "sigv4a", "--region_set", "*", "--log_level", "none"]);
        let program = program.args(["--ca_file", &ca_file, "--client_id", client_id]);
        let keys = [
            "--access_key",
            TEMPORARY_ACCESS_KEY,
            "--secret",
            TEMPORARY_SECRET,
            "--session_token",
            SESSION_TOKEN,
        ];
        let outcome = program.args(keys).run().await;
        let warning = "warning: IoT Core publishes no lifecycle events for client IDs with #, + or /\n";
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, warning), "{client_id}: {outcome:#?}");
    }
}
