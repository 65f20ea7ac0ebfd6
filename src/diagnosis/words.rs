// SPDX-License-Identifier: Apache-2.0

//! The names of the application's settings that hints ask its users to change.

/// A name for each setting, which must fit into a sentence such as "give a file of root certificates with NAME". The
/// defaults name what a developer changes in the code.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The file with root certificates.
    pub ca_file: &'static str,
    /// The MQTT client ID.
    pub client_id: &'static str,
    /// The profile that credentials are taken from.
    pub profile: &'static str,
    /// The HTTP proxy.
    pub proxy: &'static str,
    /// How often, and for how long, the application tries to connect.
    pub patience: &'static str,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            ca_file: "`Tls::with_ca_file`",
            client_id: "`MqttOptions::new`",
            profile: "`CredentialSource::chain`",
            proxy: "`Proxies::always`",
            patience: "the wait between two attempts",
        }
    }
}
