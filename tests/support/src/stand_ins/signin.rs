//! A stand-in for AWS Sign-In, which renews the sign-in that `aws login` has cached.
//!
//! AWS Sign-In API reference, "CreateOAuth2Token".

use super::{Answer, StandIn};
use crate::gateway::Key;

/// Returns this key for the refresh token, if the request also has a proof in its `dpop` header, which is not
/// verified.
pub async fn granting(key: &Key, refresh_token: &'static str) -> StandIn {
    let key = key.clone();
    StandIn::start(move |asked| {
        let shown = asked.body.contains(&format!("\"refreshToken\":\"{refresh_token}\""));
        let proven = asked.head.only_header("dpop").is_some_and(|proof| proof.split('.').count() == 3);
        match asked.line() == "POST /v1/token" && shown && proven {
            true => Answer::new(200, renewed(&key)).header("content-type", "application/json"),
            false => refusal(),
        }
    })
    .await
}

fn renewed(key: &Key) -> String {
    let body = serde_json::json!({
        "accessToken": {
            "accessKeyId": key.access_key,
            "secretAccessKey": key.secret,
            "sessionToken": key.session_token,
        },
        "tokenType": "aws_sigv4",
        "expiresIn": 900,
        "refreshToken": "aNewRefreshTokenOfTheTest/+==",
    });
    body.to_string()
}

/// The answer when the session has expired.
pub fn refusal() -> Answer {
    let body = r#"{"error":"TOKEN_EXPIRED","message":"The session is over"}"#;
    Answer::new(400, body)
        .header("content-type", "application/json")
        .header("x-amzn-errortype", "AccessDeniedException")
}
