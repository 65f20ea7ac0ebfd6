//! How the endpoint is reached through a proxy, and without it.

use super::{KEYS, PASSWORD};
use crate::connect_proxy::{ConnectProxy, Manner};
use crate::gateway::listener::Listener;
use crate::gateway::{Gateway, Key, REGION, Script};
use crate::program::{Outcome, Program};
use crate::stand_ins::metadata;

/// A proxy that knows the gateway as gateway.test.
async fn proxy_to(gateway: &Gateway, manner: Manner) -> ConnectProxy {
    let port = gateway.port();
    ConnectProxy::start(&[("gateway.test:443", port), ("gateway.test:8443", port)], manner).await
}

fn program(gateway: &Gateway, endpoint: &str) -> Program {
    Program::against(endpoint, gateway.ca_file(), REGION)
}

fn assert_refused(outcome: &Outcome, said: &[&str]) {
    assert_eq!(outcome.code, 4, "{outcome:#?}");
    for text in said {
        assert!(outcome.stderr.contains(text), "{text}: {outcome:#?}");
    }
    assert!(!outcome.stderr.contains("ss@") && !outcome.stderr.contains("p%40ss"), "{outcome:#?}");
}

#[tokio::test]
async fn the_proxy_resolves_the_name_and_sees_only_tls() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = proxy_to(&gateway, Manner::Open).await;
    let by_flag = program(&gateway, "gateway.test").args(KEYS).args(["--proxy", &proxy.url("")]).run().await;
    assert_eq!((by_flag.code, by_flag.stderr.as_str()), (0, ""), "{by_flag:#?}");
    let by_environment = program(&gateway, "gateway.test:8443").args(KEYS).env("HTTPS_PROXY", proxy.url(""));
    let by_environment = by_environment.run().await;
    assert_eq!((by_environment.code, by_environment.stderr.as_str()), (0, ""), "{by_environment:#?}");
    let asked = ["CONNECT gateway.test:443 HTTP/1.1", "CONNECT gateway.test:8443 HTTP/1.1"];
    assert_eq!(proxy.requests(), asked);
}

#[tokio::test]
async fn a_proxy_may_want_a_password() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = proxy_to(&gateway, Manner::Password(PASSWORD.1)).await;
    let run =
        async |url: &str| program(&gateway, "gateway.test").args(KEYS).args(["--proxy", url]).run().await;
    let with = run(&proxy.url(&format!("{}@", PASSWORD.0))).await;
    assert_eq!((with.code, with.stderr.as_str()), (0, ""), "{with:#?}");
    assert_refused(
        &run(&proxy.url("")).await,
        &["407 Proxy Authentication Required", "hint: the proxy wants a user and a password"],
    );
    assert_refused(&run(&proxy.url("user:wrong@")).await, &["407", "hint: the proxy does not accept"]);
}

#[tokio::test]
async fn a_proxy_that_is_down_is_named() {
    let gateway = Gateway::start(Script::default()).await;
    let port = Listener::start(async |_| {}).await.port;
    let url = format!("http://{}@127.0.0.1:{port}", PASSWORD.0);
    let outcome = program(&gateway, "gateway.test").args(KEYS).args(["--proxy", &url]).run().await;
    let named = format!("error: cannot reach the proxy 127.0.0.1:{port}\n");
    assert_refused(&outcome, &[&named, "no TCP connection", "hint: is 127.0.0.1"]);
    assert_eq!(outcome.stderr.matches("trying again").count(), 2, "{outcome:#?}");
}

/// 0.0.0.0 is this machine, but not a loopback address, which would bypass the proxy anyway.
#[cfg(unix)]
#[tokio::test]
async fn no_proxy_is_honoured() {
    let gateway = Gateway::start(Script::default()).await;
    let proxy = ConnectProxy::start(&[], Manner::Password("nobody")).await;
    let endpoint = format!("0.0.0.0:{}", gateway.port());
    let run = async |exempt: &str| {
        let program = program(&gateway, &endpoint).args(KEYS).env("HTTPS_PROXY", proxy.url(""));
        program.env("NO_PROXY", exempt).run().await
    };
    assert_refused(&run("example.com").await, &["407"]);
    // The certificate is not for 0.0.0.0, so the TLS handshake with the gateway fails. The proxy is not
    // involved.
    assert_eq!(run("example.com,0.0.0.0").await.code, 5);
    assert_eq!(proxy.requests().len(), 1);
}

#[tokio::test]
async fn metadata_services_and_loopback_go_round_the_proxy() {
    let key = Key {
        access_key: "ASIAROUNDTHEPROXY000".to_owned(),
        secret: "round/the+proxy".to_owned(),
        session_token: Some("round+the/proxy==".to_owned()),
    };
    let gateway = Gateway::start(Script { keys: vec![key.clone()], ..Script::default() }).await;
    let service = metadata::granting(&key).await;
    let proxy = proxy_to(&gateway, Manner::Open).await;
    let mut program = program(&gateway, &gateway.endpoint())
        .env("AWS_EC2_METADATA_DISABLED", "false")
        .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url());
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"] {
        program = program.env(name, proxy.url(""));
    }
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{outcome:#?}");
    assert_eq!(proxy.requests(), [""; 0]);
}
