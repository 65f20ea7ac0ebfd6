//! Verifies the signature of a presigned upgrade request, without any code of AWS.
//!
//! Written from "AWS Signature Version 4 for API requests" in the IAM user guide: the pages "Create a signed AWS API
//! request" (canonical request, string to sign, signing key) and "Authentication methods" (the query parameters). Two
//! things are AWS IoT's own: the service name, and the session token, which is in the query but is not signed.
//!
//! It is stricter than AWS: it refuses a URL if any single character was changed.

use super::http::{Refusal, Request};
use super::sigv4a;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};

const HMAC: &str = "AWS4-HMAC-SHA256";
pub const ECDSA: &str = "AWS4-ECDSA-P256-SHA256";
const SERVICE: &str = "iotdevicegateway";
const ALLOWED_SKEW: Duration = Duration::minutes(5);
const DATE_FORMAT: StaticFormatDescription =
    format_description!("[year][month][day]T[hour][minute][second]Z");
/// RFC 3986, section 2.3: letters, digits and these four characters are not encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const WRONG_SIGNATURE: &str = "The request signature we calculated does not match the signature you provided. Check \
    your AWS Secret Access Key and signing method.";

/// A key the gateway knows; a temporary one has a session token.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub access_key: String,
    pub secret: String,
    pub session_token: Option<String>,
}

impl Key {
    /// The key of a vector.
    pub fn from_json(json: &serde_json::Value) -> Self {
        let text = |field: &str| json[field].as_str().map(str::to_owned);
        Self {
            access_key: text("access_key").expect("an access key"),
            secret: text("secret").expect("a secret"),
            session_token: text("session_token"),
        }
    }
}

/// What a URL with a valid signature contains.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    pub access_key: String,
    pub session_token: Option<String>,
    pub date: String,
}

pub fn verify(
    request: &Request,
    keys: &[Key],
    region: &str,
    now: OffsetDateTime,
) -> Result<Verified, Refusal> {
    let query = Query::of(request)?;
    let credential = query.required("X-Amz-Credential")?;
    let algorithm = query.required("X-Amz-Algorithm")?;
    // An access key may contain slashes, so the parts of the scope are counted from the end.
    let parts: Vec<&str> = credential.rsplitn(if algorithm == ECDSA { 4 } else { 5 }, '/').collect();
    let (terminator, service, regions, day, access_key) = match (algorithm.as_str(), &parts[..]) {
        (HMAC, &[terminator, service, region, day, key]) => {
            (terminator, service, region.to_owned(), day, key)
        }
        (ECDSA, &[terminator, service, day, key]) => {
            (terminator, service, query.required("X-Amz-Region-Set")?, day, key)
        }
        (HMAC | ECDSA, _) => return Err(Refusal::invalid(format!("Malformed credential '{credential}'."))),
        _ => return Err(Refusal::invalid(format!("Unsupported algorithm '{algorithm}'."))),
    };
    let session_token = query.get("X-Amz-Security-Token");
    let key = keys.iter().find(|key| key.access_key == access_key && key.session_token == session_token);
    let key = key.ok_or_else(|| Refusal::forbidden(INVALID_TOKEN))?;
    let scoped = |wanted: String| Err(Refusal::forbidden(format!("Credential should be scoped {wanted}.")));
    if !holds(&regions, region) {
        return scoped(format!("to a valid region, not '{regions}'"));
    }
    if service != SERVICE {
        return scoped(format!("to correct service: '{SERVICE}'"));
    }
    if terminator != "aws4_request" {
        return scoped("with a valid terminator: 'aws4_request'".to_owned());
    }
    let date = query.required("X-Amz-Date")?;
    if date.get(..8) != Some(day) {
        return Err(Refusal::forbidden("Date in Credential scope does not match the day of X-Amz-Date."));
    }
    check_clock(&date, now)?;
    let expires = query.get("X-Amz-Expires").unwrap_or("300".to_owned());
    if !expires.parse().is_ok_and(|seconds| (1..=86400).contains(&seconds)) {
        let message = format!("X-Amz-Expires must be 1 to 86400 seconds, not '{expires}'.");
        return Err(Refusal::invalid(message));
    }
    let scope = &credential[access_key.len() + 1..];
    let string_to_sign = format!("{algorithm}\n{date}\n{scope}\n{}", hashed_request(request, &query)?);
    let signature = query.required("X-Amz-Signature")?;
    let valid = match algorithm.as_str() {
        HMAC => signature == hmac_signature(&key.secret, scope, &string_to_sign),
        _ => sigv4a::is_valid(&signature, access_key, &key.secret, &string_to_sign),
    };
    if !valid {
        return Err(Refusal::forbidden(WRONG_SIGNATURE));
    }
    Ok(Verified { access_key: access_key.into(), session_token, date })
}

