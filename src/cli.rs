//! The command line: its flags, and the checks that need no network.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use sigv4_websocket::{ConnectorBuilder, Credentials, Endpoint};
use uuid::Uuid;

/// Connect to AWS IoT Core over MQTT 5 on a WebSocket signed with SigV4, then disconnect cleanly.
#[derive(Parser)]
#[command(version = version(), max_term_width = 100)]
pub struct Cli {
    /// IoT Core endpoint: aws iot describe-endpoint --endpoint-type iot:Data-ATS
    #[arg(long, value_name = "HOST[:PORT]")]
    pub endpoint: Endpoint,

    /// AWS region to sign for [default: the one in the endpoint's name, else AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long)]
    pub region: Option<String>,

    /// Signature algorithm; AWS documents only sigv4 for IoT Core
    #[arg(long, alias = "signing_algorithm", value_name = "NAME", default_value = "sigv4")]
    pub signing_algorithm: SigningAlgorithm,

    /// Regions of a sigv4a signature, such as * or us-east-1,eu-west-1 [default: the region to sign for]
    #[arg(long, alias = "region_set", value_name = "REGIONS")]
    pub region_set: Option<String>,

    /// Access key ID; without it, credentials come from the AWS credential chain
    #[arg(long, alias = "access_key", value_name = "ID", requires = "secret")]
    pub access_key: Option<String>,

    /// Secret access key; other users of this machine can see it while the program runs
    #[arg(long, value_name = "KEY", requires = "access_key", value_parser = secret)]
    pub secret: Option<Secret>,

    /// Session token that belongs to a temporary key pair
    #[arg(long, alias = "session_token", value_name = "TOKEN", requires = "access_key", value_parser = secret)]
    pub session_token: Option<Secret>,

    /// Use the credentials of this profile, even if the environment has others
    #[arg(long, value_name = "NAME", conflicts_with = "access_key", value_parser = NonEmptyStringValueParser::new())]
    pub profile: Option<String>,

    /// MQTT client ID [default: test- and a UUID]
    #[arg(long, alias = "client_id", value_name = "ID", value_parser = client_id, default_value_t = format!("test-{}", Uuid::new_v4()), hide_default_value = true)]
    pub client_id: String,

    /// Trust only the root certificates in this file, not the system's [default: the file that AWS_CA_BUNDLE names]
    #[arg(long, alias = "ca_file", value_name = "PEM")]
    pub ca_file: Option<PathBuf>,

    /// HTTP proxy, as in http://user:password@host:port [default: from HTTPS_PROXY and NO_PROXY]
    #[arg(long, value_name = "URL", value_parser = secret)]
    pub proxy: Option<Secret>,

    /// Time limit for connecting, for all attempts together
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub timeout: Duration,

    /// The most attempts, if another attempt may help
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,

    /// What to log to stderr [default: none, or what RUST_LOG says]
    #[arg(long, alias = "log_level", value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
}

/// The levels of the AWS IoT device SDKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    None,
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SigningAlgorithm {
    Sigv4,
    Sigv4a,
}

impl Cli {
    /// Reads the command line. Ends the program with exit code 2 and the reason if it cannot work, and with 0 after
    /// `--help` or `--version`.
    pub fn from_args() -> Self {
        let cli = Self::parse();
        match cli.contradiction() {
            Some(reason) => Self::command().error(ErrorKind::ValueValidation, reason).exit(),
            None => cli,
        }
    }

    /// Flags that do not go together, and keys that are empty or have white space around them, which comes from a file
    /// or a variable and would make the signature wrong. No value parser looks for the latter, since clap would show
    /// the value.
    fn contradiction(&self) -> Option<String> {
        if self.region_set.is_some() && self.signing_algorithm != SigningAlgorithm::Sigv4a {
            return Some("--region-set needs --signing-algorithm sigv4a".to_owned());
        }
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.0.clone());
        let keys = [
            ("--access-key", self.access_key.clone()),
            ("--secret", secret(&self.secret)),
            ("--session-token", secret(&self.session_token)),
        ];
        let flawed = |key: &String| key.is_empty() || key != key.trim();
        let (flag, _) = keys.into_iter().find(|(_, key)| key.as_ref().is_some_and(flawed))?;
        Some(format!("{flag} is empty, or begins or ends with white space"))
    }

    /// The settings of the connector. What no flag says is left to the environment.
    pub fn apply(&self, mut settings: ConnectorBuilder) -> ConnectorBuilder {
        // The program has a deadline of its own for all attempts, which then comes first.
        let later = self.timeout + Duration::from_secs(1);
        settings = settings.connect_timeout(later).response_timeout(later);
        if let Some(region) = &self.region {
            settings = settings.region(region);
        }
        if self.signing_algorithm == SigningAlgorithm::Sigv4a {
            settings = settings.sigv4a();
        }
        if let Some(regions) = &self.region_set {
            settings = settings.region_set(regions);
        }
        if let (Some(id), Some(Secret(secret))) = (&self.access_key, &self.secret) {
            let token = self.session_token.clone().map(|Secret(token)| token);
            settings = settings.credentials(Credentials::new(id, secret, token, None, "command line"));
        }
        if let Some(profile) = &self.profile {
            settings = settings.profile(profile);
        }
        if let Some(path) = &self.ca_file {
            settings = settings.ca_file(path);
        }
        if let Some(Secret(url)) = &self.proxy {
            settings = settings.proxy(url);
        }
        settings
    }
}

/// The version, and the commit if `GIT_COMMIT` was set for the build.
fn version() -> String {
    let commit = option_env!("GIT_COMMIT");
    [Some(env!("CARGO_PKG_VERSION")), commit].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Text that no log and no message may show, so it has no `Debug`.
#[derive(Clone)]
pub struct Secret(String);

/// Any text. Secrets are checked later, since clap shows a value that it rejects.
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret(text.to_owned()))
}

/// The limit is IoT Core's. MQTT 5 section 1.5.4 forbids U+0000 and advises against other control characters.
fn client_id(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("it is empty"),
        _ if text.len() > 128 => Err("it is longer than 128 bytes"),
        _ if text.contains(char::is_control) => Err("it contains a control character"),
        _ => Ok(text.to_owned()),
    }
}

/// A whole number of seconds, a day at most.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("not a whole number of seconds from 1 to 86400"),
    }
}
