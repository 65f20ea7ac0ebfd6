//! Which texts are accepted as the URL of a proxy.

use proptest::prelude::*;
use sigv4_websocket_connect::transport::endpoint::Endpoint;
use sigv4_websocket_connect::transport::proxy::Proxies;

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
        if let Ok(proxies) = Proxies::always("--proxy", &[scheme, user, host, end].concat()) {
            prop_assert!(matches!(proxies.to(&endpoint), Ok(Some(_))));
        }
    }
}
