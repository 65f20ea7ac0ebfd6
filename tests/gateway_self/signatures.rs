//! The verifier accepts AWS's own signatures, and refuses every other URL, with the reason that fits.

use crate::gateway::http::Refusal;
use crate::gateway::{REGION, Request, SESSION_TOKEN, own_keys, sigv4};
use crate::presigned::*;
use time::Duration;

const SIGNATURE_MISMATCH: &str = "The request signature we calculated does not match the signature \
    you provided. Check your AWS Secret Access Key and signing method.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

#[test]
fn botocores_signatures_are_accepted() {
    for case in ACCEPTABLE {
        let verified = case.verify(case.target, case.time).expect(case.target);
        assert_eq!(verified.region, case.region);
        let token = case.target.contains("Token").then_some(SESSION_TOKEN);
        assert_eq!(verified.session_token.as_deref(), token);
    }
}

#[test]
fn a_url_with_any_character_altered_or_left_out_is_refused() {
    for case in ACCEPTABLE {
        for (at, original) in case.target.char_indices() {
            let (before, after) = (&case.target[..at], &case.target[at + 1..]);
            let other_case = if original.is_ascii_lowercase() {
                original.to_ascii_uppercase()
            } else {
                original.to_ascii_lowercase()
            };
            let encoded = format!("%{:02X}", original as u32);
            let others = ["a", "0", "%", "+", "&", "=", "/", "é", "", &encoded];
            for other in others.map(String::from).into_iter().chain([other_case.into()]) {
                let target = format!("{before}{other}{after}");
                let outcome = case.verify(&target, case.time);
                assert!(target == case.target || outcome.is_err(), "accepted {target}");
            }
        }
    }
}

#[test]
fn each_fault_of_a_url_is_refused_for_its_own_reason() {
    let region = |wrong: &str| format!("Credential should be scoped to a valid region, not '{wrong}'.");
    let forbidden = |message: &str| (403, message.to_string());
    let invalid = |message: &str| (400, message.to_string());
    let table = [
        ("ASIAGATEWAYEXAMPLE01", "ASIAGATEWAYEXAMPLE02", forbidden(INVALID_TOKEN)),
        ("%3D%3D", "%3D", forbidden(INVALID_TOKEN)),
        (
            "&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEB0%2Fgateway%2Bmade%3Dup%26100%25of%2Fit%3D%3D",
            "",
            forbidden(INVALID_TOKEN),
        ),
        ("Signature=9", "Signature=8", forbidden(SIGNATURE_MISMATCH)),
        ("Expires=300", "Expires=299", forbidden(SIGNATURE_MISMATCH)),
        ("&X-Amz-Expires=300", "", forbidden(SIGNATURE_MISMATCH)),
        ("&X-Amz-Date", "&Also=this&X-Amz-Date", forbidden(SIGNATURE_MISMATCH)),
        ("eu-central-1", "us-east-1", forbidden(&region("us-east-1"))),
        (
            "iotdevicegateway",
            "iotdata",
            forbidden("Credential should be scoped to a correct service: 'iotdevicegateway'."),
        ),
        (
            "aws4_request",
            "aws4",
            forbidden("Credential should be scoped to a valid terminator: 'aws4_request', not 'aws4'."),
        ),
        (
            "Date=20260729",
            "Date=20260728",
            forbidden("Date in Credential scope does not match the day of X-Amz-Date."),
        ),
        ("T120000Z", "T126000Z", invalid("Malformed X-Amz-Date '20260729T126000Z'.")),
        ("Expires=300", "Expires=86401", invalid("X-Amz-Expires must be 1 to 86400 seconds, not '86401'.")),
        ("Expires=300", "Expires=0", invalid("X-Amz-Expires must be 1 to 86400 seconds, not '0'.")),
        ("SHA256", "SHA1", invalid("Unsupported algorithm 'AWS4-HMAC-SHA1'.")),
        (
            "SignedHeaders=host",
            "SignedHeaders=host%3Bdate",
            invalid("The signed headers must be exactly 'host'."),
        ),
        (
            "%2Faws4_request",
            "",
            invalid("Malformed credential 'ASIAGATEWAYEXAMPLE01/20260729/eu-central-1/iotdevicegateway'."),
        ),
        (
            "%2Fgateway",
            "%2fgateway",
            invalid(
                "Malformed query parameter 'X-Amz-Security-Token=IQoJb3JpZ2luX2VjEB0%2fgateway%2Bmade%3Dup%26100%25of%2Fit%3D%3D'.",
            ),
        ),
        (
            "%2F20260729",
            "/20260729",
            invalid(
                "Malformed query parameter 'X-Amz-Credential=ASIAGATEWAYEXAMPLE01/20260729%2Feu-central-1%2Fiotdevicegateway%2Faws4_request'.",
            ),
        ),
        ("&X-Amz-Date=20260729T120000Z", "", invalid("Missing query parameter 'X-Amz-Date'.")),
        (
            "&X-Amz-Sig",
            "&X-Amz-Security-Token=IQoJ&X-Amz-Sig",
            invalid("Query parameter 'X-Amz-Security-Token' is given more than once."),
        ),
        ("/mqtt?", "/mqtt/?", invalid("Only a signed GET of /mqtt is served.")),
    ];
    let case = TEMPORARY_WITH_PORT;
    for (from, to, (status, message)) in table {
        assert!(case.target.contains(from), "{from} is not there to be altered");
        let altered = case.target.replacen(from, to, 1);
        let refusal = case.verify(&altered, case.time).expect_err(&altered);
        assert_eq!(refusal, Refusal { status, message }, "{from} -> {to}");
    }
}

#[test]
fn the_token_must_stand_outside_the_signature_and_belong_to_the_key() {
    let signed = TOKEN_SIGNED.verify(TOKEN_SIGNED.target, TOKEN_SIGNED.time);
    assert_eq!(signed, Err(Refusal::forbidden(SIGNATURE_MISMATCH)));
    let stray = format!("{}&X-Amz-Security-Token=a", PERMANENT.target);
    let stray = PERMANENT.verify(&stray, PERMANENT.time);
    assert_eq!(stray, Err(Refusal::forbidden(INVALID_TOKEN)));
}

#[test]
fn the_host_and_the_secret_are_part_of_the_signature() {
    let elsewhere = Presigned { host: "localhost", ..PERMANENT_WITH_PORT };
    let outcome = elsewhere.verify(elsewhere.target, elsewhere.time);
    assert_eq!(outcome, Err(Refusal::forbidden(SIGNATURE_MISMATCH)));
    let mut keys = own_keys();
    keys[0].secret.push('x');
    let headers = vec![("host".into(), PERMANENT.host.into())];
    let request = Request { method: "GET".into(), target: PERMANENT.target.into(), headers };
    let outcome = sigv4::verify(&request, &keys, REGION, PERMANENT.time);
    assert_eq!(outcome, Err(Refusal::forbidden(SIGNATURE_MISMATCH)));
}

#[test]
fn the_clocks_may_differ_by_five_minutes() {
    let at = |seconds| CHINA.verify(CHINA.target, CHINA.time + Duration::seconds(seconds));
    assert!(at(300).is_ok() && at(-300).is_ok());
    let message = |seconds| at(seconds).expect_err("beyond five minutes").message;
    assert_eq!(
        message(301),
        "Signature expired: 20280229T235959Z is now earlier than 20280301T000000Z (20280301T000500Z - 5 min.)"
    );
    assert_eq!(
        message(-301),
        "Signature not yet current: 20280229T235959Z is still later than 20280229T235958Z (20280229T235458Z + 5 min.)"
    );
}
