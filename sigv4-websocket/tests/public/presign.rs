//! Compares presigned URLs with those of AWS's own signers (`vectors/generate.py`). The gateway must accept both, and
//! nothing that was altered.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;
use sigv4_websocket::{Credentials, Endpoint, Scope, presign};
use test_support::gateway::Request;
use test_support::gateway::sigv4::{Key, verify};
use time::OffsetDateTime;

/// What to sign, and the URL that a signer of AWS made of it.
#[derive(Clone, Debug)]
struct Vector {
    name: String,
    signer: String,
    key: Key,
    scope: Scope,
    endpoint: Endpoint,
    /// Unix seconds.
    time: i64,
    url: String,
}

impl Vector {
    fn from_json(json: &Value) -> Self {
        let optional = |field: &str| json[field].as_str().map(str::to_owned);
        let text = |field: &str| optional(field).unwrap_or_else(|| panic!("no {field}: {json}"));
        let number = |field: &str| json[field].as_i64().unwrap_or_else(|| panic!("no {field}: {json}"));
        let endpoint = format!("{}:{}", text("host"), number("port"));
        Self {
            name: text("name"),
            signer: text("signer"),
            key: Key {
                access_key: text("access_key"),
                secret: text("secret"),
                session_token: optional("session_token"),
            },
            scope: match optional("region_set") {
                Some(regions) => Scope::RegionSet(regions),
                None => Scope::Region(text("region")),
            },
            endpoint: endpoint.parse().expect("a host and a port"),
            time: number("time") + number("clock_offset"),
            url: text("url"),
        }
    }

    fn presign(&self) -> String {
        let Key { access_key, secret, session_token } = &self.key;
        let credentials = Credentials::new(access_key, secret, session_token.clone(), None, "vector");
        let time = UNIX_EPOCH + Duration::from_secs(self.time.cast_unsigned());
        presign(&self.endpoint.authority(), &self.scope, &credentials, time).expect("a signature")
    }

    /// Whether the gateway accepts the URL so many seconds after it was signed.
    fn is_accepted(&self, url: &str, seconds_later: i64) -> bool {
        let Some((_, target)) = url.strip_prefix("wss://").and_then(|rest| rest.split_once('/')) else {
            return false;
        };
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
        let now = OffsetDateTime::from_unix_timestamp(self.time + seconds_later).expect("a date");
        verify(&request, std::slice::from_ref(&self.key), &region, now).is_ok()
    }
}

fn vectors() -> Vec<Vector> {
    let files = [
        include_str!("../../../tests/vectors/presigned.json"),
        include_str!("../../../tests/vectors/sigv4a.json"),
    ];
    let vectors = files.map(|json| serde_json::from_str::<Vec<Value>>(json).expect("JSON"));
    vectors.iter().flatten().map(Vector::from_json).collect()
}

/// The parts of a URL in any order. Each ECDSA signature is another one, so that of SigV4a is left out.
fn parts(url: &str) -> BTreeSet<&str> {
    let is_sigv4a = url.contains("ECDSA");
    url.split(['?', '&']).filter(|part| !(is_sigv4a && part.starts_with("X-Amz-Signature="))).collect()
}

#[test]
fn urls_are_those_of_awss_signers() {
    let vectors = vectors();
    for vector in &vectors {
        let (name, ours, theirs) = (&vector.name, vector.presign(), &vector.url);
        match vector.signer.as_str() {
            "botocore" => assert_eq!(&ours, theirs, "{name}"),
            // The CRT writes the parameters in another order. The server sorts them before it checks the signature.
            _ => assert_eq!(parts(&ours), parts(theirs), "{name}"),
        }
        for url in [&ours, theirs] {
            assert!(vector.is_accepted(url, 0), "{name}: {url}");
        }
    }
    let by = |signer| vectors.iter().filter(|vector| vector.signer == signer).count();
    assert!(by("botocore") >= 200 && by("awscrt") >= 140);
}

#[test]
fn what_was_altered_or_is_out_of_date_is_refused() {
    let vectors = vectors();
    let named = |name| vectors.iter().find(|vector| vector.name == name).expect("a vector of this name");
    for signed in [named("temporary credentials (botocore)"), named("region set us-east-1")] {
        for (seconds, accepted) in [(-301, false), (-300, true), (300, true), (301, false)] {
            assert_eq!(signed.is_accepted(&signed.url, seconds), accepted, "after {seconds} s");
        }
        let start = signed.url.find("/mqtt").expect("a path");
        for (at, original) in signed.url.char_indices().skip(start) {
            let encoded = format!("%{:02X}", original as u32);
            let other_case = String::from(char::from(original as u8 ^ 0x20));
            for other in ["", "0", "+", "&", &encoded, &other_case] {
                let altered = format!("{}{other}{}", &signed.url[..at], &signed.url[at + 1..]);
                assert!(altered == signed.url || !signed.is_accepted(&altered, 0), "accepted {altered}");
            }
        }
    }
    let plain = named("plain (botocore)");
    let secret = Key { secret: "another".to_owned(), ..plain.key.clone() };
    for other in [
        Vector { endpoint: "example.org".parse().expect("an endpoint"), ..plain.clone() },
        Vector { scope: Scope::Region("us-east-2".to_owned()), ..plain.clone() },
        Vector { key: secret, ..plain.clone() },
    ] {
        assert!(!other.is_accepted(&plain.url, 0), "{other:?}");
    }
}
