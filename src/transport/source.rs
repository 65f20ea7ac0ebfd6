// SPDX-License-Identifier: Apache-2.0

//! One source of credentials, what it gives, and how it can fail.

use std::panic::AssertUnwindSafe;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use futures_util::FutureExt;

use super::file::FileError;
use super::profile::ProfileError;

/// The longest access key ID and the longest secret key, in bytes.
const MAX_KEY: usize = 1024;

/// The longest session token, in bytes.
const MAX_TOKEN: usize = 16 * 1024;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No source is set up. The list holds each source with the reason.
    #[error("no credentials found")]
    NoneFound(Vec<(String, String)>),
    /// A variable of the environment cannot be used.
    #[error("{name} {flaw}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        flaw: &'static str,
    },
    /// A file that a source needs cannot be used.
    #[error("{named_by} needs a file that cannot be used")]
    File {
        /// The variable or the setting of a profile that needs the file.
        named_by: &'static str,
        /// The file, and what is wrong with it.
        source: FileError,
    },
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A source returned credentials that cannot be valid.
    #[error("the {name} gave credentials that cannot work: {flaw}")]
    Invalid {
        /// The source.
        name: String,
        /// What is wrong with them.
        flaw: &'static str,
    },
    /// A source that is set up does not work.
    #[error("the {name} does not provide credentials")]
    Failed {
        /// The source.
        name: String,
        /// What its profile needs from the user.
        needs: Needs,
        /// The error of the source.
        source: CredentialsError,
    },
}

/// What only its user can do for a profile.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Sign in again for this profile.
    pub sign_in: Option<SignIn>,
    /// Enter a code of the device with this serial number.
    pub mfa: Option<String>,
}

/// A command of the AWS CLI that signs in, and the profile to name to it.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// `aws sso login`
    Sso(String),
    /// `aws login`
    Login(String),
}

/// Credentials, and the source they are from.
#[derive(Clone, Debug)]
pub struct Found {
    /// The source, as in "credentials from the NAME".
    pub source: String,
    /// The credentials.
    pub credentials: Credentials,
}

/// One source, and what messages call it.
#[derive(Debug)]
pub struct NamedProvider {
    name: String,
    needs: Needs,
    provider: SharedCredentialsProvider,
}

impl NamedProvider {
    /// Messages call this provider `name`.
    pub fn new(name: &str, provider: impl ProvideCredentials + 'static) -> Self {
        let provider = SharedCredentialsProvider::new(provider);
        Self { name: name.to_owned(), needs: Needs::default(), provider }
    }

    /// The same provider, with what its user can do if it fails.
    pub fn needing(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    /// Loads credentials from this source.
    ///
    /// # Errors
    ///
    /// [`SourceError::Failed`] or [`SourceError::Invalid`].
    pub async fn load(&self) -> Result<Found, SourceError> {
        // aws-config panics at some answers of a metadata service, and at a container's URL without a scheme.
        let answer = AssertUnwindSafe(self.provider.provide_credentials()).catch_unwind().await;
        let panicked = |_| Err(CredentialsError::unhandled("its settings or its answer make no sense"));
        match answer.unwrap_or_else(panicked) {
            Ok(credentials) => match flaw(&credentials) {
                Some(flaw) => Err(SourceError::Invalid { name: self.name.clone(), flaw }),
                None => Ok(Found { source: self.name.clone(), credentials }),
            },
            Err(source) => {
                Err(SourceError::Failed { name: self.name.clone(), needs: self.needs.clone(), source })
            }
        }
    }
}

/// Why these credentials cannot be valid. An access key ID has 16 to 128 characters (IAM API reference, "AccessKey"). The
/// limits here are much higher, but keep the URL short enough for servers.
fn flaw(credentials: &Credentials) -> Option<&'static str> {
    if credentials.access_key_id().is_empty() || credentials.secret_access_key().is_empty() {
        Some("the access key or the secret key is empty")
    } else if credentials.access_key_id().len() > MAX_KEY || credentials.secret_access_key().len() > MAX_KEY {
        Some("the access key or the secret key is too long")
    } else if credentials.session_token().is_some_and(|token| token.len() > MAX_TOKEN) {
        Some("the session token is too long")
    } else {
        None
    }
}
