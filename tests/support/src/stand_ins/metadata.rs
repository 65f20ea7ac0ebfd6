//! A stand-in for the instance metadata service of EC2, version 2, and for the credentials endpoint of a container.
//!
//! EC2 user guide, "Use the Instance Metadata Service to access instance metadata" (a session token first, then requests
//! that show it) and "Retrieve security credentials from instance metadata". AWS SDKs and Tools reference guide,
//! "Container credential provider".

use super::{Answer, LONG, expiration};
use crate::gateway::Key;
use time::Duration;

pub const TOKEN: &str = "AQAEAmetadataTokenOf/theStandIn+0123456789==";

/// The answers on an instance that has a role with this key.
pub fn answers(key: &Key) -> Vec<(&'static str, Answer)> {
    vec![
        ("PUT /latest/api/token", token(21_600)),
        ("GET /latest/meta-data/iam/security-credentials/", Answer::new(200, "thing-role")),
        ("GET /latest/meta-data/iam/security-credentials/thing-role", document(key, LONG)),
    ]
}

/// The credentials document, which is the same for instance metadata and for containers.
pub fn document(key: &Key, lifetime: Duration) -> Answer {
    Answer::json(serde_json::json!({
        "Code": "Success",
        "AccessKeyId": key.access_key,
        "SecretAccessKey": key.secret,
        "Token": key.session_token,
        "Expiration": expiration(lifetime),
    }))
}

/// A session token that is valid for so many seconds.
pub fn token(seconds: u64) -> Answer {
    Answer::new(200, TOKEN).header(&format!("x-aws-ec2-metadata-token-ttl-seconds: {seconds}"))
}
