//! What a proxy answers instead of connecting, and what the program says about it.

use super::{KEYS, with_web_identity};
use crate::connect_proxy::{ConnectProxy, Manner};
use crate::gateway::{Gateway, REGION, Script};
use crate::program::{Outcome, Program};

async fn connect(gateway: &Gateway, proxy: &ConnectProxy, user: &str) -> Outcome {
    let program = Program::against("gateway.test", gateway.ca_file(), REGION).args(KEYS);
    program.args(["--proxy", &proxy.url(user)]).run().await
}

fn assert_says(outcome: &Outcome, code: i32, texts: &[&str]) {
    assert_eq!(outcome.code, code, "{outcome:#?}");
    for text in texts {
        assert!(outcome.stderr.contains(text), "{text:?}: {outcome:#?}");
    }
}

#[tokio::test]
async fn each_status_has_its_hint() {
    let gateway = Gateway::start(Script::default()).await;
    for (status, attempts, hint) in [
        ("401 Unauthorized", 1, "wants a user and a password"),
        ("407 Proxy Authentication Required", 1, "wants a user and a password"),
        ("403 Forbidden", 1, "the proxy's own rules forbid gateway.test:443"),
        ("500 Internal Server Error", 1, "the right proxy?"),
        ("502 Bad Gateway", 3, "the proxy cannot reach gateway.test:443"),
        ("503 Service Unavailable", 3, "the proxy cannot reach gateway.test:443"),
        ("504 Gateway Timeout", 3, "the proxy cannot reach gateway.test:443"),
        ("418 I'm a teapot", 1, "the right proxy?"),
    ] {
        let proxy = ConnectProxy::start(&[], Manner::Refusing(status.to_owned(), 9)).await;
        let outcome = connect(&gateway, &proxy, "").await;
        let error = format!(
            "error: the proxy {} refused to connect to gateway.test:443: {status}\n",
            proxy.authority()
        );
        assert_says(&outcome, 4, &[&error, "hint: ", hint]);
        assert_eq!(proxy.requests().len(), attempts, "{status}: {outcome:#?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_no_password_have_different_hints() {
    let gateway = Gateway::start(Script::default()).await;
    for status in ["401 Unauthorized", "407 Proxy Authentication Required"] {
        let proxy = ConnectProxy::start(&[], Manner::Refusing(status.to_owned(), 9)).await;
        let outcome = connect(&gateway, &proxy, "user:PASSWORD@").await;
        assert_says(&outcome, 4, &[status, "hint: the proxy does not accept the user and the password"]);
        assert!(!outcome.stderr.contains("PASSWORD"), "{outcome:#?}");
    }
}

/// A proxy may put any text after its status code, even the password that it received.
#[tokio::test]
async fn what_a_proxy_calls_its_status_is_not_shown() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = ConnectProxy::start(&[], Manner::Refusing("407 not user:PASSWORD".to_owned(), 9)).await;
    let outcome = connect(&gateway, &proxy, "user:PASSWORD@").await;
    assert_says(&outcome, 4, &["gateway.test:443: 407 Proxy Authentication Required"]);
    assert!(!outcome.stderr.contains("PASSWORD"), "{outcome:#?}");
}

#[tokio::test]
async fn what_can_pass_is_tried_again() {
    let gateway = Gateway::start(Script::default()).await;
    for status in ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"] {
        let manner = Manner::Refusing(status.to_owned(), 1);
        let proxy = ConnectProxy::start(&[("gateway.test:443", gateway.port())], manner).await;
        let outcome = connect(&gateway, &proxy, "").await;
        assert_says(&outcome, 0, &[status, "; trying again in "]);
        assert_eq!(proxy.requests().len(), 2, "{outcome:#?}");
    }
}

#[tokio::test]
async fn an_invalid_answer_is_reported() {
    let gateway = Gateway::start(Script::default()).await;
    let long = format!("200 OK\r\nx-more: {}", "x".repeat(100_000));
    for (answer, said) in [
        ("200 OK\r\n\r\nSSH-2.0-OpenSSH_9.2".to_owned(), "sent more than its answer"),
        ("abc".to_owned(), "no answer from the proxy"),
        (long, "no answer from the proxy"),
    ] {
        let proxy = ConnectProxy::start(&[], Manner::Refusing(answer, 9)).await;
        assert_says(&connect(&gateway, &proxy, "").await, 4, &[said, "hint: is 127.0.0.1"]);
    }
}

/// If the proxy refuses a credential service, the message is the same and the exit code is not.
#[tokio::test]
async fn a_refused_credential_service_is_reported_in_the_same_words() {
    let gateway = Gateway::start(Script::default()).await;
    for (status, hint) in [
        ("407 Proxy Authentication Required", "wants a user and a password"),
        ("403 Forbidden", "the proxy's own rules forbid sts.test:443"),
        ("503 Service Unavailable", "the proxy cannot reach sts.test:443"),
    ] {
        let proxy = ConnectProxy::start(&[], Manner::Refusing(status.to_owned(), 9)).await;
        let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION);
        let program = with_web_identity(program, "https://sts.test").env("HTTPS_PROXY", proxy.url(""));
        let refused = format!("refused to connect to sts.test:443: {status}\n");
        let source = "error: the web identity token does not provide credentials\n";
        assert_says(
            &program.run().await,
            3,
            &[source, "no connection to sts.test:443", &refused, "hint: ", hint],
        );
    }
}
