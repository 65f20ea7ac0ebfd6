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
        ("broker.example.com", None),
        ("127.0.0.1", None),
    ] {
        assert_eq!(endpoint(host).region(), region, "{host}");
    }
}

#[test]
fn what_cannot_work_is_refused_with_a_reason_that_shows_no_signature_and_no_escape() {
    const URL: &str = "give the bare host, without scheme or path";
    const PORT: &str = "is not a port from 1 to 65535";
    const HOST: &str = "is neither a DNS name nor an IP address";
    for (text, reason) in [
        ("", "it is empty"),
        ("a host", "it contains a space"),
        ("wss://example.com", URL),
        ("user@example.com", URL),
        ("example.com/mqtt", URL),
        ("example.com?x", URL),
        ("h:", PORT),
        ("h:0", PORT),
        ("h:65536", PORT),
        ("h:-1", PORT),
        ("h:+1", PORT),
        ("[::1]:0", PORT),
        ("[::1]x", PORT),
        ("example.com:X-Amz-Signature=0123abcd", "\"…\" is not a port from 1 to 65535"),
        (":443", HOST),
        ("-", HOST),
        ("a..b", HOST),
        ("[::1", HOST),
        ("1:2:3", HOST),
        (&format!("{}_", "long".repeat(750)), &format!("{}…\" {HOST}", "long".repeat(75))),
        ("a\u{1B}b", "\"a b\" is neither a DNS name nor an IP address"),
    ] {
        let error = text.parse::<Endpoint>().expect_err(text).to_string();
        assert!(error.ends_with(reason), "{text}: {error}");
        let hidden = ["0123abcd", "\u{1B}", "\u{202E}"].into_iter().find(|hidden| error.contains(hidden));
        assert_eq!((hidden, error.len() < 400), (None, true), "{error}");
    }
}
