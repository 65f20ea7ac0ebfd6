//! Presigned URLs against those that AWS's own signers make (`vectors/generate.py`).

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use serde_json::Value;
use sigv4_websocket_connect::endpoint::Endpoint;
use sigv4_websocket_connect::presign::{EXPIRES_IN, Scope, presign};

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/presigned.json")).expect("the vectors are JSON")
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{case} has no text {field}"))
}

fn seconds(case: &Value, field: &str) -> i64 {
    case[field].as_i64().unwrap_or_else(|| panic!("{case} has no number {field}"))
}

fn presigned(case: &Value) -> String {
    let endpoint: Endpoint =
        format!("{}:{}", text(case, "host"), case["port"]).parse().expect("a host and a port");
    let scope = Scope::Region(text(case, "region").to_owned());
    let token = case["session_token"].as_str().map(str::to_owned);
    let credentials = Credentials::new(text(case, "access_key"), text(case, "secret"), token, None, "vector");
    let time = u64::try_from(seconds(case, "time") + seconds(case, "clock_offset")).expect("after 1970");
    let time = UNIX_EPOCH + Duration::from_secs(time);
    presign(&endpoint.authority(), &scope, &credentials, time).expect("a signature")
}

fn parts(url: &str) -> (&str, BTreeSet<&str>) {
    let (base, query) = url.split_once('?').expect("a query");
    (base, query.split('&').collect())
}

#[test]
fn urls_are_those_of_awss_signers() {
    let (mut equal, mut reordered) = (0, 0);
    for case in vectors() {
        assert_eq!(seconds(&case, "expires"), EXPIRES_IN.as_secs() as i64, "{}", case["name"]);
        let url = presigned(&case);
        match text(&case, "signer") {
            "botocore" => {
                assert_eq!(url, text(&case, "url"), "{}", case["name"]);
                equal += 1;
            }
            // The CRT writes X-Amz-Expires after X-Amz-SignedHeaders and the signature last. The order is
            // not part of the signature: the server sorts the parameters before it checks.
            _ => {
                assert_eq!(parts(&url), parts(text(&case, "url")), "{}", case["name"]);
                reordered += 1;
            }
        }
    }
    assert!(equal >= 200 && reordered >= 100, "{equal} and {reordered} cases");
}

#[test]
fn the_session_token_is_there_exactly_once() {
    let mut with_token = 0;
    for case in vectors() {
        let expected = usize::from(!case["session_token"].is_null());
        let url = presigned(&case);
        assert_eq!(url.matches("X-Amz-Security-Token=").count(), expected, "{}", case["name"]);
        with_token += expected;
    }
    assert!(with_token > 0);
}
