//! Which texts are accepted as an endpoint.

use sigv4_websocket::Endpoint;

fn endpoint(text: &str) -> Endpoint {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn authority_leaves_out_the_default_port_only() {
    for (typed, authority, shown) in [
        ("Example.com", "example.com", "example.com:443"),
        ("example.com:443", "example.com", "example.com:443"),
        ("example.com:8443", "example.com:8443", "example.com:8443"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:443"),
        ("::1", "[::1]", "[::1]:443"),
        ("[::1]", "[::1]", "[::1]:443"),
        ("[::1]:8883", "[::1]:8883", "[::1]:8883"),
    ] {
        assert_eq!(endpoint(typed).authority(), authority, "{typed}");
        assert_eq!(endpoint(typed).to_string(), shown, "{typed}");
    }
    assert_eq!(endpoint("[::1]:8883").host(), "::1");
}

#[test]
fn region_is_read_from_iot_core_names_only() {
    for (host, region) in [
        ("abc-ats.iot.eu-west-1.amazonaws.com", Some("eu-west-1")),
        ("abc.iot.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
        ("abc.ats.iot.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("abc-ats.iot.eusc-de-east-1.amazonaws.eu", Some("eusc-de-east-1")),
        ("iot.eu-west-1.amazonaws.com", None),
        ("data.iot-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
        ("data-ats.iot-fips.us-east-1.api.aws", Some("us-east-1")),
        ("abc-ats.iot.us-iso-east-1.c2s.ic.gov", Some("us-iso-east-1")),
        ("mqtt.iot.plant-7.example.com", None),
        ("abc.s3.eu-west-1.amazonaws.com", None),
        ("broker.iot.example.com", None),
        ("broker.example.com", None),
        ("127.0.0.1", None),
    ] {
        assert_eq!(endpoint(host).region(), region, "{host}");
    }
}

#[test]
fn what_cannot_work_is_refused_with_a_reason() {
    let refused = |text: &str| text.parse::<Endpoint>().expect_err(text).to_string();
    assert_eq!(refused(""), "it is empty");
    assert_eq!(refused("a host"), "it contains a space");
    for url in ["wss://example.com/mqtt", "https://user@example.com?x", "example.com/mqtt"] {
        assert!(refused(url).contains("without scheme or path"), "{url}");
    }
    for port in ["h:", "h:0", "h:65536", "h:x", "h:-1", "[::1]:0", "[::1]x"] {
        assert!(refused(port).contains("is not a port"), "{port}");
    }
    for host in [":443", "-", "a..b", "[::1", "1:2:3"] {
        assert!(refused(host).contains("neither"), "{host}: {}", refused(host));
    }
}

#[test]
fn what_a_refusal_shows_is_cleaned() {
    for (text, shown) in [
        ("example.com:X-Amz-Signature=0123abcd", "\"…\" is not a port"),
        ("a\u{1B}b", "\"a b\" is neither"),
        (&format!("{}_", "long".repeat(750)), &format!("{}…\" is neither", "long".repeat(75))),
    ] {
        let error = text.parse::<Endpoint>().expect_err(text).to_string();
        assert!(error.contains(shown), "{error}");
        let hidden = ["0123abcd", "\u{1B}", "\u{202E}"].into_iter().find(|hidden| error.contains(hidden));
        assert_eq!((hidden, error.len() < 400), (None, true), "{error}");
    }
}
