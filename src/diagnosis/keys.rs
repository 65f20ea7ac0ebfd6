// SPDX-License-Identifier: Apache-2.0

//! What to do if there are no credentials, or if they are refused.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::TokenError;

use super::report::causes;
use super::transport::network::NetworkError;
use super::transport::proxy::ProxyError;
use super::transport::source::{SignIn, SourceError};
use super::transport::text::{date, shown};

/// The hints for `error`. `profile` is the name of the setting that selects a profile.
pub fn hints(error: &SourceError, profile: &str) -> Vec<String> {
    let (source, needs) = match error {
        SourceError::NoneFound(_) => {
            let sign_in = "sign in with `aws login` or `aws configure sso`, and select the profile with";
            let keys = "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_SESSION_TOKEN for temporary keys";
            return vec![format!("{sign_in} {profile}"), keys.to_owned()];
        }
        SourceError::Failed { source, needs, .. } => (source, needs),
        _ => return Vec::new(),
    };
    let sign_in =
        needs.sign_in.as_ref().filter(|_| causes(source).any(is_token)).map(|sign_in| match sign_in {
            SignIn::Sso(profile) => {
                format!("sign in to IAM Identity Center again: aws sso login --profile {profile}")
            }
            SignIn::Login(profile) => format!("sign in again: aws login --profile {profile}"),
        });
    let mfa = needs.mfa.as_ref().map(|serial| {
        format!(
            "the profile wants a code of the MFA device {}, but the AWS SDK for Rust cannot ask for a code: get keys \
             with `aws sts get-session-token`, or through a credential_process",
            shown(serial)
        )
    });
    sign_in.into_iter().chain(mfa).collect()
}

/// The error of the proxy on the way to a credential service, if `error` comes from that.
pub fn proxy_in(error: &SourceError) -> Option<&ProxyError> {
    let SourceError::Failed { source, .. } = error else { return None };
    match causes(source).find_map(|cause| cause.downcast_ref())? {
        NetworkError::Proxy(error) => Some(error),
        _ => None,
    }
}

/// Why the server may not know these credentials. `now` is the time of the server's clock.
pub fn refused(credentials: Option<&Credentials>, now: Option<SystemTime>) -> String {
    let expiry = credentials.and_then(Credentials::expiry).zip(now);
    let has_token = credentials.is_some_and(|keys| keys.session_token().is_some());
    match expiry {
        Some((expiry, now)) if expiry <= now => {
            format!("the credentials expired at {}: get new ones", date(expiry))
        }
        Some((expiry, _)) => format!(
            "the credentials have not expired, they are good until {}: the access key is unknown or was deleted, or \
             the session token belongs to another key",
            date(expiry)
        ),
        None if has_token => {
            "the access key is unknown, or the session token has expired or belongs to another key".to_owned()
        }
        None if credentials.is_some_and(|keys| keys.access_key_id().starts_with("ASIA")) => {
            "the access key is a temporary one (ASIA…), but its session token is missing".to_owned()
        }
        None => "the access key is unknown in this partition, or was deleted".to_owned(),
    }
}

/// Whether the cause is a cached token that is missing or unusable, or that the service refuses.
fn is_token(cause: &(dyn std::error::Error + 'static)) -> bool {
    let words = cause.to_string();
    let signs = [
        "UnauthorizedException",
        "AccessDeniedException",
        "cached SSO token",
        "failed to read `",
        "Login token",
    ];
    cause.is::<TokenError>() || signs.into_iter().any(|sign| words.contains(sign))
}
