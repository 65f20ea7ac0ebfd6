//! Flags and variables that cannot work are refused with exit code 2 before any packet is sent.

use std::collections::BTreeMap;

use crate::gateway::{ACCESS_KEY, Event, Gateway, REGION, SECRET, Script};
use crate::program::{Outcome, Program};

/// A good run with other values for some flags, where `None` leaves the flag out, and with these variables.
async fn run(gateway: &Gateway, changes: &[(&str, Option<&str>)], environment: &[(&str, &str)]) -> Outcome {
    let (endpoint, ca_file) = (gateway.endpoint(), gateway.ca_file().to_str());
    let good = [("--region", REGION), ("--access-key", ACCESS_KEY), ("--secret", SECRET)];
    let mut flags = BTreeMap::from(good.map(|(flag, value)| (flag, Some(value))));
    flags.extend([("--endpoint", Some(endpoint.as_str())), ("--ca-file", ca_file)]);
    flags.extend(changes.iter().copied());
    // With an equals sign, a value may begin with a hyphen.
    let flags = flags.into_iter().filter_map(|(flag, value)| Some(format!("{flag}={}", value?)));
    let program = flags.fold(Program::new(), |program, flag| program.args([flag.as_str()]));
    environment.iter().fold(program, |program, (name, value)| program.env(name, value)).run().await
}

#[tokio::test]
async fn a_flag_that_cannot_work_is_refused() {
    const NO_KEYS: [(&str, Option<&str>); 2] = [("--access-key", None), ("--secret", None)];
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca_file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("a file in the temporary folder");
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let no_certificate = ca_file("a.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let not_base64 = ca_file("b.pem", "-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----\n");
    let useless = "error: the CA file cannot be used\n  cause: there is no usable PEM certificate in";
    let gateway = Gateway::start(Script::default()).await;
    let white_space = "is empty, or begins or ends with white space";
    for (changes, said) in [
        (&[("--endpoint", None)][..], "--endpoint"),
        (&[("--endpoint", Some("wss://localhost/mqtt"))], "bare host, without scheme or path"),
        (&[("--region", None)], "error: which region is the endpoint in?"),
        (&[("--region", Some("eu central 1"))], "error: \"eu central 1\" is not the name of a region"),
        (&[("--client-id", Some(""))], "it is empty"),
        (&[("--client-id", Some(&format!("{}x", "é".repeat(64))))], "it is longer than 128 bytes"),
        (&[("--client-id", Some("sensor\u{7F}"))], "it contains a control character"),
        (&[("--access-key", None)], "--access-key"),
        (&[("--access-key", Some(""))], &format!("--access-key {white_space}")),
        (&[("--access-key", Some("AKIA "))], &format!("--access-key {white_space}")),
        (&[("--secret", None)], "--secret"),
        (&[("--secret", Some("wJalrSECRET\n"))], &format!("--secret {white_space}")),
        (&[("--session-token", Some(" t0k3n"))], &format!("--session-token {white_space}")),
        (&[NO_KEYS[0], NO_KEYS[1], ("--session-token", Some("t"))], "--access-key"),
        (&[NO_KEYS[0], NO_KEYS[1], ("--profile", Some(""))], "--profile"),
        (&[("--profile", Some("work"))], "--access-key"),
        (&[("--timeout", Some("0"))], "--timeout"),
        (&[("--timeout", Some("86401"))], "--timeout"),
        (&[("--attempts", Some("0"))], "--attempts"),
        (&[("--ca-file", Some(&no_certificate))], useless),
        (&[("--ca-file", Some(&not_base64))], "cause: cannot read certificates from"),
        (&[("--region-set", Some("*"))], "--region-set needs --signing-algorithm sigv4a"),
    ] {
        let outcome = run(&gateway, changes, &[]).await;
        assert_eq!(outcome.code, 2, "{changes:?}: {outcome:#?}");
        assert!(outcome.stderr.contains(said), "{changes:?}: {outcome:#?}");
        assert!(!["wJalr", "t0k3n"].iter().any(|secret| outcome.stderr.contains(secret)), "{outcome:#?}");
    }
    assert!(gateway.connections().is_empty());
}

#[tokio::test]
async fn the_environment_says_what_flags_leave_open() {
    const BAD: &str = "eu central 1";
    let (gateway, other) = (Gateway::start(Script::default()).await, Gateway::start(Script::default()).await);
    let [ca_file, another] = [&gateway, &other].map(|gateway| gateway.ca_file().to_str().expect("UTF-8"));
    for (left_out, environment, code, said) in [
        ("--region", &[("AWS_REGION", REGION), ("AWS_DEFAULT_REGION", "eu-west-3")][..], 0, ""),
        ("--region", &[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", REGION)], 0, ""),
        (
            "--region",
            &[("AWS_DEFAULT_REGION", BAD)],
            2,
            "error: \"eu central 1\" is not the name of a region",
        ),
        ("--client-id", &[("AWS_REGION", BAD), ("AWS_CA_BUNDLE", "/nowhere")], 0, ""),
        ("--ca-file", &[("AWS_CA_BUNDLE", ca_file)], 0, ""),
        ("--ca-file", &[("AWS_CA_BUNDLE", "/nowhere")], 2, "error: AWS_CA_BUNDLE cannot be used\n  cause: "),
        ("--ca-file", &[("AWS_CA_BUNDLE", another)], 5, "certificate is not in the CA file"),
        // On other systems no variable names the system's roots.
        #[cfg(target_os = "linux")]
        ("--ca-file", &[("AWS_CA_BUNDLE", ""), ("SSL_CERT_FILE", ca_file)], 0, ""),
        #[cfg(target_os = "linux")]
        ("--ca-file", &[("SSL_CERT_FILE", another)], 5, "hint: a proxy may be inspecting TLS here"),
        #[cfg(target_os = "linux")]
        ("--ca-file", &[("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/no")], 5, "ca-certificates"),
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
    let longest = format!("sensor/{}x", "é".repeat(60));
    for client_id in ["sensor#7", "sensor+7", &longest] {
        let flags = format!(
            "--access_key {ACCESS_KEY} --secret {SECRET} --signing_algorithm sigv4a --region_set eu-*,us-east-1 \
             --log_level none --region {REGION} --client_id {client_id} --endpoint {}",
            gateway.endpoint(),
        );
        let ca_file = gateway.ca_file().to_str().expect("a path in UTF-8");
        let outcome = Program::new().args(flags.split(' ')).args(["--ca_file", ca_file]).run().await;
        let warning = "warning: IoT Core publishes no lifecycle events for client IDs with #, + or /\n";
        assert_eq!((outcome.code, outcome.stderr.as_str()), (0, warning), "{client_id}: {outcome:#?}");
    }
    let region_set = "X-Amz-Region-Set=eu-%2A%2Cus-east-1";
    for events in gateway.connections() {
        let asks_for =
            |event: &Event| matches!(event, Event::Request(request) if request.target.contains(region_set));
        assert!(events.iter().any(asks_for), "{events:#?}");
    }
}
