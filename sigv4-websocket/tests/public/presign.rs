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
struct Vector(Value);

impl Vector {
    fn optional(&self, field: &str) -> Option<String> {
        self.0[field].as_str().map(str::to_owned)
    }

    fn text(&self, field: &str) -> String {
        self.optional(field).unwrap_or_else(|| panic!("no {field} in {}", self.0))
    }

    fn authority(&self) -> String {
        let endpoint = format!("{}:{}", self.text("host"), self.0["port"]).parse::<Endpoint>();
        endpoint.expect("an endpoint").authority()
    }

    /// When to sign, in Unix seconds.
    fn time(&self) -> i64 {
        ["time", "clock_offset"].map(|field| self.0[field].as_i64().expect("a number")).iter().sum()
    }

    fn presign(&self) -> String {
        let token = self.optional("session_token");
        let credentials =
            Credentials::new(self.text("access_key"), self.text("secret"), token, None, "vector");
        let scope = match self.optional("region_set") {
            Some(regions) => Scope::RegionSet(regions),
            None => Scope::Region(self.text("region")),
        };
        let time = UNIX_EPOCH + Duration::from_secs(self.time().cast_unsigned());
        presign(&self.authority(), &scope, &credentials, time).expect("a signature")
    }

    /// Whether the gateway accepts the URL so many seconds after it was signed.
    fn is_accepted(&self, url: &str, seconds_later: i64) -> bool {
        let Some(target) = url.splitn(4, '/').nth(3) else { return false };
        let request = Request {
            method: "GET".to_owned(),
            target: format!("/{target}"),
            headers: vec![("host".to_owned(), self.authority())],
        };
        let key = Key {
            access_key: self.text("access_key"),
            secret: self.text("secret"),
            session_token: self.optional("session_token"),
        };
        let regions = self.optional("region_set").unwrap_or_else(|| self.text("region"));
        let region = regions.split(',').next().expect("a region").replace('*', "any");
        let now = OffsetDateTime::from_unix_timestamp(self.time() + seconds_later).expect("a date");
        verify(&request, &[key], &region, now).is_ok()
    }
}

fn vectors() -> Vec<Vector> {
    let files = [
        include_str!("../../../tests/vectors/presigned.json"),
        include_str!("../../../tests/vectors/sigv4a.json"),
    ];
    let vectors = files.map(|json| serde_json::from_str::<Vec<Value>>(json).expect("JSON"));
    vectors.concat().into_iter().map(Vector).collect()
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
        let (name, ours, theirs) = (vector.text("name"), vector.presign(), vector.text("url"));
        match vector.text("signer").as_str() {
            "botocore" => assert_eq!(ours, theirs, "{name}"),
            // The CRT writes the parameters in another order. The server sorts them before it checks the signature.
            _ => assert_eq!(parts(&ours), parts(&theirs), "{name}"),
        }
        for url in [ours, theirs] {
            assert!(vector.is_accepted(&url, 0), "{name}: {url}");
        }
    }
    let by = |signer| vectors.iter().filter(|vector| vector.0["signer"] == signer).count();
    assert!(by("botocore") >= 200 && by("awscrt") >= 140);
}

#[test]
fn what_was_altered_or_is_out_of_date_is_refused() {
    let vectors = vectors();
    let named = |name| vectors.iter().find(|vector| vector.0["name"] == name).expect("a vector of this name");
    for signed in [named("temporary credentials (botocore)"), named("region set us-east-1")] {
        let url = signed.text("url");
        for (seconds, accepted) in [(-301, false), (-300, true), (300, true), (301, false)] {
            assert_eq!(signed.is_accepted(&url, seconds), accepted, "after {seconds} s");
        }
        assert!(!signed.is_accepted(&format!("{url}&X-Amz-Expires=300"), 0), "accepted a parameter twice");
        let start = url.find("/mqtt").expect("a path");
        for (at, original) in url.char_indices().skip(start) {
            let encoded = format!("%{:02X}", original as u32);
            let other_case = String::from(char::from(original as u8 ^ 0x20));
            for other in ["", "0", "+", "&", &encoded, &other_case] {
                let altered = format!("{}{other}{}", &url[..at], &url[at + 1..]);
                assert!(altered == url || !signed.is_accepted(&altered, 0), "accepted {altered}");
            }
        }
    }
    let plain = named("plain (botocore)");
    for (field, other) in [("host", "example.org"), ("region", "us-east-2"), ("secret", "another")] {
        let mut changed = plain.clone();
        changed.0[field] = other.into();
        assert!(!changed.is_accepted(&plain.text("url"), 0), "another {field}");
    }
}
