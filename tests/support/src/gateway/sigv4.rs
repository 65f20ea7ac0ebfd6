//! Verifies the signature of a presigned upgrade request, without any code of AWS.
//!
//! Written from "AWS Signature Version 4 for API requests" in the IAM user guide. Two things are AWS IoT's own: the
//! service name, and the session token, which is in the query but is not signed. This is stricter than AWS: it refuses
//! a URL if any single character was changed.

use super::http::{Refusal, Request};
use super::sigv4a;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

const HMAC: &str = "AWS4-HMAC-SHA256";
pub const ECDSA: &str = "AWS4-ECDSA-P256-SHA256";
const SERVICE: &str = "iotdevicegateway";
const ALLOWED_SKEW: Duration = Duration::minutes(5);
/// RFC 3986, section 2.3: letters, digits and these four characters are not encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const WRONG_SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check \
    your AWS Secret Access Key and signing method.";

/// A key the gateway knows; a temporary one has a session token.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub access_key: String,
    pub secret: String,
    pub session_token: Option<String>,
}

/// What a URL with a valid signature contains.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    pub access_key: String,
    pub session_token: Option<String>,
    pub date: String,
}

/// Whatever is malformed is refused as a wrong signature.
pub fn verify(
    request: &Request,
    keys: &[Key],
    region: &str,
    now: OffsetDateTime,
) -> Result<Verified, Refusal> {
    let wrong_signature = || Refusal::forbidden(WRONG_SIGNATURE);
    let query = query(request).ok_or_else(wrong_signature)?;
    let session_token = query.get("X-Amz-Security-Token").map(|token| decoded(token));
    let value = |name: &str| query.get(name).map(|value| decoded(value)).ok_or_else(wrong_signature);
    let [algorithm, credential, date] =
        [value("X-Amz-Algorithm")?, value("X-Amz-Credential")?, value("X-Amz-Date")?];
    // An access key may contain slashes.
    let mut candidates = keys.iter().filter(|key| key.session_token == session_token);
    let (key, given_scope) = candidates
        .find_map(|key| Some((key, credential.strip_prefix(&key.access_key)?.strip_prefix('/')?)))
        .ok_or_else(|| Refusal::forbidden("The security token included in the request is invalid."))?;
    let day = date.get(..8).ok_or_else(wrong_signature)?;
    let (regions, scope) = match algorithm.as_str() {
        HMAC => {
            let region = given_scope.split('/').nth(1).ok_or_else(wrong_signature)?;
            (region.to_owned(), format!("{day}/{region}/{SERVICE}/aws4_request"))
        }
        ECDSA => (value("X-Amz-Region-Set")?, format!("{day}/{SERVICE}/aws4_request")),
        _ => return Err(wrong_signature()),
    };
    // The region of a SigV4 scope is a set of one.
    let holds_region = |pattern: &str| match pattern.split_once('*') {
        Some((start, end)) => region.starts_with(start) && region.ends_with(end),
        None => pattern == region,
    };
    if !regions.split(',').any(holds_region) {
        let message = format!("Credential should be scoped to a valid region, not '{regions}'.");
        return Err(Refusal::forbidden(message));
    }
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let signed = PrimitiveDateTime::parse(&date, format).map_err(|_| wrong_signature())?;
    if (signed.assume_utc() - now).abs() > ALLOWED_SKEW {
        let message = format!("Signature expired: {date} is not within 5 minutes of {now}.");
        return Err(Refusal::forbidden(message));
    }
    let hashed_request = hashed_request(request, &query).ok_or_else(wrong_signature)?;
    let string_to_sign = format!("{algorithm}\n{date}\n{scope}\n{hashed_request}");
    let signature = value("X-Amz-Signature")?;
    let is_valid = match algorithm.as_str() {
        HMAC => signature == hmac_signature(&key.secret, &scope, &string_to_sign),
        _ => sigv4a::is_valid(&signature, key, &string_to_sign),
    };
    if !is_valid {
        return Err(wrong_signature());
    }
    Ok(Verified { access_key: key.access_key.clone(), session_token, date })
}

/// The query as it was sent, still encoded, sorted by name as the canonical query is. `None` unless every parameter is
/// there once and its value is what encoding it anew would give.
fn query(request: &Request) -> Option<BTreeMap<&str, &str>> {
    let query = request.target.strip_prefix("/mqtt?").filter(|_| request.method == "GET")?;
    let mut parameters = BTreeMap::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=')?;
        let is_canonical = utf8_percent_encode(&decoded(value), RESERVED).to_string() == value;
        if !is_canonical || parameters.insert(name, value).is_some() {
            return None;
        }
    }
    Some(parameters)
}

fn decoded(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// The hash of the canonical request, in which `Host` is the only header.
fn hashed_request(request: &Request, query: &BTreeMap<&str, &str>) -> Option<String> {
    let host = request.only_header("host")?;
    let unsigned = ["X-Amz-Signature", "X-Amz-Security-Token"];
    let signed = query.iter().filter(|(name, _)| !unsigned.contains(name));
    let signed: Vec<String> = signed.map(|(name, value)| format!("{name}={value}")).collect();
    let (query, empty_payload) = (signed.join("&"), hex::encode(Sha256::digest(b"")));
    let canonical_request = format!("GET\n/mqtt\n{query}\nhost:{host}\n\nhost\n{empty_payload}");
    Some(hex::encode(Sha256::digest(canonical_request)))
}

fn hmac_signature(secret: &str, scope: &str, string_to_sign: &str) -> String {
    // The signing key: made of the secret by an HMAC with each part of the scope in turn.
    let start = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(start, |key, part| hmac(&key, part.as_bytes()));
    hex::encode(hmac(&key, string_to_sign.as_bytes()))
}

pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
