//! The part of Signature Version 4A that differs: an ECDSA key derived from the secret, and its check.
//!
//! The derivation is that of NIST SP 800-108 in counter mode with HMAC-SHA256, as in "Signing AWS API
//! requests" of the IAM user guide (asymmetric Signature Version 4). It shares no code with the program.

use super::sigv4::{ECDSA, hmac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::elliptic_curve::array::Array;

/// Whether the signature, DER in hexadecimal, is one that the holder of the secret made.
pub fn is_valid(signature: &str, access_key: &str, secret: &str, string_to_sign: &str) -> bool {
    // A digit in another case makes it another URL, so only lower case is accepted.
    let lower_case = signature == signature.to_lowercase();
    let bytes = hex::decode(signature).unwrap_or_default();
    let signature = DerSignature::from_bytes(&bytes);
    lower_case
        && signature
            .is_ok_and(|s| public_key(access_key, secret).verify(string_to_sign.as_bytes(), &s).is_ok())
}

pub fn public_key(access_key: &str, secret: &str) -> VerifyingKey {
    let input_key = format!("AWS4A{secret}");
    let candidates = (1..=u8::MAX).map(|counter| {
        let label = [&1u32.to_be_bytes()[..], ECDSA.as_bytes(), &[0]].concat();
        let context = [access_key.as_bytes(), &[counter], &256u32.to_be_bytes()].concat();
        hmac(input_key.as_bytes(), &[label, context].concat())
    });
    // A candidate that is too large for the curve's order is skipped. Adding one excludes zero.
    let private = candidates.into_iter().find_map(|candidate| {
        let plus_one = increment(&candidate)?;
        SigningKey::from_bytes(&Array::try_from(&plus_one[..]).ok()?).ok()
    });
    *private.expect("only one candidate in 2^32 is not below the order").verifying_key()
}

/// Adds 1 to a big-endian number; `None` if the result needs more bytes.
fn increment(number: &[u8]) -> Option<Vec<u8>> {
    let last = number.iter().rposition(|byte| *byte != 0xFF)?;
    let mut next = number.to_vec();
    next[last] += 1;
    next[last + 1..].fill(0);
    Some(next)
}
