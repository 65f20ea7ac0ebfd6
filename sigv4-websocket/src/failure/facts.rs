//! What hints mention.

use aws_credential_types::Credentials;

use crate::endpoint::Endpoint;

/// The command that prints an account's endpoint.
pub(super) const DESCRIBE_ENDPOINT: &str = "aws iot describe-endpoint --endpoint-type iot:Data-ATS";

/// The facts of a connection that hints mention.
pub(crate) struct Facts<'a> {
    pub endpoint: &'a Endpoint,
    /// The region that requests are signed for.
    pub region: &'a str,
    /// The MQTT client ID.
    pub client_id: &'a str,
    /// The latest credentials.
    pub credentials: Option<Credentials>,
    /// Whether the operating system's roots are trusted, and not a CA file.
    pub trusts_system: bool,
}
