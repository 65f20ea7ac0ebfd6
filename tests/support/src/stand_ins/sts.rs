//! A stand-in for the AWS Security Token Service.
//!
//! AWS STS API reference, "AssumeRole", "AssumeRoleWithWebIdentity" and "Making query requests".

use super::{Answer, Asked, LONG, StandIn, expiration};
use crate::gateway::Key;
use rustls::ServerConfig;
use std::sync::Arc;

/// Gives out this key, whichever role is asked for.
pub async fn granting(key: &Key) -> StandIn {
    let key = key.clone();
    StandIn::start(move |asked| grant(asked, &key)).await
}

/// The same behind TLS.
pub async fn granting_with_tls(key: &Key, tls: Arc<ServerConfig>) -> StandIn {
    let key = key.clone();
    StandIn::start_behind(Some(tls), move |asked| grant(asked, &key)).await
}

/// Refuses every request.
pub async fn refusing(code: &str, message: &str) -> StandIn {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>11111111-2222-3333-4444-555555555555</RequestId></ErrorResponse>"
    );
    StandIn::answering(Answer::new(403, body).header("content-type", "text/xml")).await
}

/// The access key and the region that a request is signed for, or None if it is not signed.
pub fn signed_with(asked: &Asked) -> Option<(String, String)> {
    let authorization = asked.head.only_header("authorization")?;
    let scope = authorization.strip_prefix("AWS4-HMAC-SHA256 Credential=")?.split(',').next()?;
    match scope.split('/').collect::<Vec<_>>()[..] {
        [access_key, _day, region, "sts", "aws4_request"] => Some((access_key.into(), region.into())),
        _ => panic!("a credential scope for STS, not {scope}"),
    }
}

/// The role's key, in the answer to this request.
pub fn grant(asked: &Asked, key: &Key) -> Answer {
    let (action, role) = (asked.field("Action"), asked.field("RoleArn"));
    let (action, role) = (action.expect("an action"), role.expect("a role"));
    let token = key.session_token.as_deref().expect("temporary credentials").replace('&', "&amp;");
    let body = format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>\
         <AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:session</AssumedRoleId><Arn>{role}</Arn></AssumedRoleUser>\
         <Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey>\
         <SessionToken>{token}</SessionToken><Expiration>{}</Expiration></Credentials>\
         </{action}Result></{action}Response>",
        key.access_key,
        key.secret,
        expiration(LONG),
    );
    Answer::new(200, body).header("content-type", "text/xml")
}
