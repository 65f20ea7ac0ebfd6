//! When a source of credentials is asked again, with time that passes only where nothing else can happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider, future};
use tokio::time::sleep;

use super::{FreshCredentials, Source};

/// Counts how often it is asked. Each time it gives another key, with this lifetime.
#[derive(Clone, Debug)]
struct Counting(Arc<AtomicUsize>, Option<Duration>);

impl ProvideCredentials for Counting {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let id = format!("AKIA{:016}", self.0.fetch_add(1, Ordering::Relaxed));
        let expiry = self.1.map(|lifetime| SystemTime::now() + lifetime);
        future::ProvideCredentials::ready(Ok(Credentials::new(id, "secret", None, expiry, "test")))
    }
}

fn counting(lifetime: Option<Duration>) -> (FreshCredentials, Arc<AtomicUsize>) {
    let count = Arc::<AtomicUsize>::default();
    let provider = SharedCredentialsProvider::new(Counting(count.clone(), lifetime));
    (FreshCredentials::new(Source::Given(provider)), count)
}

async fn fetch(credentials: &FreshCredentials) {
    credentials.fetch(|_| {}).await.expect("keys");
}

#[tokio::test]
async fn credentials_are_kept_until_a_minute_before_they_expire() {
    for (lifetime, asked) in [(None, 1), (Some(3600), 1), (Some(70), 1), (Some(59), 2), (Some(0), 2)] {
        let (credentials, count) = counting(lifetime.map(Duration::from_secs));
        assert!(credentials.latest().is_none());
        fetch(&credentials).await;
        fetch(&credentials).await;
        assert_eq!(count.load(Ordering::Relaxed), asked, "{lifetime:?}");
        let latest = credentials.latest().expect("keys");
        assert_eq!(latest.access_key_id(), format!("AKIA{:016}", asked - 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_makes_the_source_be_asked_again_at_most_once_a_minute() {
    let (credentials, count) = counting(None);
    let mut counts = Vec::new();
    for seconds in [0, 0, 0, 30, 29, 2, 0, 58, 3] {
        sleep(Duration::from_secs(seconds)).await;
        fetch(&credentials).await;
        credentials.refused();
        counts.push(count.load(Ordering::Relaxed));
    }
    assert_eq!(counts, [1, 2, 2, 2, 2, 3, 3, 3, 4]);
}

#[derive(Debug)]
struct WorkingOnce(Arc<AtomicUsize>);

impl ProvideCredentials for WorkingOnce {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Credentials::new("AKIA", "secret", None, None, "test")),
            _ => Err(CredentialsError::provider_error("busy")),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_after_a_refusal_is_asked_no_more_often() {
    let count = Arc::<AtomicUsize>::default();
    let provider = SharedCredentialsProvider::new(WorkingOnce(count.clone()));
    let credentials = FreshCredentials::new(Source::Given(provider));
    fetch(&credentials).await;
    credentials.refused();
    for _ in 0..5 {
        sleep(Duration::from_secs(10)).await;
        let _ = credentials.fetch(|_| {}).await;
    }
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_over_once_the_source_was_asked() {
    let (credentials, count) = counting(None);
    fetch(&credentials).await;
    credentials.refused();
    fetch(&credentials).await;
    sleep(Duration::from_secs(3600)).await;
    fetch(&credentials).await;
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

/// Fails, as an application's provider may.
#[derive(Debug)]
struct Failing;

impl ProvideCredentials for Failing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let failed: Result = Err(CredentialsError::provider_error("the vault is sealed"));
        future::ProvideCredentials::ready(failed)
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_named() {
    let source = Source::Given(SharedCredentialsProvider::new(Failing));
    let error = FreshCredentials::new(source).fetch(|_| {}).await.expect_err("no keys");
    assert_eq!(error.to_string(), "the given provider does not provide credentials");
}
