//! The command line: its flags, and the checks that need no network.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_credential_types::Credentials;
use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use uuid::Uuid;

use super::error::Error;
use super::values::{Secret, client_id, region, region_set, seconds, secret};
use crate::diagnosis::hint::Facts;
use crate::diagnosis::region::region_in;
use crate::transport::connector::Connector;
use crate::transport::credentials::CredentialSource;
use crate::transport::endpoint::Endpoint;
use crate::transport::network::Network;
use crate::transport::presign::Scope;
use crate::transport::proxy::Proxies;
use crate::transport::tls::Tls;

/// Connect to AWS IoT Core over MQTT 5 on a WebSocket signed with SigV4, then disconnect cleanly.
#[derive(Debug, Parser)]
#[command(version = version(), max_term_width = 100)]
pub struct Cli {
    /// IoT Core endpoint: aws iot describe-endpoint --endpoint-type iot:Data-ATS
    #[arg(long, value_name = "HOST[:PORT]")]
    pub endpoint: Endpoint,

    /// AWS region to sign for [default: the one in the endpoint's name, else AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_parser = region)]
    pub region: Option<String>,

    /// Signature algorithm; AWS documents only sigv4 for IoT Core
    #[arg(long, alias = "signing_algorithm", value_name = "NAME", default_value = "sigv4")]
    pub signing_algorithm: SigningAlgorithm,

    /// Regions of a sigv4a signature, such as * or us-east-1,eu-west-1 [default: the region to sign for]
    #[arg(long, alias = "region_set", value_name = "REGIONS", value_parser = region_set)]
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
#[expect(missing_docs, reason = "the names say it")]
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
#[expect(missing_docs, reason = "the names say it")]
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

    /// Flags that do not go together, and keys that are empty or have white space around them, which comes from a file or
    /// a variable and would make the signature wrong. No value parser looks for the latter, since clap would show the value.
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

    /// The region to sign for: the flag, the endpoint's name, or the environment.
    ///
    /// # Errors
    ///
    /// [`Error::NoRegion`] or [`Error::BadRegion`].
    pub fn region(&self) -> Result<String, Error> {
        let named = self.region.as_deref().or_else(|| region_in(self.endpoint.host()));
        if let Some(region) = named {
            return Ok(region.to_owned());
        }
        let set = |name| Some((name, env::var_os(name).filter(|value| !value.is_empty())?));
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let (variable, value) = variables.into_iter().find_map(set).ok_or(Error::NoRegion)?;
        let value = value.to_str().and_then(|value| region(value).ok());
        value.ok_or(Error::BadRegion(variable))
    }

    /// The region, or the set of regions, to sign for.
    pub fn scope(&self, region: &str) -> Scope {
        match self.signing_algorithm {
            SigningAlgorithm::Sigv4 => Scope::Region(region.to_owned()),
            SigningAlgorithm::Sigv4a => {
                Scope::RegionSet(self.region_set.clone().unwrap_or_else(|| region.to_owned()))
            }
        }
    }

    /// The credentials of the flags, or else the chain, which reaches its services through `network`.
    pub fn credentials(&self, region: &str, network: &Network) -> CredentialSource {
        match (&self.access_key, &self.secret) {
            (Some(id), Some(Secret(secret))) => {
                let token = self.session_token.clone().map(|Secret(token)| token);
                let credentials = Credentials::new(id, secret, token, None, "command line");
                CredentialSource::provider("command line", credentials)
            }
            _ => CredentialSource::chain(self.profile.as_deref(), region, network),
        }
    }

    /// Root certificates and proxies for all connections.
    ///
    /// # Errors
    ///
    /// [`Error::CaFile`] or [`Error::Proxy`].
    pub fn network(&self) -> Result<Network, Error> {
        let trusting = |setting, path: &Path| {
            Tls::with_ca_file(path).map_err(|source| Error::CaFile { setting, source })
        };
        let tls = match (&self.ca_file, env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty())) {
            (Some(path), _) => trusting("--ca-file", path)?,
            (None, Some(path)) => trusting("AWS_CA_BUNDLE", path.as_ref())?,
            (None, None) => Tls::with_system_roots(),
        };
        let proxies = match &self.proxy {
            Some(Secret(url)) => Proxies::always("--proxy", url)?,
            None => Proxies::from_env(),
        };
        proxies.to(&self.endpoint)?;
        Ok(Network::new(tls, proxies))
    }

    /// The facts that hints mention.
    pub fn facts<'a>(&'a self, region: &'a str, connector: &'a Connector) -> Facts<'a> {
        Facts { connector, region, client_id: &self.client_id }
    }

    /// Warnings of settings that are allowed, but will probably not work as the user means them.
    pub fn warnings(&self, region: &str) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(named) = region_in(self.endpoint.host()).filter(|named| *named != region) {
            warnings.push(format!("the endpoint is in {named}, but the region to sign for is {region}"));
        }
        if self.client_id.contains(['#', '+', '/']) {
            warnings.push("IoT Core publishes no lifecycle events for client IDs with #, + or /".to_owned());
        }
        warnings
    }
}

/// The version, and the commit if `GIT_COMMIT` was set for the build.
fn version() -> String {
    let commit = option_env!("GIT_COMMIT");
    [Some(env!("CARGO_PKG_VERSION")), commit].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
