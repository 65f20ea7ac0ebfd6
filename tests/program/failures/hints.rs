//! Hints that no server on loopback can cause: those that need a name of IoT Core, a name that does not
//! resolve, or an account.

use std::io;
use std::sync::Arc;

use aws_credential_types::Credentials;
use clap::Parser;
use rustls::{CertificateError, OtherError};
use sigv4_websocket_connect::diagnosis::failure::Failure;
use sigv4_websocket_connect::diagnosis::report::report;
use sigv4_websocket_connect::program::cli::Cli;
use sigv4_websocket_connect::program::error::Error;
use sigv4_websocket_connect::transport::connector::{ConnectError, Connector};
use sigv4_websocket_connect::transport::credentials::CredentialSource;
use sigv4_websocket_connect::transport::ending::HangUp;
use sigv4_websocket_connect::transport::ending::NoSession;
use sigv4_websocket_connect::transport::network::{Network, NetworkError};
use sigv4_websocket_connect::transport::proxy::Proxies;
use sigv4_websocket_connect::transport::reason::ReasonCode;
use sigv4_websocket_connect::transport::tcp::TcpError;
use sigv4_websocket_connect::transport::tls::{Tls, TlsError};
use sigv4_websocket_connect::transport::upgrade::{Answer, UpgradeError};

const ENDPOINT: &str = "abc-ats.iot.eu-west-1.amazonaws.com";

fn cli(endpoint: &str, region: &str, client_id: &str) -> Cli {
    Cli::parse_from(["", "--endpoint", endpoint, "--region", region, "--client-id", client_id])
}

/// The hints of a run with these flags, and with these credentials; `None` if none were fetched.
async fn hints(failure: &Failure, cli: &Cli, credentials: Option<Credentials>) -> Vec<String> {
    let fetched = credentials.is_some();
    let credentials = credentials.unwrap_or_else(|| Credentials::new("", "", None, None, "test"));
    let source = CredentialSource::provider("test", credentials);
    if fetched {
        source.fetch(|_| {}).await.expect("the credentials given");
    }
    let region = cli.region().expect("a region");
    let network = Network::new(Tls::with_system_roots(), Proxies::from_env());
    let connector = Connector::new(cli.endpoint.clone(), cli.scope(&region), source, network);
    cli.facts(&region, &connector).hints(failure)
}

fn connect(error: impl Into<ConnectError>) -> Failure {
    Failure::Connect(error.into())
}

fn forbidden(message: &str) -> Failure {
    let answer = Answer {
        status: hyper::StatusCode::FORBIDDEN,
        error_type: Some("ForbiddenException".to_owned()),
        request_id: None,
        message: Some(message.to_owned()),
        date: None,
        server: None,
        location: None,
    };
    connect(UpgradeError::Refused(Box::new(answer)))
}

fn unresolved() -> Failure {
    let source = io::Error::other("Temporary failure in name resolution");
    connect(NetworkError::Tcp(TcpError::Resolve { host: ENDPOINT.to_owned(), source }))
}

fn unknown_issuer() -> Failure {
    let flaw = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    connect(NetworkError::Tls(TlsError::Handshake(flaw)))
}

fn assert_says(hints: &[String], texts: &[&str]) {
    for text in texts {
        assert!(hints.iter().any(|hint| hint.contains(text)), "{text:?} is not in {hints:#?}");
    }
}

