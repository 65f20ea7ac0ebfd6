//! Compares presigned URLs with those of AWS's own signers (`vectors/generate.py`), and has the gateway check
//! their signatures.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;
use serde_json::Value;
use sigv4_websocket::{Credentials, Endpoint, Scope, presign};
use test_support::gateway::sigv4::{Key, Verified, verify};
use test_support::gateway::{Request, sigv4a};
use time::OffsetDateTime;

/// One URL to sign, whether from a file or made up.
#[derive(Clone, Debug)]
struct Case {
    key: Key,
    scope: Scope,
    endpoint: Endpoint,
    /// Unix seconds.
    time: i64,
}

impl Case {
    fn from_json(json: &Value) -> Self {
        let text = |field: &str| json[field].as_str().map(str::to_owned);
        let number = |field: &str| json[field].as_i64().expect("a number");
        assert_eq!(number("expires"), 300, "{json}");
        let scope = text("region").map(Scope::Region).or(text("region_set").map(Scope::RegionSet));
        let endpoint = format!("{}:{}", text("host").expect("a host"), number("port"));
        Self {
            key: Key::from_json(json),
            scope: scope.expect("a region or a set of them"),
            endpoint: endpoint.parse().expect("a host and a port"),
            time: number("time") + number("clock_offset"),
        }
    }

    fn presign(&self) -> String {
        let Key { access_key, secret, session_token } = &self.key;
        let credentials = Credentials::new(access_key, secret, session_token.clone(), None, "case");
        let time = UNIX_EPOCH + Duration::from_secs(self.time.cast_unsigned());
        presign(&self.endpoint.authority(), &self.scope, &credentials, time).expect("a signature")
    }

    /// The gateway's verdict on `url` at the time of signing.
    fn verify(&self, url: &str) -> Result<Verified, String> {
        let target = url.strip_prefix("wss://").and_then(|rest| rest.split_once('/')).expect("a URL").1;
        let request = Request {
            method: "GET".to_owned(),
            target: format!("/{target}"),
            headers: vec![("host".to_owned(), self.endpoint.authority())],
        };
        let region = match &self.scope {
            Scope::Region(region) => region.clone(),
            Scope::RegionSet(regions) => regions.split(',').next().expect("a region").replace('*', "any"),
            other => panic!("{other:?}"),
        };
        let now = OffsetDateTime::from_unix_timestamp(self.time).expect("a date");
        verify(&request, std::slice::from_ref(&self.key), &region, now).map_err(|refusal| refusal.message)
    }
}

fn vectors(json: &str) -> Vec<Value> {
    serde_json::from_str(json).expect("the vectors are JSON")
}

fn parts(url: &str) -> (&str, BTreeSet<&str>) {
    let (base, query) = url.split_once('?').expect("a query");
    (base, query.split('&').collect())
}

fn without_signature(url: &str) -> (&str, BTreeSet<&str>) {
    let (base, mut query) = parts(url);
    query.retain(|parameter| !parameter.starts_with("X-Amz-Signature="));
    (base, query)
}

#[test]
fn sigv4_urls_are_those_of_awss_signers() {
    let (mut equal, mut reordered) = (0, 0);
    for json in vectors(include_str!("../../tests/vectors/presigned.json")) {
        let (url, theirs) = (Case::from_json(&json).presign(), json["url"].as_str().expect("a URL"));
        if json["signer"] == "botocore" {
            assert_eq!(url, theirs, "{}", json["name"]);
            equal += 1;
        } else {
            // The CRT writes X-Amz-Expires after X-Amz-SignedHeaders and the signature last. The order is
            // not part of the signature: the server sorts the parameters before it checks.
            assert_eq!(parts(&url), parts(theirs), "{}", json["name"]);
            reordered += 1;
        }
    }
    assert!(equal >= 200 && reordered >= 100, "{equal} and {reordered} cases");
}

#[test]
fn sigv4a_urls_are_as_good_as_those_of_the_crt() {
    let cases = vectors(include_str!("../../tests/vectors/sigv4a.json"));
    assert!(cases.len() >= 40, "{} cases", cases.len());
    for json in cases {
        let case = Case::from_json(&json);
        let (url, theirs) = (case.presign(), json["url"].as_str().expect("a URL"));
        // Each ECDSA signature is different; the same key must accept both.
        assert_eq!(without_signature(&url), without_signature(theirs), "{}", json["name"]);
        assert!(case.verify(theirs).is_ok(), "{}: {:?}", json["name"], case.verify(theirs));
        assert!(case.verify(&url).is_ok(), "{}: {:?}", json["name"], case.verify(&url));
        let key = sigv4a::public_key(&case.key.access_key, &case.key.secret).to_sec1_point(false);
        let coordinates = [key.x(), key.y()].map(|number| hex::encode(number.expect("a coordinate")));
        assert_eq!(
            coordinates,
            [&json["public_key_x"], &json["public_key_y"]].map(|n| n.as_str().expect("hex"))
        );
    }
}

#[test]
fn the_session_token_is_there_exactly_once() {
    let mut with_token = 0;
    for json in vectors(include_str!("../../tests/vectors/presigned.json")) {
        let case = Case::from_json(&json);
        let expected = usize::from(case.key.session_token.is_some());
        assert_eq!(case.presign().matches("X-Amz-Security-Token=").count(), expected, "{}", json["name"]);
        with_token += expected;
    }
    assert!(with_token > 0);
}

fn any_case() -> impl Strategy<Value = Case> {
    let key = ("[A-Z0-9]{16,24}", "\\PC{1,60}", prop::option::of("\\PC{1,200}"))
        .prop_map(|(access_key, secret, session_token)| Key { access_key, secret, session_token });
    let region = "[a-z]{2}-[a-z]{4,9}-[1-9]";
    let scope = prop_oneof![
        region.prop_map(Scope::Region),
        prop::collection::vec(region, 1..4).prop_map(|regions| Scope::RegionSet(regions.join(","))),
        Just(Scope::RegionSet("*".to_owned())),
    ];
    let endpoint = ("[a-z][a-z0-9]{0,12}(\\.[a-z]{2,8}){1,3}", prop_oneof![Just(443), 1u16..])
        .prop_map(|(host, port)| format!("{host}:{port}").parse().expect("an endpoint"));
    // 1970 to 9999, the range of the format of X-Amz-Date.
    (key, scope, endpoint, 0i64..253_402_300_000).prop_map(|(key, scope, endpoint, time)| Case {
        key,
        scope,
        endpoint,
        time,
    })
}

/// `url` with one character of its query replaced. `position` is taken modulo the length of the query.
fn altered(url: &str, position: usize, other: char) -> Option<String> {
    let query = url.find('?').expect("a query") + 1;
    let at = query + position % (url.len() - query);
    (url.as_bytes()[at] != other as u8).then(|| format!("{}{other}{}", &url[..at], &url[at + 1..]))
}

proptest! {
    #[test]
    fn the_gateway_accepts_any_url_but_none_with_an_altered_character(
        case in any_case(),
        changes in prop::collection::vec((any::<usize>(), "[ -~]"), 20),
    ) {
        let url = case.presign();
        prop_assert!(case.verify(&url).is_ok(), "{url}: {:?}", case.verify(&url));
        for (position, other) in changes {
            let other = other.chars().next().expect("a character");
            if let Some(altered) = altered(&url, position, other) {
                prop_assert!(case.verify(&altered).is_err(), "{altered} instead of {url}");
            }
        }
    }
}
