// SPDX-License-Identifier: Apache-2.0

//! The signature: makes a presigned URL of a host, credentials and a time.
//!
//! Nothing here reads a clock, opens a connection or knows of a command line.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SessionTokenMode, SignableBody, SignableRequest, SignatureLocation, SigningError, SigningParams,
    SigningSettings, sign,
};
use aws_sigv4::sign::{v4, v4a};
use aws_smithy_runtime_api::client::identity::Identity;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The service name in the credential scope. It is not `iot`, because IoT Core's device gateway handles the upgrade
/// request (IoT developer guide, "Device communication protocols").
const SIGNING_NAME: &str = "iotdevicegateway";

/// How long the URL is good for. It is used at once, so a short life costs nothing.
const EXPIRES_IN: Duration = Duration::from_secs(300);

/// What SigV4 wants percent-encoded in query values: all but the unreserved characters of RFC 3986 section 2.3.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The authority does not make a valid URL, or the credentials cannot sign.
#[derive(Debug, thiserror::Error)]
#[error("the upgrade request cannot be signed")]
pub struct PresignError(#[source] SigningError);

/// Where the signature is to be valid. This decides which algorithm makes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// SigV4 for one region: what AWS documents for IoT Core.
    Region(String),
    /// SigV4a for a set of regions: names separated by commas, `*` for any characters.
    RegionSet(String),
}

/// Presigns the WebSocket upgrade request `GET wss://<authority>/mqtt` in its query (IAM user guide, "AWS
/// Signature Version 4 for API requests").
///
/// `authority` is the `Host` header exactly as it will be sent, `HOST[:PORT]`; it is the only signed header. `time`
/// must be within five minutes of the server's clock. Do not log the URL: it is as secret as a password during the next
/// five minutes, and it holds the session token, which is secret for as long as it is valid.
///
/// # Errors
///
/// [`PresignError`] if no URL can be made of `authority`, or the credentials cannot sign.
pub fn presign(
    authority: &str,
    scope: &Scope,
    credentials: &Credentials,
    time: SystemTime,
) -> Result<String, PresignError> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES_IN);
    // IoT Core checks the signature as if the token were not there, unlike most AWS services.
    settings.session_token_mode = SessionTokenMode::Exclude;

    let identity = credentials.clone().into();
    let params = parameters(&identity, scope, time, settings);
    let url = format!("wss://{authority}/mqtt");
    let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::empty());
    let signed = request.and_then(|request| sign(request, &params)).map_err(PresignError)?;
    let (instructions, _signature) = signed.into_parts();

    // `Exclude` leaves the token out of the signature, but lists it here all the same: do not append it again.
    let query: Vec<String> = instructions
        .params()
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY_VALUE)))
        .collect();
    Ok(format!("{url}?{}", query.join("&")))
}

#[expect(clippy::expect_used, reason = "building fails only where a field is missing, and all are set")]
fn parameters<'a>(
    identity: &'a Identity,
    scope: &'a Scope,
    time: SystemTime,
    settings: SigningSettings,
) -> SigningParams<'a> {
    match scope {
        Scope::Region(region) => {
            let builder = v4::SigningParams::builder().identity(identity).region(region).name(SIGNING_NAME);
            builder.time(time).settings(settings).build().expect("all fields are set").into()
        }
        Scope::RegionSet(regions) => {
            let builder =
                v4a::SigningParams::builder().identity(identity).region_set(regions).name(SIGNING_NAME);
            builder.time(time).settings(settings).build().expect("all fields are set").into()
        }
    }
}
