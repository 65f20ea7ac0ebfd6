//! The stand-in for IoT Core checks signatures itself. It accepts those of AWS's own signers (`vectors/generate.py`), and
//! refuses whatever was altered. What it makes of SigV4a is tested together with the crate's own signatures.

use serde_json::Value;
use test_support::gateway::http::Refusal;
use test_support::gateway::sigv4::{Key, Verified, verify};
use test_support::gateway::{REGION, Request, own_keys};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

/// Two of the vectors, both signed on 2026-01-02 at 03:04:05.
const PERMANENT: &str = "plain (botocore)";
const TEMPORARY: &str = "temporary credentials (botocore)";

const WRONG_SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check \
    your AWS Secret Access Key and signing method.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

/// An upgrade request as a signer of AWS made it, and what the gateway must know to accept it.
#[derive(Clone)]
struct Signed {
    name: String,
    key: Key,
    region: String,
    headers: Vec<(String, String)>,
    target: String,
    time: OffsetDateTime,
}

impl Signed {
    fn from_json(json: &Value) -> Self {
        let text = |field: &str| json[field].as_str().map(str::to_owned);
        let number = |field: &str| json[field].as_i64().expect("a number");
        let url = text("url").expect("a URL");
        let (host, target) =
            url.strip_prefix("wss://").and_then(|rest| rest.split_once('/')).expect("a path");
        let time = OffsetDateTime::from_unix_timestamp(number("time") + number("clock_offset"));
        Self {
            name: text("name").expect("a name"),
            key: Key::from_json(json),
            region: text("region").expect("a region"),
            headers: vec![host_header(host)],
            target: format!("/{target}"),
            time: time.expect("a date"),
        }
    }

    fn verify(&self) -> Result<Verified, Refusal> {
        let (method, target) = ("GET".to_owned(), self.target.clone());
        let request = Request { method, target, headers: self.headers.clone() };
        verify(&request, std::slice::from_ref(&self.key), &self.region, self.time)
    }

    /// The refusal after this change.
    fn refusal(&self, change: impl FnOnce(&mut Self)) -> Refusal {
        let mut changed = self.clone();
        change(&mut changed);
        changed.verify().expect_err(&changed.target)
    }
}

fn host_header(host: &str) -> (String, String) {
    ("Host".to_owned(), host.to_owned())
}

fn vectors() -> Vec<Signed> {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors/presigned.json")).expect("JSON");
    vectors.iter().map(Signed::from_json).collect()
}

fn vector(name: &str) -> Signed {
    vectors().into_iter().find(|vector| vector.name == name).expect("a vector of this name")
}

#[test]
fn the_signatures_of_awss_signers_are_accepted() {
    let vectors = vectors();
    assert!(vectors.len() >= 300, "{} vectors", vectors.len());
    for vector in vectors {
        let verified = vector.verify().unwrap_or_else(|refusal| panic!("{}: {refusal:?}", vector.name));
        assert_eq!(verified.access_key, vector.key.access_key, "{}", vector.name);
        assert_eq!(verified.session_token, vector.key.session_token, "{}", vector.name);
    }
}

#[test]
fn a_url_with_any_character_altered_or_left_out_is_refused() {
    let mut vector = vector(TEMPORARY);
    let target = vector.target.clone();
    for (at, original) in target.char_indices() {
        let (before, after) = (&target[..at], &target[at + 1..]);
        let encoded = format!("%{:02X}", original as u32);
        let other_case = String::from(char::from(original as u8 ^ 0x20));
        for other in ["a", "0", "%", "+", "&", "=", "/", "é", "", &encoded, &other_case] {
            vector.target = format!("{before}{other}{after}");
            assert!(vector.target == target || vector.verify().is_err(), "accepted {}", vector.target);
        }
    }
}

