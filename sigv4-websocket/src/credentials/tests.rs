//! When a source of credentials is asked again, with time that passes only where nothing else can happen.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use tokio::time::{sleep, timeout};

use super::{FreshCredentials, Source};

/// Credentials from a source that gives another key each time, with this lifetime in seconds, but fails after `good`
/// times; and how often it was asked.
fn source(lifetime: Option<u64>, good: usize) -> (FreshCredentials, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let count = asked.clone();
    let provider = provide_credentials_fn(move || {
        let nth = count.fetch_add(1, Relaxed);
        let expiry = lifetime.map(|seconds| SystemTime::now() + Duration::from_secs(seconds));
        let keys = Credentials::new(format!("AKIA{nth:016}"), "secret", None, expiry, "test");
        let sealed = || CredentialsError::provider_error("the service is down");
        ready((nth < good).then_some(keys).ok_or_else(sealed))
    });
    (FreshCredentials::new(Source::Given(SharedCredentialsProvider::new(provider))), asked)
}

async fn fetch(credentials: &FreshCredentials) {
    credentials.fetch(SystemTime::now(), |_| {}).await.expect("keys");
}

/// If the attempt ends before a slow source has answered, the next one asks the source again.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_ends_first_does_not_use_up_a_refusal() {
    let asked = Arc::<AtomicUsize>::default();
    let count = asked.clone();
    let provider = provide_credentials_fn(move || {
        let nth = count.fetch_add(1, Relaxed);
        async move {
            sleep(Duration::from_secs(2)).await;
            Ok(Credentials::new(format!("AKIA{nth:016}"), "secret", None, None, "test"))
        }
    });
    let credentials = FreshCredentials::new(Source::Given(SharedCredentialsProvider::new(provider)));
    fetch(&credentials).await;
    credentials.refused();
    assert!(timeout(Duration::from_millis(5), fetch(&credentials)).await.is_err());
    fetch(&credentials).await;
    assert_eq!(asked.load(Relaxed), 3);
}

#[tokio::test]
async fn credentials_are_kept_until_a_minute_before_they_expire() {
    for (lifetime, times) in [(None, 1), (Some(3600), 1), (Some(70), 1), (Some(59), 2), (Some(0), 2)] {
        let (credentials, asked) = source(lifetime, usize::MAX);
        assert!(credentials.latest().is_none());
        fetch(&credentials).await;
        fetch(&credentials).await;
        assert_eq!(asked.load(Relaxed), times, "{lifetime:?}");
        let latest = credentials.latest().expect("keys");
        assert_eq!(latest.access_key_id(), format!("AKIA{:016}", times - 1));
    }
}

/// The local clock may be off, and the server judges by its own.
#[tokio::test]
async fn the_servers_time_decides_when_credentials_expire() {
    let (credentials, asked) = source(Some(3600), usize::MAX);
    for (minutes, times) in [(0, 1), (58, 1), (60, 2)] {
        let now = SystemTime::now() + Duration::from_secs(60 * minutes);
        credentials.fetch(now, |_| {}).await.expect("keys");
        assert_eq!(asked.load(Relaxed), times, "{minutes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_makes_the_source_be_asked_again_at_most_once_a_minute() {
    let (credentials, asked) = source(None, usize::MAX);
    let mut counts = Vec::new();
    for seconds in [0, 0, 0, 30, 29, 2, 0, 58, 3] {
        sleep(Duration::from_secs(seconds)).await;
        fetch(&credentials).await;
        credentials.refused();
        counts.push(asked.load(Relaxed));
    }
    assert_eq!(counts, [1, 2, 2, 2, 2, 3, 3, 3, 4]);
    // A refusal is over once the source was asked.
    for _ in 0..2 {
        sleep(Duration::from_secs(3600)).await;
        fetch(&credentials).await;
    }
    assert_eq!(asked.load(Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_after_a_refusal_is_asked_no_more_often() {
    let (credentials, asked) = source(None, 1);
    fetch(&credentials).await;
    credentials.refused();
    for _ in 0..5 {
        sleep(Duration::from_secs(10)).await;
        let _ = credentials.fetch(SystemTime::now(), |_| {}).await;
    }
    assert_eq!(asked.load(Relaxed), 2);
}

#[tokio::test]
async fn a_provider_that_fails_or_gives_an_empty_key_is_named() {
    for (id, secret) in [("", "secret"), ("AKIA", "")] {
        let keys = Credentials::new(id, secret, None, None, "test");
        let credentials = FreshCredentials::new(Source::Given(SharedCredentialsProvider::new(keys)));
        let error = credentials.fetch(SystemTime::now(), |_| {}).await.expect_err("no keys");
        assert!(error.to_string().ends_with("gave credentials that cannot work: a key is empty"), "{error}");
    }
    let error = source(None, 0).0.fetch(SystemTime::now(), |_| {}).await.expect_err("no keys");
    assert_eq!(error.to_string(), "the given provider does not provide credentials");
}

#[tokio::test]
async fn an_access_key_is_made_safe_to_show() {
    let keys = Credentials::new("\u{1B}[2J0123456789", "secret", None, None, "test");
    let credentials = FreshCredentials::new(Source::Given(SharedCredentialsProvider::new(keys)));
    let check = |progress: crate::Progress<'_>| {
        assert_eq!(progress.to_string(), "credentials:  [2J…6789 from the given provider");
    };
    credentials.fetch(SystemTime::now(), check).await.expect("keys");
}

/// aws-config's provider for instance metadata does so, and an application may give that one.
#[tokio::test]
async fn a_provider_that_panics_has_failed() {
    let provider = provide_credentials_fn(async || panic!("an answer that makes no sense"));
    let credentials = FreshCredentials::new(Source::Given(SharedCredentialsProvider::new(provider)));
    let error = credentials.fetch(SystemTime::now(), |_| {}).await.expect_err("no keys");
    assert_eq!(error.to_string(), "the given provider does not provide credentials");
}
