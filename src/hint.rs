//! What to do about an error: advice from its type, filled in with the facts of this run.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::TokenError;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, InvalidMessage};

use crate::cli::Cli;
use crate::connector::{CLOCK_TOLERANCE, ConnectError};
use crate::credentials::SourceError;
use crate::error::{Error, causes};
use crate::session::SessionError;
use crate::tcp::TcpError;
use crate::tls::TlsError;
use crate::upgrade::{Answer, UpgradeError};

const DESCRIBE_ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";

/// What a hint may be filled in with.
pub struct Facts<'a> {
    /// The flags.
    pub cli: &'a Cli,
    /// The credentials signed with.
    pub credentials: Option<&'a Credentials>,
}

/// The hints for `error`, the likeliest cause first; none where nothing is known.
pub fn hints(error: &Error, facts: &Facts<'_>) -> Vec<String> {
    let Error::Session(error) = error else {
        return Vec::new();
    };
    match error {
        SessionError::Connect(error) => match error {
            ConnectError::Credentials(error) => credentials(error, facts),
            ConnectError::Tcp(error) => tcp(error, facts),
            ConnectError::Tls(error) => tls(error, facts),
            ConnectError::Upgrade(UpgradeError::Refused(answer)) => refused(answer, facts),
            ConnectError::Upgrade(UpgradeError::NotWebSocket(..) | UpgradeError::NoAnswer(_)) => {
                vec![not_iot_core(facts)]
            }
            ConnectError::Upgrade(_) | ConnectError::Presign(_) => Vec::new(),
        },
        SessionError::HungUp(_) => policy(facts),
        SessionError::NotMqtt(_) | SessionError::Malformed(_) | SessionError::NotConnack => {
            vec![not_iot_core(facts)]
        }
        SessionError::Refused { code, .. } | SessionError::Disconnected { code, .. } => match code.0 {
            0x87 => policy(facts),
            0x85 => vec![format!(
                "IoT Core takes client IDs of 1 to 128 bytes of UTF-8; this one has {}",
                facts.cli.client_id.len()
            )],
            0x88 | 0x89 => vec![busy()],
            0x8E => vec![format!(
                "another client connected as {}; leave out --client-id for a random one",
                facts.cli.client_id
            )],
            0x97 | 0x9F => vec![
                "IoT Core takes 1 CONNECT per second for a client ID and 500 for an account, unless its \
                 quotas were raised: Service Quotas, AWS IoT Core, Connect requests per second"
                    .to_owned(),
            ],
            _ => Vec::new(),
        },
        SessionError::TimedOut | SessionError::Other(_) => Vec::new(),
    }
}

fn credentials(error: &SourceError, facts: &Facts<'_>) -> Vec<String> {
    match error {
        SourceError::NoneFound(_) => vec![
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_SESSION_TOKEN for temporary keys"
                .to_owned(),
            "or sign in with `aws configure sso` or `aws configure`, and name the profile with --profile"
                .to_owned(),
        ],
        SourceError::Failed { source, .. } if causes(source).any(is_sso_token) => {
            let profile = facts.cli.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok());
            vec![format!(
                "sign in to IAM Identity Center again: aws sso login --profile {}",
                profile.as_deref().unwrap_or("default")
            )]
        }
        SourceError::NoSuchProfile { .. } | SourceError::Failed { .. } => Vec::new(),
    }
}

/// No usable token in the cache, or one that the portal refuses.
fn is_sso_token(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<TokenError>() || cause.to_string().starts_with("UnauthorizedException")
}

fn tcp(error: &TcpError, facts: &Facts<'_>) -> Vec<String> {
    match error {
        TcpError::Resolve { .. } => vec![format!(
            "the endpoint was given as {:?}; yours is what `{DESCRIBE_ENDPOINT} --region {}` prints",
            facts.cli.endpoint.host(),
            facts.cli.region
        )],
        TcpError::Connect(_) => Vec::new(),
    }
}

fn tls(error: &TlsError, facts: &Facts<'_>) -> Vec<String> {
    let now = || date(SystemTime::now());
    let certificate = match error {
        TlsError::EmptySystemStore(_) => {
            return vec![
                "install the system's root certificates (the package ca-certificates), or name a file \
                         with --ca-file"
                    .to_owned(),
            ];
        }
        TlsError::Handshake(rustls::Error::InvalidCertificate(certificate)) => certificate,
        TlsError::Handshake(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            return vec![not_iot_core(facts)];
        }
        _ => return Vec::new(),
    };
    match certificate {
        CertificateError::UnknownIssuer => {
            let mut hints = Vec::new();
            if facts.cli.endpoint.region().is_some() && !facts.cli.endpoint.host().contains("ats.iot.") {
                hints.push(format!(
                    "endpoints without -ats have a certificate that trust stores no longer accept: \
                     `{DESCRIBE_ENDPOINT}` prints the other one"
                ));
            }
            hints.push(match facts.cli.ca_file {
                Some(_) => "the server's certificate does not come from the issuer in --ca-file".to_owned(),
                None => {
                    "a proxy may be inspecting TLS here; name its root certificate with --ca-file".to_owned()
                }
            });
            hints
        }
        CertificateError::ExpiredContext { not_after, .. } => vec![format!(
            "the certificate was valid until {}; the local clock says {}",
            date(from_unix(*not_after)),
            now()
        )],
        CertificateError::NotValidYetContext { not_before, .. } => vec![format!(
            "the certificate is valid from {}; the local clock says {}",
            date(from_unix(*not_before)),
            now()
        )],
        CertificateError::NotValidForNameContext { expected, presented } => {
            vec![format!("the certificate is for {}, not for {}", presented.join(", "), expected.to_str())]
        }
        _ => Vec::new(),
    }
}

