//! The first connection that opens is used, whichever address it has, and a proxy that is set is never gone around.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tokio::net::TcpListener;

use super::proxy::Proxies;
use super::tcp::{TcpError, connect};
use crate::endpoint::Endpoint;

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

proptest! {
    /// The library that reads URLs of proxies and lists of exemptions goes around a proxy whose URL it cannot read.
    #[test]
    fn what_is_accepted_is_never_gone_around(
        scheme in "|http://|HTTP://|https?:|[a-z:/]{0,4}",
        user in "|([/:@%#?!a-z]|%40|é){0,5}@",
        host in r"127\.0\.0\.1|proxy|\[::1\]|::1|[a-z.*\[\]%]{0,4}",
        end in "|:[0-9]{1,3}|[/:@?# 0-9]{0,4}",
    ) {
        let endpoint: Endpoint = "gateway.test".parse().expect("an endpoint");
        if let Ok(proxies) = Proxies::always("the proxy", &[scheme, user, host, end].concat()) {
            prop_assert!(matches!(proxies.to(&endpoint), Ok(Some(_))));
        }
    }
}
