//! The part of Signature Version 4A that differs: an ECDSA key derived from the secret, and its check. The derivation
//! is that of NIST SP 800-108 in counter mode with HMAC-SHA256, as in "Signing AWS API requests" of the IAM user guide.

use super::sigv4::{ECDSA, Key, hmac};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::ff::PrimeField;
use p256::{NonZeroScalar, Scalar};

/// Whether the signature, DER in hexadecimal, is one that the holder of the key made.
pub fn is_valid(signature: &str, key: &Key, string_to_sign: &str) -> bool {
    let bytes = hex::decode(signature).unwrap_or_default();
    let Ok(decoded) = DerSignature::from_bytes(&bytes) else { return false };
    // A digit in another case makes it another URL, so only lower case is accepted.
    hex::encode(bytes) == signature
        && signing_key(key).verifying_key().verify(string_to_sign.as_bytes(), &decoded).is_ok()
}

fn signing_key(key: &Key) -> SigningKey {
    let input_key = format!("AWS4A{}", key.secret);
    let mut candidates = (1..=u8::MAX).map(|counter| {
        let label = [&1u32.to_be_bytes()[..], ECDSA.as_bytes(), &[0]].concat();
        let context = [key.access_key.as_bytes(), &[counter], &256u32.to_be_bytes()].concat();
        hmac(input_key.as_bytes(), &[label, context].concat())
    });
    // A candidate that is not below the curve's order is skipped. Adding one excludes zero.
    let secret: Option<NonZeroScalar> = candidates.find_map(|candidate| {
        let number = Option::from(Scalar::from_repr(candidate[..].try_into().ok()?));
        Option::from(NonZeroScalar::new(number.map(|number: Scalar| number + Scalar::ONE)?))
    });
    SigningKey::from(secret.expect("only one candidate in 2^32 is not below the order"))
}