#[test]
fn each_fault_of_a_url_is_refused_for_its_own_reason() {
    const TOKEN: &str = "&X-Amz-Security-Token=made%2Fup%2Bsession%2Btoken%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FEXAMPLE%2F\
        EXAMPLE%2BEXAMPLE%2FEXAMPLE%2Bmade%2Fup%3D%3D";
    let forbidden = [
        ("ASIAFAKE0001", "ASIAFAKE0002", INVALID_TOKEN),
        ("up%3D%3D", "up%3D", INVALID_TOKEN),
        (TOKEN, "", INVALID_TOKEN),
        ("Signature=2", "Signature=3", WRONG_SIGNATURE),
        ("Expires=300", "Expires=299", WRONG_SIGNATURE),
        ("&X-Amz-Expires=300", "", WRONG_SIGNATURE),
        ("&X-Amz-Date", "&Also=this&X-Amz-Date", WRONG_SIGNATURE),
        ("T030405Z", "T030406Z", WRONG_SIGNATURE),
        ("us-east-1", "us-east-2", "Credential should be scoped to a valid region, not 'us-east-2'."),
        (
            "iotdevicegateway",
            "iotdata",
            "Credential should be scoped to correct service: 'iotdevicegateway'.",
        ),
        ("aws4_request", "aws4", "Credential should be scoped with a valid terminator: 'aws4_request'."),
        ("Date=20260102", "Date=20260103", "Date in Credential scope does not match the day of X-Amz-Date."),
        ("2F20260102", "2F20260103", "Date in Credential scope does not match the day of X-Amz-Date."),
    ];
    let invalid = [
        ("T030405Z", "T036005Z", "Malformed X-Amz-Date '20260102T036005Z'."),
        ("Expires=300", "Expires=86401", "X-Amz-Expires must be 1 to 86400 seconds, not '86401'."),
        ("Expires=300", "Expires=0", "X-Amz-Expires must be 1 to 86400 seconds, not '0'."),
        ("SHA256", "SHA1", "Unsupported algorithm 'AWS4-HMAC-SHA1'."),
        ("SignedHeaders=host", "SignedHeaders=host%3Bdate", "The signed headers must be exactly 'host'."),
        ("%2Faws4_request", "", "Malformed credential 'ASIAFAKE0001/20260102/us-east-1/iotdevicegateway'."),
        ("=host&", "=host&token=made%2fup&", "Malformed query parameter 'token=made%2fup'."),
        ("=host&", "=host&token=made/up&", "Malformed query parameter 'token=made/up'."),
        ("&X-Amz-Date=20260102T030405Z", "", "Missing query parameter 'X-Amz-Date'."),
        ("=host&", "=host&X-Amz-Security-Token=x&", "Query parameter 'X-Amz-Security-Token' is given twice."),
        ("/mqtt?", "/mqtt/?", "Only a signed GET of /mqtt is served."),
    ];
    let vector = vector(TEMPORARY);
    let rows = forbidden.map(|row| (403, row)).into_iter().chain(invalid.map(|row| (400, row)));
    for (status, (from, to, message)) in rows {
        assert!(vector.target.contains(from), "{from} is not there to be altered");
        let refusal = vector.refusal(|vector| vector.target = vector.target.replacen(from, to, 1));
        assert_eq!(refusal, Refusal { status, message: message.to_owned() }, "{from} -> {to}");
    }
}

#[test]
fn host_secret_and_region_are_part_of_the_signature() {
    let vector = vector(PERMANENT);
    let wrong = Refusal::forbidden(WRONG_SIGNATURE);
    for host in ["example.org", "example.com:8443"] {
        assert_eq!(vector.refusal(|vector| vector.headers = vec![host_header(host)]), wrong);
    }
    assert_eq!(vector.refusal(|vector| vector.key.secret.push('x')), wrong);
    let elsewhere = vector.refusal(|vector| vector.region = "eu-west-3".to_owned());
    let message = "Credential should be scoped to a valid region, not 'us-east-1'.";
    assert_eq!(elsewhere, Refusal::forbidden(message));
    for hosts in [vec![], vec![host_header("example.com"); 2]] {
        let refusal = vector.refusal(|vector| vector.headers = hosts);
        assert_eq!(refusal, Refusal::invalid("Exactly one Host header is wanted."));
    }
}

#[test]
fn the_token_must_stand_outside_the_signature_and_belong_to_the_key() {
    // botocore's `SigV4QueryAuth` signs the token too, as most services of AWS want it.
    let token_signed = Signed {
        key: own_keys().pop().expect("the temporary key"),
        region: REGION.to_owned(),
        headers: vec![host_header("localhost:8443")],
        target: "/mqtt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAGATEWAYEXAMPLE01%2F20260729%2F\
            eu-central-1%2Fiotdevicegateway%2Faws4_request&X-Amz-Date=20260729T120000Z&X-Amz-Expires=300\
            &X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEB0%2Fgateway%2Bmade%3Dup%26100%25of%2Fit\
            %3D%3D&X-Amz-Signature=cca12ce53d47ba8c20f133a293beb91759d7ddd6ccd387047fb7b503adbd2138"
            .to_owned(),
        time: datetime!(2026-07-29 12:00 UTC),
        ..vector(PERMANENT)
    };
    assert_eq!(token_signed.verify(), Err(Refusal::forbidden(WRONG_SIGNATURE)));
    let stray = vector(PERMANENT).refusal(|vector| vector.target.push_str("&X-Amz-Security-Token=a"));
    assert_eq!(stray, Refusal::forbidden(INVALID_TOKEN));
}

#[test]
fn the_clocks_may_differ_by_five_minutes() {
    let vector = vector(PERMANENT);
    let at = |seconds| Signed { time: vector.time + Duration::seconds(seconds), ..vector.clone() }.verify();
    assert!(at(300).is_ok() && at(-300).is_ok());
    let message = |seconds| at(seconds).expect_err("beyond five minutes").message;
    assert_eq!(
        message(301),
        "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)"
    );
    assert_eq!(
        message(-301),
        "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)"
    );
}
