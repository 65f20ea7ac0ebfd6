//! A stand-in for the AWS Security Token Service.
//!
//! AWS STS API reference, "AssumeRole", "AssumeRoleWithWebIdentity" and "Making query requests".

use super::{Answer, LONG, StandIn, expiration};
use crate::gateway::Key;
use rustls::ServerConfig;
use std::sync::Arc;

/// Grants this key for every web identity, behind TLS.
pub async fn granting_with_tls(key: &Key, tls: Arc<ServerConfig>) -> StandIn {
    let answer = grant("AssumeRoleWithWebIdentity", key);
    StandIn::start_behind(Some(tls), move |_| answer.clone()).await
}

/// The role's key, in the answer to this action.
pub fn grant(action: &str, key: &Key) -> Answer {
    let token = key.session_token.as_deref().expect("temporary credentials").replace('&', "&amp;");
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{}</Expiration></Credentials>\
         </{action}Result></{action}Response>",
        key.access_key,
        key.secret,
        expiration(LONG),
    );
    Answer::new(200, body).header("content-type: text/xml")
}

pub fn refusal(code: &str, message: &str) -> Answer {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>"
    );
    Answer::new(403, body).header("content-type: text/xml")
}
