//! A stand-in for the instance metadata service of EC2, version 2.
//!
//! EC2 user guide, "Use the Instance Metadata Service to access instance metadata" (a session token first,
//! then requests that show it) and "Retrieve security credentials from instance metadata".

use super::{Answer, LONG, StandIn, container};
use crate::gateway::Key;

pub const TOKEN: &str = "AQAEAmetadataTokenOf/theStandIn+0123456789==";
pub const TOKEN_LINE: &str = "PUT /latest/api/token";
pub const ROLE_LINE: &str = "GET /latest/meta-data/iam/security-credentials/";
pub const CREDENTIALS_LINE: &str = "GET /latest/meta-data/iam/security-credentials/thing-role";

/// An instance that has a role with this key.
pub async fn granting(key: &Key) -> StandIn {
    let document = container::document(key, LONG);
    with([(ROLE_LINE, Answer::new(200, "thing-role")), (CREDENTIALS_LINE, document)]).await
}

/// Gives these answers to these requests. Unless it is among them, a request for the session token gets the
/// normal answer, and any other request gets 404. A request that does not show the session token gets 401.
pub async fn with(answers: impl Into<Vec<(&'static str, Answer)>>) -> StandIn {
    let answers = answers.into();
    StandIn::start(move |asked| {
        let line = asked.line();
        let answer = answers.iter().find(|(known, _)| *known == line).map(|(_, answer)| answer.clone());
        let shown = asked.head.only_header("x-aws-ec2-metadata-token");
        match (line.as_str(), answer) {
            (TOKEN_LINE, None) => token(),
            (TOKEN_LINE, Some(answer)) => answer,
            _ if shown != Some(TOKEN) => Answer::new(401, ""),
            (_, answer) => answer.unwrap_or_else(|| Answer::new(404, "")),
        }
    })
    .await
}

fn token() -> Answer {
    Answer::new(200, TOKEN).header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
}
