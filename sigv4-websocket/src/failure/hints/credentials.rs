//! What to do if there are no credentials, or if they are refused.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::{CredentialsError, TokenError};

use crate::credentials::SourceError;
use crate::failure::report::causes;
use crate::text::date;

pub(super) fn hints(error: &SourceError) -> Vec<String> {
    match error {
        #[cfg(feature = "chain")]
        SourceError::NoneFound { .. } => vec![
            "sign in with `aws login` or `aws configure sso`, and name the profile".to_owned(),
            "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_SESSION_TOKEN for temporary keys"
                .to_owned(),
        ],
        #[cfg(feature = "chain")]
        SourceError::ProfileFile { .. } => {
            vec!["the file must be UTF-8, which PowerShell does not write by itself, and readable".to_owned()]
        }
        SourceError::Invalid(_) => Vec::new(),
        SourceError::Failed { name, source } => match (name.strip_prefix("profile "), name.as_str()) {
            (Some(profile), _) => for_profile(profile, source).into_iter().collect(),
            (_, "environment") => {
                vec!["AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together: set both".to_owned()]
            }
            (_, "web identity token") => vec![
                "AWS_WEB_IDENTITY_TOKEN_FILE names the file with the token, and AWS_ROLE_ARN the role that it is for"
                    .to_owned(),
            ],
            _ => Vec::new(),
        },
    }
}

/// Recognises the causes by their text, since most of their types are private to aws-config.
fn for_profile(profile: &str, error: &CredentialsError) -> Option<String> {
    let says = |text| causes(error).any(|cause| cause.to_string().contains(text));
    // What the command writes to stderr may look like any of the others.
    if says("external process") {
        return Some(
            "the command in credential_process must print credentials as JSON, and exit with 0".to_owned(),
        );
    }
    let sso = causes(error).any(|cause| cause.is::<TokenError>());
    if sso || says("SSO token") || says("UnauthorizedException") || says("sso/cache") {
        return Some(format!("sign in to IAM Identity Center again: aws sso login --profile {profile}"));
    }
    if says("Login token") || says("AccessDeniedException") || says("failed to read `") {
        return Some(format!("sign in again: aws login --profile {profile}"));
    }
    if says("could not parse profile file") {
        return Some("a profile file has an error of syntax: `aws configure list` says where".to_owned());
    }
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return Some(format!(
            "there is no such profile, or it sets up no credentials: it is [profile {profile}] in the config file or \
             [{profile}] in the credentials file; on EC2 it may have role_arn and credential_source = \
             Ec2InstanceMetadata"
        ));
    }
    says("AccessDenied").then(|| {
        "if the role demands an MFA code, which the AWS SDK for Rust cannot ask for: get keys with `aws sts \
         get-session-token`, or through a credential_process"
            .to_owned()
    })
}

/// Why the server may not know these credentials. `now` is the time of the server's clock.
pub(super) fn refused(credentials: Option<&Credentials>, now: Option<SystemTime>) -> String {
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
