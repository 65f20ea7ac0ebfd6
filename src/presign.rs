//! The signature: request facts, credentials and a time in, a presigned URL out.
//!
//! Nothing here reads a clock, opens a connection or knows of a command line.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SessionTokenMode, SignableBody, SignableRequest, SignatureLocation, SigningError, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The service name in the credential scope. It is not `iot`: the upgrade request is taken by IoT Core's
/// device gateway (IoT developer guide, "Device communication protocols").
pub const SIGNING_NAME: &str = "iotdevicegateway";

/// How long the URL is good for. It is used at once, so a short life costs nothing.
pub const EXPIRES_IN: Duration = Duration::from_secs(300);

/// All but the unreserved characters of RFC 3986 section 2.3, as SigV4 wants query values encoded.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum PresignError {
    /// A part of the credential scope is missing.
    #[error("the signing parameters are not complete")]
    Parameters(#[from] v4::signing_params::BuildError),
    /// The host makes no valid URL.
    #[error("the upgrade request cannot be signed")]
    Request(#[from] SigningError),
}

/// Presigns the WebSocket upgrade request `GET wss://<authority>/mqtt` with SigV4 in its query (IAM user
/// guide, "AWS Signature Version 4 for API requests").
///
/// `authority` is the `Host` header exactly as it will be sent; it is the only signed header. `time` is
/// what the server takes for now, give or take five minutes. The URL returned is as secret as a password
/// for the next [`EXPIRES_IN`], and holds the session token for as long as that lives: do not log it.
///
/// # Errors
///
/// [`PresignError`] when `authority` is not a valid URL authority.
pub fn presign(
    authority: &str,
    region: &str,
    credentials: &Credentials,
    time: SystemTime,
) -> Result<String, PresignError> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES_IN);
    // IoT Core checks the signature as if the token were not there, unlike most AWS services.
    settings.session_token_mode = SessionTokenMode::Exclude;

    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SIGNING_NAME)
        .time(time)
        .settings(settings)
        .build()?
        .into();

    let url = format!("wss://{authority}/mqtt");
    let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::empty())?;
    let (instructions, _signature) = sign(request, &params)?.into_parts();

    // The excluded token is among the parameters all the same: appending it again would send it twice.
    let query: Vec<String> = instructions
        .params()
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY_VALUE)))
        .collect();
    Ok(format!("{url}?{}", query.join("&")))
}
