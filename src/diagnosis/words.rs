// SPDX-License-Identifier: Apache-2.0

//! What an application calls the settings that hints ask its users to change.

/// A name for each setting, as it can stand in a sentence such as "name a file with root certificates with NAME".
/// The default is what a developer changes in the code.
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
    /// How often and how long it is tried.
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
