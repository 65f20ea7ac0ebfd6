// SPDX-License-Identifier: Apache-2.0

//! What went wrong between an MQTT client and AWS IoT Core, whether another attempt may help, and what to do.
//!
//! An application that uses [`transport`] copies this folder as well and edits nothing. The application turns each error
//! of rumqttc into a [`Failure`](failure::Failure), which the [`Facts`](hint::Facts) of the connection explain:
//!
//! ```
//! use sigv4_websocket_connect::diagnosis::{failure::Failure, hint::Facts};
//! use sigv4_websocket_connect::transport::connector::Connector;
//!
//! fn explain(error: rumqttc::ConnectionError, connector: &Connector, region: &str, client_id: &str) {
//!     let failure = Failure::from(error);
//!     eprint!("{}", Facts { connector, region, client_id }.explain(&failure));
//!     if failure.is_final() {
//!         eprintln!("Another attempt will end in the same way until somebody changes something.");
//!     }
//! }
//! ```
//!
//! 1. [`failure`] sorts what can go wrong, and says whether another attempt may help.
//! 2. [`report`] formats an error, its causes, and what the server said.
//! 3. [`hint`] says what to do about it, with the help of [`certificate`], [`credentials`], [`policy`], [`proxy`] and
//!    [`region`].
//!
//! This folder needs these crates: `aws-credential-types`, `aws-smithy-types`, `rumqttc-next`, `rustls`, `serde_json` and
//! `thiserror`.

// An application may use only a part of this.
#![allow(dead_code)]

use super::transport;

pub mod certificate;
pub mod credentials;
pub mod failure;
pub mod hint;
pub mod policy;
pub mod proxy;
pub mod region;
pub mod report;
