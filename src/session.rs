//! One MQTT 5 session with rumqttc: attempts, each from TCP to CONNACK, then from DISCONNECT to the end of TCP.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use futures_util::FutureExt;
use rumqttc::{AsyncClient, ConnAckProperties, Event, EventLoop, Incoming, MqttOptions, Outgoing};
use sigv4_websocket::{Connector, Failure};
use tokio::time::timeout;

use super::output::{self, Output};

/// The keep-alive, in seconds. IoT Core accepts 30 to 1200 ("AWS IoT Core message broker and protocol limits and
/// quotas"). A minute keeps the connection alive in common NAT tables.
const KEEP_ALIVE: u16 = 60;

/// How many unacknowledged publishes the server may send: as many as IoT Core itself accepts (same page).
const RECEIVE_MAXIMUM: u16 = 100;

/// rumqttc reserves memory for this many unacknowledged publishes, at least one. This session does not publish. For a
/// session that publishes, IoT Core accepts 100.
const OUTGOING_INFLIGHT: u16 = 1;

/// How long sending DISCONNECT may take.
const DISCONNECT_TIME: Duration = Duration::from_secs(1);

/// The longest random part of the wait before the second attempt. This maximum doubles with each attempt after that.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// The longest random part of any wait. [`Failure::retry_after`] is added to it.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);

/// The settings of the MQTT 5 client.
pub fn options(client_id: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, "unused: the connector knows the endpoint");
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_start(true)
        .set_outgoing_inflight_upper_limit(OUTGOING_INFLIGHT)
        .set_receive_maximum(Some(RECEIVE_MAXIMUM));
    tracing::debug!(
        "each attempt sends CONNECT with client ID {client_id}, keep-alive {KEEP_ALIVE} s, clean start, receive \
         maximum {RECEIVE_MAXIMUM}"
    );
    options
}

/// An accepted session.
pub struct Session {
    client: AsyncClient,
    eventloop: EventLoop,
}

impl Session {
    /// Tries to connect until an attempt succeeds or fails for good, at most `attempts` times, which must be one or
    /// more, and within `limit` for all of them. If the limit passes, the failure names the phase that the connector
    /// last reported to `output`.
    pub async fn connect(
        options: &MqttOptions,
        attempts: u32,
        limit: Duration,
        output: &Output,
    ) -> Result<Self, Failure> {
        let deadline = Instant::now() + limit;
        let waits = ExponentialBuilder::new()
            .with_min_delay(FIRST_BACKOFF)
            .with_max_delay(LONGEST_BACKOFF)
            .with_max_times(attempts as usize - 1)
            .build();
        let connecting = (|| Self::attempt(options.clone()))
            .retry(waits)
            // `retry_after` is `None` if another attempt cannot help.
            .when(|failure| failure.retry_after().is_some())
            // `random_max` is `None` after the last attempt. A result of `None` ends the attempts with this failure.
            .adjust(|failure, random_max| {
                // A random wait, so that clients that failed together do not come back together.
                let wait = random_max?.mul_f64(fastrand::f64()) + failure.retry_after()?;
                // If no time is left for another attempt, this failure counts: it says more than a passed deadline.
                (Instant::now() + wait < deadline).then_some(wait)
            })
            .notify(|failure, wait| {
                output::warn(&format!("{}; trying again in {} ms", failure.summary(), wait.as_millis()))
            });
        timeout(limit, connecting).await.unwrap_or_else(|_| Err(Failure::deadline(output.phase(), limit)))
    }

    /// Makes one attempt: a byte stream (TCP, TLS, WebSocket), CONNECT, CONNACK.
    async fn attempt(options: MqttOptions) -> Result<Self, Failure> {
        let (client, mut eventloop) = AsyncClient::builder(options).build();
        loop {
            if let Event::Incoming(Incoming::ConnAck(connack)) = eventloop.poll().await? {
                // Always a success: the connector's byte stream looks at the first packet too, and makes an error of a
                // refusal.
                tracing::debug!("< CONNACK Success (0x00){}", in_words(connack.properties));
                // A server that accepts and ends the session in one breath has refused it. Only such a DISCONNECT has a
                // reason code here; how else the session may have ended does not matter. Tokio's budget for reading may
                // be used up, and then `poll` would be pending although the packet is here. After the yield it is new.
                tokio::task::yield_now().await;
                let next = eventloop.poll().now_or_never().and_then(Result::err).map(Failure::from);
                return match next {
                    Some(failure) if failure.reason_code().is_some() => Err(failure),
                    _ => Ok(Self { client, eventloop }),
                };
            }
        }
    }

    /// Sends DISCONNECT (0x00) within a second, then Close 1000, close_notify and FIN within little more than another.
    /// How the server reacts no longer matters, since the session was a success.
    pub async fn disconnect(mut self, connector: &Connector) {
        let goodbye = async {
            // This queues DISCONNECT, which `poll` sends. From here on `poll` does not reconnect, even if the server
            // has already ended the connection.
            self.client.disconnect_now().await.ok();
            while let Ok(event) = self.eventloop.poll().await {
                if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
                    tracing::debug!("> DISCONNECT");
                    break;
                }
            }
        };
        if timeout(DISCONNECT_TIME, goodbye).await.is_err() {
            tracing::warn!("DISCONNECT could not be sent in time");
        }
        // The byte stream is dropped with the event loop, and closes in the background. `closed` waits for that.
        drop(self.eventloop);
        connector.closed().await;
    }
}

/// The settings that the server chose for the session, as text (MQTT 5 section 3.2.2.3).
fn in_words(properties: Option<ConnAckProperties>) -> String {
    let Some(properties) = properties else { return String::new() };
    let numbers = [
        ("session expiry", properties.session_expiry_interval, " s"),
        ("receive maximum", properties.receive_max.map(u32::from), ""),
        ("maximum QoS", properties.max_qos.map(u32::from), ""),
        ("maximum packet size", properties.max_packet_size, " bytes"),
        ("topic alias maximum", properties.topic_alias_max.map(u32::from), ""),
        ("server keep-alive", properties.server_keep_alive.map(u32::from), " s"),
    ];
    let numbers =
        numbers.into_iter().filter_map(|(name, value, unit)| Some(format!(", {name} {}{unit}", value?)));
    let texts =
        [("assigned client ID", properties.assigned_client_identifier), ("reason", properties.reason_string)];
    let texts = texts.into_iter().filter_map(|(name, text)| Some(format!(", {name} {}", text?)));
    numbers.chain(texts).collect()
}
