//! A stand-in for the credentials endpoint of a container on ECS or EKS.
//!
//! AWS SDKs and Tools reference guide, "Container credential provider".

use super::{Answer, StandIn, expiration};
use crate::gateway::Key;
use std::sync::atomic::{AtomicUsize, Ordering};
use time::Duration;

/// Returns the keys one after the other, each with its lifetime, and then the last one again.
pub async fn granting(keys: Vec<(Key, Duration)>) -> StandIn {
    let turn = AtomicUsize::new(0);
    StandIn::start(move |_| {
        let nth = turn.fetch_add(1, Ordering::Relaxed);
        let (key, lifetime) = &keys[nth.min(keys.len() - 1)];
        document(key, *lifetime)
    })
    .await
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