fn refused(answer: &Answer, facts: &Facts<'_>) -> Vec<String> {
    let message = answer.message.as_deref().unwrap_or_default();
    let region = &facts.cli.region;
    let other_region = facts.cli.endpoint.region().filter(|named| named != region);
    let mut hints = Vec::new();
    if let Some(skew) = answer.date.map(|server| skew(server, SystemTime::now()))
        && skew.unsigned_abs() > CLOCK_TOLERANCE.as_secs()
    {
        hints.push(format!("{}; a signature may be 5 minutes off", clock(skew)));
    }
    if answer.status == 429 || answer.status.is_server_error() {
        hints.push(busy());
    } else if answer.status != 403 && answer.error_type.is_none() {
        hints.push(not_iot_core(facts));
    } else if message.contains("security token") {
        hints.push(match facts.credentials {
            Some(keys) if keys.session_token().is_none() && keys.access_key_id().starts_with("ASIA") => {
                "the access key is a temporary one (ASIA…), but its session token is missing".to_owned()
            }
            Some(keys) if keys.session_token().is_some() => {
                "the access key is not known, or the session token has expired or belongs to another key"
                    .to_owned()
            }
            _ => "the access key is not known to AWS in this partition, or was deleted".to_owned(),
        });
    } else if message.contains("does not match") {
        hints.push("the secret key does not belong to the access key, or the region is wrong".to_owned());
    }
    if let Some(named) = other_region {
        hints.push(format!("the region to sign for is {region}, but the endpoint names {named}"));
    } else if message.contains("scoped to a valid region") {
        hints.push(format!("the region to sign for is {region}, but the endpoint is in another one"));
    }
    hints
}

/// IoT Core hangs up or says 0x87 when no IoT policy allows the connection.
fn policy(facts: &Facts<'_>) -> Vec<String> {
    let Cli { region, client_id, .. } = facts.cli;
    let account = facts.credentials.and_then(|keys| keys.account_id()).map_or("<account>", |id| id.as_str());
    let statement = serde_json::json!({
        "Effect": "Allow",
        "Action": "iot:Connect",
        "Resource": format!("arn:{}:iot:{region}:{account}:client/{client_id}", partition(region)),
    });
    vec![
        "most likely no policy allows this client ID to connect (the AWS IoT device SDKs call it error \
         5134, AWS_ERROR_MQTT_UNEXPECTED_HANGUP); this statement would:"
            .to_owned(),
        statement.to_string(),
        "an Amazon Cognito identity also needs an IoT policy: aws iot attach-policy".to_owned(),
    ]
}

/// The partition in an ARN (AWS General Reference, "Amazon Resource Names").
fn partition(region: &str) -> &'static str {
    match region.split('-').collect::<Vec<_>>()[..] {
        ["cn", ..] => "aws-cn",
        ["eusc", ..] => "aws-eusc",
        [_, "gov", ..] => "aws-us-gov",
        [_, "iso", ..] => "aws-iso",
        [_, "isob", ..] => "aws-iso-b",
        [_, "isoe", ..] => "aws-iso-e",
        [_, "isof", ..] => "aws-iso-f",
        _ => "aws",
    }
}

fn not_iot_core(facts: &Facts<'_>) -> String {
    format!(
        "this is not how IoT Core answers: is {} the endpoint that `{DESCRIBE_ENDPOINT}` prints, and is there \
         a proxy or firewall on the way?",
        facts.cli.endpoint
    )
}

fn busy() -> String {
    "the server is busy or throttles this account; try again later, or raise --attempts and --timeout"
        .to_owned()
}

/// How far the local clock is off, in words. Positive seconds: it is behind the server's.
pub fn clock(seconds: i64) -> String {
    let (hours, minutes) = (seconds.unsigned_abs() / 3600, seconds.unsigned_abs() / 60 % 60);
    let direction = if seconds > 0 { "behind" } else { "ahead of" };
    format!("the local clock is {hours} h {minutes} min {direction} the server's")
}

/// Seconds by which `server` is ahead of `local`.
fn skew(server: SystemTime, local: SystemTime) -> i64 {
    let seconds =
        |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    seconds(server) - seconds(local)
}

fn from_unix(time: UnixTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.as_secs())
}

fn date(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}
