//! When a source of credentials is asked again, with time that passes only where nothing else can happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::time::sleep;

use super::{FreshCredentials, Source};

/// Gives another key each time, with this lifetime, but fails from the `failing`th time on.
#[derive(Clone, Debug, Default)]
struct Provider {
    asked: Arc<AtomicUsize>,
    lifetime: Option<Duration>,
    failing: Option<usize>,
}

impl Provider {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let nth = self.asked.fetch_add(1, Ordering::Relaxed);
        let expiry = self.lifetime.map(|lifetime| SystemTime::now() + lifetime);
        future::ProvideCredentials::ready(match self.failing {
            Some(failing) if nth >= failing => Err(CredentialsError::provider_error("the vault is sealed")),
            _ => Ok(Credentials::new(format!("AKIA{nth:016}"), "secret", None, expiry, "test")),
        })
    }
}

fn fresh(provider: impl ProvideCredentials + 'static) -> FreshCredentials {
    FreshCredentials::new(Source::Given(SharedCredentialsProvider::new(provider)))
}

async fn fetch(credentials: &FreshCredentials) {
    credentials.fetch(|_| {}).await.expect("keys");
}

#[tokio::test]
async fn credentials_are_kept_until_a_minute_before_they_expire() {
    for (lifetime, asked) in [(None, 1), (Some(3600), 1), (Some(70), 1), (Some(59), 2), (Some(0), 2)] {
        let provider = Provider { lifetime: lifetime.map(Duration::from_secs), ..Provider::default() };
        let credentials = fresh(provider.clone());
        assert!(credentials.latest().is_none());
        fetch(&credentials).await;
        fetch(&credentials).await;
        assert_eq!(provider.asked(), asked, "{lifetime:?}");
        let latest = credentials.latest().expect("keys");
        assert_eq!(latest.access_key_id(), format!("AKIA{:016}", asked - 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_makes_the_source_be_asked_again_at_most_once_a_minute() {
    let provider = Provider::default();
    let credentials = fresh(provider.clone());
    let mut counts = Vec::new();
    for seconds in [0, 0, 0, 30, 29, 2, 0, 58, 3] {
        sleep(Duration::from_secs(seconds)).await;
        fetch(&credentials).await;
        credentials.refused();
        counts.push(provider.asked());
    }
    assert_eq!(counts, [1, 2, 2, 2, 2, 3, 3, 3, 4]);
    // A refusal is over once the source was asked.
    for _ in 0..2 {
        sleep(Duration::from_secs(3600)).await;
        fetch(&credentials).await;
    }
    assert_eq!(provider.asked(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_after_a_refusal_is_asked_no_more_often() {
    let provider = Provider { failing: Some(1), ..Provider::default() };
    let credentials = fresh(provider.clone());
    fetch(&credentials).await;
    credentials.refused();
    for _ in 0..5 {
        sleep(Duration::from_secs(10)).await;
        let _ = credentials.fetch(|_| {}).await;
    }
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn credentials_that_cannot_work_are_an_error() {
    let long = "A".repeat(16 * 1024 + 1);
    for (id, secret, token, works) in [
        ("AKIA", "secret", None, true),
        ("AKIA", "secret", Some(&long[1..]), true),
        ("", "secret", None, false),
        ("AKIA", "", None, false),
        (&long, "secret", None, false),
        ("AKIA", &long, None, false),
        ("AKIA", "secret", Some(&long[..]), false),
    ] {
        let error = "the given provider gave credentials that cannot work: a key is empty or too long";
        let keys = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        let result = fresh(keys).fetch(|_| {}).await.map(drop).map_err(|error| error.to_string());
        assert_eq!(result, if works { Ok(()) } else { Err(error.to_owned()) });
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_named() {
    let provider = Provider { failing: Some(0), ..Provider::default() };
    let error = fresh(provider.clone()).fetch(|_| {}).await.expect_err("no keys");
    assert_eq!(error.to_string(), "the given provider does not provide credentials");
}
