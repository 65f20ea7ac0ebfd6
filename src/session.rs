//! One MQTT 5 session with rumqttc: attempts from CONNECT to CONNACK, then from DISCONNECT to the end of TCP.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use futures_util::FutureExt;
use rumqttc::{AsyncClient, ConnAckProperties, Event, EventLoop, Incoming, MqttOptions, Outgoing};
use sigv4_websocket::{Connector, Failure, ReasonCode};
use tokio::time::timeout;

use super::output::{Output, warn};

/// The keep-alive, in seconds. IoT Core accepts 30 to 1200 ("AWS IoT Core message broker and protocol limits and
/// quotas"). A minute keeps the connection alive in common NAT tables.
const KEEP_ALIVE: u16 = 60;

/// How many unacknowledged publishes the server may send: as many as IoT Core itself accepts (same page).
const RECEIVE_MAXIMUM: u16 = 100;

/// rumqttc reserves memory for this many unacknowledged publishes. This session does not publish. For a session that
/// publishes, IoT Core accepts 100.
const OUTGOING_INFLIGHT: u16 = 1;

/// How long sending DISCONNECT may take.
const DISCONNECT_TIME: Duration = Duration::from_secs(1);

/// The longest random part of the wait before the second attempt. It doubles with each attempt after that.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// The longest random part of any wait, to which [`Failure::retry_after`] is added.
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
        "> CONNECT, once there is a WebSocket: client ID {client_id}, keep-alive {KEEP_ALIVE} s, clean start, receive \
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
    /// Tries to connect until an attempt succeeds or fails for good, at most so many times and within `limit` for all
    /// of them.
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
        let attempts = (|| Self::attempt(options.clone()))
            .retry(waits)
            .when(|failure| failure.retry_after().is_some())
            .adjust(|failure, longest| {
                // A random wait, so that clients that failed together do not come back together.
                let wait = longest?.mul_f64(fastrand::f64()) + failure.retry_after()?;
                // If no time is left for another attempt, the error of the attempt before it counts.
                (Instant::now() + wait < deadline).then_some(wait)
            })
            .notify(|failure, wait| {
                warn(&format!("{}; trying again in {} ms", failure.summary(), wait.as_millis()))
            });
        timeout(limit, attempts).await.unwrap_or_else(|_| Err(Failure::deadline(output.phase(), limit)))
    }

    /// Makes one attempt: a byte stream, CONNECT, CONNACK.
    async fn attempt(options: MqttOptions) -> Result<Self, Failure> {
        let (client, mut eventloop) = AsyncClient::builder(options).build();
        loop {
            if let Event::Incoming(Incoming::ConnAck(connack)) = eventloop.poll().await? {
                let code = ReasonCode::from(connack.code as u8);
                tracing::debug!("< CONNACK {code}{}", settings(connack.properties));
                // A DISCONNECT that came together with CONNACK is a part of the answer. A later one is ignored.
                // After a flood of small frames, the look needs a turn of its own.
                tokio::task::yield_now().await;
                let next = eventloop.poll().now_or_never().and_then(Result::err).map(Failure::from);
                return match next {
                    Some(failure) if failure.reason_code().is_some() => Err(failure),
                    _ => Ok(Self { client, eventloop }),
                };
            }
        }
    }

    /// Sends DISCONNECT (0x00), Close 1000, close_notify and FIN, in little more than two seconds at most. How the
    /// server reacts no longer matters, since the session was a success.
    pub async fn disconnect(mut self, connector: &Connector) {
        let goodbye = async {
            // This does not reconnect if the server has already ended the connection.
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
        // rumqttc does not close its streams, so they close themselves when they are dropped.
        drop(self.eventloop);
        connector.closed().await;
    }
}

/// The settings that the server chose for the session, as text (MQTT 5 section 3.2.2.3).
fn settings(properties: Option<ConnAckProperties>) -> String {
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