/// The query as it was sent, still encoded, sorted by name as the canonical query is.
struct Query(BTreeMap<String, String>);

impl Query {
    fn of(request: &Request) -> Result<Query, Refusal> {
        let (path, query) = request.target.split_once('?').unwrap_or_default();
        if request.method != "GET" || path != "/mqtt" {
            return Err(Refusal::invalid("Only a signed GET of /mqtt is served."));
        }
        let mut parameters = BTreeMap::new();
        for pair in query.split('&') {
            let (name, value) = pair
                .split_once('=')
                .filter(|(name, value)| encoded_canonically(name) && encoded_canonically(value))
                .ok_or_else(|| Refusal::invalid(format!("Malformed query parameter '{pair}'.")))?;
            if parameters.insert(name.into(), value.into()).is_some() {
                let message = format!("Query parameter '{name}' is given twice.");
                return Err(Refusal::invalid(message));
            }
        }
        Ok(Query(parameters))
    }

    fn get(&self, name: &str) -> Option<String> {
        let value = percent_decode_str(self.0.get(name)?);
        Some(value.decode_utf8_lossy().into_owned())
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        self.get(name).ok_or_else(|| Refusal::invalid(format!("Missing query parameter '{name}'.")))
    }

    fn canonical(&self) -> String {
        let signed = |name: &str| !["X-Amz-Signature", "X-Amz-Security-Token"].contains(&name);
        let pairs = self.0.iter().filter(|(name, _)| signed(name));
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

/// Whether the text is what encoding it anew would give: nothing but the unreserved characters unencoded, none of those
/// encoded, and hexadecimal digits in upper case.
fn encoded_canonically(text: &str) -> bool {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.is_ok_and(|decoded| utf8_percent_encode(&decoded, RESERVED).to_string() == text)
}

/// `*` in a region set stands for any characters; the region of a SigV4 scope is a set of one.
fn holds(regions: &str, region: &str) -> bool {
    regions.split(',').any(|pattern| match pattern.split_once('*') {
        None => pattern == region,
        Some((start, end)) => region.starts_with(start) && region.ends_with(end),
    })
}

fn check_clock(date: &str, now: OffsetDateTime) -> Result<(), Refusal> {
    let signed = PrimitiveDateTime::parse(date, DATE_FORMAT)
        .map_err(|_| Refusal::invalid(format!("Malformed X-Amz-Date '{date}'.")))?
        .assume_utc();
    let basic = |moment: OffsetDateTime| moment.format(DATE_FORMAT).expect("date and time fields alone");
    let (earliest, latest) = (now - ALLOWED_SKEW, now + ALLOWED_SKEW);
    let message = if signed > latest {
        format!("not yet current: {date} is still later than {} ({} + 5 min.)", basic(latest), basic(now))
    } else if signed < earliest {
        format!("expired: {date} is now earlier than {} ({} - 5 min.)", basic(earliest), basic(now))
    } else {
        return Ok(());
    };
    Err(Refusal::forbidden(format!("Signature {message}")))
}

/// The hash of the canonical request.
fn hashed_request(request: &Request, query: &Query) -> Result<String, Refusal> {
    if query.required("X-Amz-SignedHeaders")? != "host" {
        return Err(Refusal::invalid("The signed headers must be exactly 'host'."));
    }
    let host =
        request.only_header("host").ok_or_else(|| Refusal::invalid("Exactly one Host header is wanted."))?;
    let (query, empty_payload) = (query.canonical(), hex::encode(Sha256::digest(b"")));
    let canonical_request = format!("GET\n/mqtt\n{query}\nhost:{host}\n\nhost\n{empty_payload}");
    Ok(hex::encode(Sha256::digest(canonical_request)))
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
