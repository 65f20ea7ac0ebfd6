//! What the services behind `aws sso login` and `aws login` answer.
//!
//! IAM Identity Center portal API reference, "GetRoleCredentials"; its OIDC API reference, "CreateToken"; AWS
//! Sign-In API reference, "CreateOAuth2Token".

use super::{Answer, LONG};
use crate::gateway::Key;
use time::OffsetDateTime;

/// The portal trades a sign-in for the keys of a role.
pub fn role_credentials(key: &Key) -> Answer {
    Answer::json(serde_json::json!({ "roleCredentials": {
        "accessKeyId": key.access_key,
        "secretAccessKey": key.secret,
        "sessionToken": key.session_token,
        "expiration": (OffsetDateTime::now_utc() + LONG).unix_timestamp() * 1000,
    }}))
}

/// OIDC renews a sign-in.
pub fn renewed(access_token: &str) -> Answer {
    Answer::json(
        serde_json::json!({ "accessToken": access_token, "tokenType": "Bearer", "expiresIn": 28800 }),
    )
}

/// AWS Sign-In renews the keys of `aws login`.
pub fn renewed_login(key: &Key) -> Answer {
    Answer::json(serde_json::json!({
        "accessToken": {
            "accessKeyId": key.access_key,
            "secretAccessKey": key.secret,
            "sessionToken": key.session_token,
        },
        "tokenType": "aws_sigv4",
        "expiresIn": 900,
        "refreshToken": "aNewRefreshTokenOfTheTest/+==",
    }))
}
