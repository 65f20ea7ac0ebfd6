//! The first connection that opens is used, whichever address it has. A proxy is asked as its setting says, is never
//! gone around, and what it answers is explained.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use test_support::connect_proxy::ConnectProxy;
use tokio::net::{TcpListener, TcpStream};

use super::NetworkError;
use super::proxy::{LOOPBACK, Proxies, ProxyError};
use super::tcp::{TcpError, connect};
use crate::endpoint::Endpoint;
use crate::failure::hints::Facts;
use crate::failure::report::report;
use crate::failure::{Cause, Failure};
use crate::progress::Phase;

async fn listening() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    (listener, address)
}

async fn closed() -> SocketAddr {
    listening().await.1
}

#[tokio::test]
async fn an_address_that_refuses_is_passed_over_at_once() {
    let (_listener, open) = listening().await;
    let began = Instant::now();
    let stream = connect(vec![closed().await, closed().await, open]).await.expect("a connection");
    assert_eq!(stream.peer_addr().expect("a peer"), open);
    assert!(stream.nodelay().expect("an option"));
    // On Windows a refusal takes two seconds, so the next address is tried after 250 ms of silence.
    let limit = Duration::from_millis(if cfg!(windows) { 1500 } else { 200 });
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
}

#[tokio::test]
async fn every_address_that_failed_is_named() {
    let addresses = vec![closed().await, closed().await];
    let error = connect(addresses.clone()).await.expect_err("nobody listens");
    let TcpError::Connect(failures) = &error else { panic!("{error}") };
    assert_eq!(failures.len(), 2);
    for address in addresses {
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}

fn destination() -> Endpoint {
    "gateway.test:8443".parse().expect("an endpoint")
}

async fn connect_through(url: &str) -> Result<TcpStream, ProxyError> {
    let proxies = Proxies::new("the proxy", url, "");
    let proxy = proxies.to(&destination()).expect("a URL of a proxy").expect("a proxy");
    proxy.connect(&destination()).await
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_destination_in_the_name_of_the_user() {
    let (_server, address) = listening().await;
    for (user, shown) in [
        ("user:p%40ss", "Basic dXNlcjpwQHNz"),
        // A `%` that encodes nothing stands for itself.
        ("user:p%ss", "Basic dXNlcjpwJXNz"),
        ("user:!$&'()*+,;=-._~:pass", "Basic dXNlcjohJCYnKCkqKyw7PS0uX346cGFzcw=="),
        ("user", "Basic dXNlcjo="),
    ] {
        for form in ["http://{}", "HTTP://{}/", "{}", "{}/"] {
            let proxy = ConnectProxy::to(&[("gateway.test:8443", address.port())]).await;
            let url = form.replace("{}", &format!("{user}@{}", proxy.authority()));
            assert!(connect_through(&url).await.is_ok(), "{url}");
            let asked =
                "CONNECT gateway.test:8443 HTTP/1.1\r\nhost: gateway.test:8443\r\nproxy-authorization: ";
            assert_eq!(proxy.requests(), [format!("{asked}{shown}\r\n\r\n")], "{url}");
        }
    }
}

/// Why there is no connection through the proxy with this URL, what a person is told, and whether another attempt may
/// help.
async fn explained(url: &str) -> (String, bool) {
    let error = connect_through(url).await.expect_err("no connection");
    let failure = Failure::from(Cause::from(NetworkError::from(error)));
    assert_eq!(failure.phase(), Phase::Proxy);
    let facts = Facts {
        endpoint: &destination(),
        region: "eu-central-1",
        client_id: "sensor-7",
        credentials: None,
        trusts_system: true,
    };
    (report(&failure, &facts), failure.retry_after().is_some())
}

#[tokio::test]
async fn a_proxy_that_does_not_connect_is_explained() {
    const WANTED: &str = "the proxy wants a user and a password";
    const WRONG: &str = "the proxy does not accept the user and the password";
    const FORBIDDEN: &str = "the proxy's own rules forbid gateway.test:8443";
    const UNREACHABLE: &str = "the proxy cannot reach gateway.test:8443";
    const RIGHT: &str = "is {proxy} the right proxy?";
    let long = format!("200 OK\r\nx-more: {}", "x".repeat(100_000));
    for (user, answer, error, hint, temporary) in [
        ("", "401 Unauthorized", "401 Unauthorized", WANTED, false),
        ("", "407 Who?", "407 Proxy Authentication Required", WANTED, false),
        ("user:PASSWORD@", "401 Unauthorized", "401 Unauthorized", WRONG, false),
        // A proxy may put any text after its status code, even the password that it received.
        ("user:PASSWORD@", "407 not user:PASSWORD", "407 Proxy Authentication Required", WRONG, false),
        ("", "403 Forbidden", "403 Forbidden", FORBIDDEN, false),
        ("", "500 Internal Server Error", "500 Internal Server Error", RIGHT, false),
        ("", "502 Bad Gateway", "502 Bad Gateway", UNREACHABLE, true),
        ("", "503 Service Unavailable", "503 Service Unavailable", UNREACHABLE, true),
        ("", "504 Gateway Timeout", "504 Gateway Timeout", UNREACHABLE, true),
        ("", "200 OK\r\n\r\nSSH-2.0", "the proxy {proxy} sent more than its answer", RIGHT, false),
        ("", "abc", "no answer from the proxy {proxy}", RIGHT, false),
        ("", &long, "no answer from the proxy {proxy}", RIGHT, false),
    ] {
        let proxy = ConnectProxy::refusing(answer).await;
        let (report, again) = explained(&proxy.url(user)).await;
        let error = match error.contains("{proxy}") {
            true => error.to_owned(),
            false => format!("the proxy {{proxy}} refused to connect to gateway.test:8443: {error}"),
        };
        for said in [format!("error: {error}\n"), format!("hint: {hint}")] {
            assert!(report.contains(&said.replace("{proxy}", &proxy.authority())), "{said}: {report}");
        }
        assert!(!report.contains("PASSWORD"), "{report}");
        assert_eq!(again, temporary, "{report}");
    }
    let nobody = closed().await;
    let (report, again) = explained(&format!("http://user:PASSWORD@{nobody}")).await;
    for said in ["error: cannot reach the proxy {proxy}\n", "no TCP connection: {proxy}", "hint: is {proxy}"]
    {
        assert!(report.contains(&said.replace("{proxy}", &nobody.to_string())), "{said}: {report}");
    }
    assert!(again && !report.contains("PASSWORD"), "{report}");
}

#[test]
fn a_setting_that_is_no_http_proxy_is_refused_without_being_shown() {
    const OTHER_SCHEMES: &[&str] = &[
        "socks5://user:PASSWORD@127.0.0.1:1080",
        "https://user:PASSWORD@127.0.0.1:3128",
        "user:PASS://WORD@127.0.0.1:80",
    ];
    const OTHER_FORMS: &[&str] = &[
        "",
        "http:user:PASSWORD@127.0.0.1:80",
        "http://user:PASSWORD@",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:",
        "http://127.0.0.1:+80",
        "http://127.0.0.1:80:80",
        "127.0.0.1:80 ",
        "127.0.0.1:80/path",
        "http://user:PASSWORD@[::1",
        "http://user:PASSWORD@a%41:80",
        "http://user:PASS#WORD@127.0.0.1:80",
        "user:PASS@WORD@127.0.0.1:80",
        "http://user:PASS@127.0.0.1:80@WORD",
        "http://user:PASS[WORD@127.0.0.1:80",
        "http://user:PÄSS@127.0.0.1:80",
    ];
    const FORM: &str = "it is not of the form http://[user:password@]host:port, with the user and the password \
                        percent-encoded";
    let refused = |url| Proxies::new("the proxy", url, "").to(&destination()).expect_err(url).to_string();
    for url in OTHER_SCHEMES {
        let said =
            "the proxy cannot be used: only HTTP proxies are supported, http://[user:password@]host:port";
        assert_eq!(refused(url), said, "{url}");
    }
    for url in OTHER_FORMS {
        assert_eq!(refused(url), format!("the proxy cannot be used: {FORM}"), "{url}");
    }
}

#[test]
fn loopback_needs_no_proxy_of_the_environment() {
    let proxies = Proxies::new("HTTPS_PROXY", "socks5://a", LOOPBACK);
    for name in ["localhost", "LOCALHOST.", "127.5.5.5", "::1", "[0:0:0:0:0:0:0:1]:8883"] {
        assert!(matches!(proxies.to(&name.parse().expect("an endpoint")), Ok(None)), "{name}");
    }
    assert!(proxies.to(&destination()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(20_261_125),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// The library that reads URLs of proxies and lists of exemptions goes around a proxy whose URL it cannot read.
    #[test]
    fn what_is_accepted_is_never_gone_around(
        scheme in "|http://|HTTP://|https?:|[a-z:/]{0,4}",
        user in "|([/:@%#?!a-z]|%40|é){0,5}@",
        host in r"127\.0\.0\.1|proxy|\[::1\]|::1|[a-z.*\[\]%]{0,4}",
        end in "|:[0-9]{1,3}|[/:@?# 0-9]{0,4}",
    ) {
        let proxies = Proxies::new("the proxy", &[scheme, user, host, end].concat(), "");
        prop_assert!(!matches!(proxies.to(&destination()), Ok(None)));
    }
}
