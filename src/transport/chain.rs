// SPDX-License-Identifier: Apache-2.0

//! The AWS credential chain (AWS SDKs and Tools Reference Guide, "Standardized credential providers"), made of
//! aws-config's providers.

use std::env;
use std::panic::AssertUnwindSafe;

use aws_config::Region;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use futures_util::FutureExt;

use super::http_client::http_client;
use super::network::Network;
use super::profile::{self, NoSuchProfile};

/// No credentials.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// None of the sources has any; each stands here with its reason.
    #[error("no credentials found")]
    NoneFound(Vec<(String, CredentialsError)>),
    /// Half a key pair would otherwise be passed over, and other credentials be used than was meant.
    #[error("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")]
    HalfKeyPair,
    /// The profile that was asked for does not exist.
    #[error(transparent)]
    NoSuchProfile(#[from] NoSuchProfile),
    /// A source that is configured does not work. The chain ends there, as it does in all AWS tools.
    #[error("the {name} does not provide credentials")]
    Failed {
        /// The source.
        name: String,
        /// What it said.
        source: CredentialsError,
    },
}

/// Credentials, and the source they are from.
#[derive(Clone, Debug)]
pub struct Found {
    /// The source, as in "credentials from the NAME".
    pub source: String,
    /// What it gave.
    pub credentials: Credentials,
}

/// The chain, or one profile alone.
#[derive(Debug)]
pub struct Chain {
    /// The profile to take, whatever the environment holds.
    pub profile: Option<String>,
    /// For STS, where the profile names no region.
    pub region: String,
    /// The way to the services.
    pub network: Network,
}

impl Chain {
    /// Credentials from the first source that is set up.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when no source has any, or one that is configured fails.
    pub async fn load(&self) -> Result<Found, SourceError> {
        let mut reasons = Vec::new();
        if self.profile.is_none() {
            let environment = Link::new("environment", EnvironmentVariableCredentialsProvider::new());
            if let Some(found) = environment.ask(&mut reasons).await? {
                return Ok(found);
            }
        }
        for link in self.links_after_environment().await? {
            if let Some(found) = link.ask(&mut reasons).await? {
                return Ok(found);
            }
        }
        Err(SourceError::NoneFound(reasons))
    }

    /// Made anew for every load, since aws-config reads a profile only once, and tells only once what is wrong
    /// with it. Not made where the environment has credentials, since it reads files.
    async fn links_after_environment(&self) -> Result<Vec<Link>, SourceError> {
        let name = self.profile.as_deref();
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        if name.is_none() && set("AWS_ACCESS_KEY_ID") && !set("AWS_SECRET_ACCESS_KEY") {
            return Err(SourceError::HalfKeyPair);
        }
        profile::check(name.map(str::to_owned).or_else(|| env::var("AWS_PROFILE").ok()))?;
        let config = ProviderConfig::default().with_http_client(http_client(self.network.clone()));
        let mut region_of_profile = ProfileFileRegionProvider::builder().configure(&config);
        let mut from_profile = ProfileFileCredentialsProvider::builder();
        if let Some(name) = name {
            region_of_profile = region_of_profile.profile_name(name);
            from_profile = from_profile.profile_name(name);
        }
        let region = region_of_profile.build().region().await.unwrap_or(Region::new(self.region.clone()));
        let config = config.with_region(Some(region));
        let from_profile = from_profile.configure(&config).build();
        if let Some(name) = name {
            return Ok(vec![Link::new(&format!("profile {name}"), from_profile)]);
        }
        Ok(vec![
            Link::new("profile", from_profile),
            Link::new(
                "web identity token",
                WebIdentityTokenCredentialsProvider::builder().configure(&config).build(),
            ),
            Link::new("container", EcsCredentialsProvider::builder().configure(&config).build()),
            Link::new("EC2 instance metadata", ImdsCredentialsProvider::builder().configure(&config).build()),
        ])
    }
}

/// One source, by name.
#[derive(Debug)]
pub struct Link {
    name: String,
    provider: SharedCredentialsProvider,
}

impl Link {
    /// A provider that is called `name` in messages.
    pub fn new(name: &str, provider: impl ProvideCredentials + 'static) -> Self {
        Self { name: name.to_owned(), provider: SharedCredentialsProvider::new(provider) }
    }

    /// Its credentials.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if it has none, or fails.
    pub async fn load(&self) -> Result<Found, SourceError> {
        let mut reasons = Vec::new();
        self.ask(&mut reasons).await?.ok_or(SourceError::NoneFound(reasons))
    }

    /// None, and the reason noted, if this source is not set up.
    async fn ask(&self, reasons: &mut Vec<(String, CredentialsError)>) -> Result<Option<Found>, SourceError> {
        // aws-config panics at some answers of a metadata service, and at a container's URL without a scheme.
        let answer = AssertUnwindSafe(self.provider.provide_credentials()).catch_unwind().await;
        let senseless = |_| Err(CredentialsError::unhandled("its settings or its answer make no sense"));
        let name = self.name.clone();
        match answer.unwrap_or_else(senseless) {
            Ok(credentials) => Ok(Some(Found { source: name, credentials })),
            Err(reason @ CredentialsError::CredentialsNotLoaded(_)) => {
                reasons.push((name, reason));
                Ok(None)
            }
            Err(source) => Err(SourceError::Failed { name, source }),
        }
    }
}