#[tokio::test]
async fn a_region_that_the_endpoint_does_not_name_is_pointed_out() {
    let wrong = cli(ENDPOINT, "us-east-1", "sensor-7");
    for message in [
        "The request signature we calculated does not match the signature you provided.",
        "Credential should be scoped to a valid region, not 'us-east-1'.",
    ] {
        assert_says(&hints(&forbidden(message), &wrong, None).await, &["us-east-1", "eu-west-1"]);
    }
    assert_eq!(wrong.warnings("us-east-1").len(), 1);
    assert_says(&wrong.warnings("us-east-1"), &["us-east-1", "eu-west-1"]);
    let right = cli(ENDPOINT, "eu-west-1", "sensor-7");
    assert!(right.warnings("eu-west-1").is_empty());
    let hints = hints(&forbidden("does not match"), &right, None).await;
    assert!(!hints.iter().any(|hint| hint.contains("endpoint names")), "{hints:?}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_shown_as_typed() {
    let cli = cli(ENDPOINT, "eu-west-1", "sensor-7");
    let found = hints(&unresolved(), &cli, None).await;
    assert_says(&found, &[ENDPOINT, "aws iot describe-endpoint --endpoint-type iot:Data-ATS"]);
    let error = Error::Attempt { failure: Box::new(unresolved()), report: String::new() };
    assert_eq!((error.exit_code(), unresolved().is_final()), (4, false));
    let told = report(&unresolved(), &unresolved().details(), &found);
    assert_says(&[told], &["error: ", "Temporary failure in name resolution", "hint: "]);
}

#[tokio::test]
async fn an_unknown_issuer_behind_an_old_endpoint_is_the_missing_ats() {
    for (endpoint, old) in [
        ("abc.iot.eu-west-1.amazonaws.com", true),
        (ENDPOINT, false),
        ("abc.ats.iot.cn-north-1.amazonaws.com.cn", false),
        ("data.iot-fips.us-gov-west-1.amazonaws.com", false),
    ] {
        let cli = cli(endpoint, "eu-west-1", "sensor-7");
        let hints = hints(&unknown_issuer(), &cli, None).await;
        assert_eq!(hints.iter().any(|hint| hint.contains("without -ats")), old, "{endpoint}: {hints:?}");
        assert_says(&hints, &["proxy", "the CA file"]);
    }
}

#[tokio::test]
async fn the_statement_to_allow_is_filled_in() {
    let account = Credentials::builder()
        .access_key_id("AKIAEXAMPLE")
        .secret_access_key("secret")
        .account_id("123456789012")
        .provider_name("test")
        .build();
    for (region, partition) in [
        ("eu-west-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
    ] {
        let cli = cli(ENDPOINT, region, "sensor \"7\"");
        let failure = Failure::NoSession(NoSession::HungUp(HangUp::Closed(None)));
        let hints = hints(&failure, &cli, Some(account.clone())).await;
        let statement = hints.iter().find(|hint| hint.starts_with('{')).expect("a statement");
        let statement: serde_json::Value = serde_json::from_str(statement).expect("JSON");
        let resource = format!("arn:{partition}:iot:{region}:123456789012:client/sensor \"7\"");
        assert_eq!(statement["Effect"], "Allow");
        assert_eq!(statement["Action"], "iot:Connect");
        assert_eq!(statement["Resource"], resource);
    }
}

#[test]
fn the_endpoint_names_the_region() {
    let cli = |endpoint| Cli::parse_from(["", "--endpoint", endpoint]);
    for (endpoint, region) in [
        (ENDPOINT, "eu-west-1"),
        ("data.iot-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("data-ats.iot-fips.ca-central-1.api.aws:443", "ca-central-1"),
        ("abc.ats.iot.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ] {
        assert_eq!(cli(endpoint).region().expect(endpoint), region);
    }
    let flag = Cli::parse_from(["", "--endpoint", ENDPOINT, "--region", "us-east-1"]);
    assert_eq!(flag.region().expect("the flag"), "us-east-1");
}

#[test]
fn a_client_id_with_nul_is_refused() {
    // No operating system passes a NUL on a command line, but a caller of the library can.
    let nul = ["", "--endpoint", ENDPOINT, "--region", "eu-west-1", "--client-id", "sensor\0"];
    let error = Cli::try_parse_from(nul).expect_err("a client ID with NUL").to_string();
    assert!(error.contains("control character"), "{error}");
}

/// Compares the README's sentence about what is tried again with the code.
#[test]
fn the_readme_lists_the_reason_codes_that_are_tried_again() {
    let readme = include_str!("../../../README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, list) = readme.split_once("says busy, throttled or going away (").expect("the sentence");
    let (list, _) = list.split_once(')').expect("its end");
    let code = |text: &str| u8::from_str_radix(text.trim().trim_start_matches("0x"), 16).expect(text);
    let listed: Vec<u8> = list
        .split(',')
        .flat_map(|entry| match entry.split_once(" to ") {
            Some((first, last)) => (code(first)..=code(last)).collect(),
            None => vec![code(entry)],
        })
        .collect();
    let busy: Vec<u8> = (0..=u8::MAX).filter(|code| ReasonCode(*code).is_busy()).collect();
    assert_eq!(listed, busy);
}

#[tokio::test]
async fn a_custom_domain_may_want_something_else() {
    for (endpoint, custom) in [("mqtt.example.com", true), (ENDPOINT, false)] {
        let cli = cli(endpoint, "eu-west-1", "sensor-7");
        let hints = hints(&forbidden("Forbidden"), &cli, None).await;
        assert_eq!(hints.iter().any(|hint| hint.contains("custom domain")), custom, "{endpoint}: {hints:?}");
    }
}

/// On macOS and Windows the error about a certificate comes from the system's own verifier.
#[tokio::test]
async fn a_certificate_that_the_system_refuses_is_reported_in_its_words() {
    let system = |words: &str| CertificateError::Other(OtherError(Arc::from(Box::from(words))));
    for (flaw, words, hint) in [
        (
            system("“x” certificate is not trusted: -67843"),
            "“x” certificate is not trusted: -67843",
            "the CA file",
        ),
        (system("“x” certificate is expired: -67818"), "“x” certificate is expired: -67818", ""),
        (CertificateError::Expired, "not accepted: expired", "the local clock"),
        (CertificateError::NotValidForName, "is for other names", "is abc-ats.iot.eu-west-1.amazonaws.com"),
    ] {
        let failure = connect(NetworkError::Tls(rustls::Error::InvalidCertificate(flaw).into()));
        let told = report(&failure, &[], &[]);
        assert!(told.contains(words), "{told}");
        let hints = hints(&failure, &cli(ENDPOINT, "eu-west-1", "sensor-7"), None).await;
        assert!(hint.is_empty() || hints.iter().any(|told| told.contains(hint)), "{hint}: {hints:?}");
    }
}
