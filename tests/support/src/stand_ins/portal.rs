//! A stand-in for IAM Identity Center: the portal, which trades a sign-in for the keys of a role, and the
//! OIDC service, which renews the sign-in.
//!
//! IAM Identity Center portal API reference, "GetRoleCredentials"; OIDC API reference, "CreateToken".

use super::{Answer, LONG, StandIn};
use crate::gateway::Key;
use time::OffsetDateTime;

/// Returns this key for the access token, and returns the access token when a sign-in is renewed.
pub async fn granting(key: &Key, access_token: &'static str) -> StandIn {
    let key = key.clone();
    StandIn::start(move |asked| {
        let body = if asked.line() == "POST /token" {
            renewed(access_token)
        } else if asked.head.only_header("x-amz-sso_bearer_token") == Some(access_token) {
            role_credentials(&key)
        } else {
            return refusal();
        };
        Answer::new(200, body.to_string()).header("content-type", "application/json")
    })
    .await
}

pub fn renewed(access_token: &str) -> serde_json::Value {
    serde_json::json!({ "accessToken": access_token, "tokenType": "Bearer", "expiresIn": 28800 })
}

pub fn role_credentials(key: &Key) -> serde_json::Value {
    let expiration = (OffsetDateTime::now_utc() + LONG).unix_timestamp() * 1000;
    serde_json::json!({ "roleCredentials": {
        "accessKeyId": key.access_key,
        "secretAccessKey": key.secret,
        "sessionToken": key.session_token,
        "expiration": expiration,
    }})
}

/// The portal's answer to a token that has expired or was revoked.
pub fn refusal() -> Answer {
    let body = r#"{"message":"Session token not found or invalid","__type":"com.amazonaws.switchboard.portal#UnauthorizedException"}"#;
    Answer::new(401, body)
        .header("content-type", "application/json")
        .header("x-amzn-errortype", "UnauthorizedException")
}
