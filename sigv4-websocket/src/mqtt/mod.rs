// SPDX-License-Identifier: Apache-2.0

//! What this crate has to know of MQTT 5: the server's first packet, and reason codes.

pub(crate) mod first_packet;
pub(crate) mod reason_code;
