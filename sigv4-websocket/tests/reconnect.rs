//! An application in this process, with credentials that change at every attempt: no message is lost when the
//! connection is cut.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rumqttc::{AsyncClient, Incoming, MqttOptions, PublishOptions, QoS};
use sigv4_websocket::provider::{ProvideCredentials, future};
use sigv4_websocket::{Connector, Credentials};
use test_support::gateway::{Event, Gateway, Key, REGION, Script};
use test_support::relay::Relay;
use tokio::time::{sleep, timeout};

const TOPIC: &str = "application/topic";
const MESSAGES: u8 = 60;

/// Another key at every call, each about to expire, so that no two signatures can be the same.
#[derive(Debug, Default)]
struct Rotating(AtomicUsize);

impl ProvideCredentials for Rotating {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let Key { access_key, secret, session_token } = key(self.0.fetch_add(1, Ordering::Relaxed));
        let expiry = SystemTime::now() + Duration::from_secs(30);
        future::ProvideCredentials::ready(Ok(Credentials::new(
            access_key,
            secret,
            session_token,
            Some(expiry),
            "test",
        )))
    }
}

fn key(number: usize) -> Key {
    Key {
        access_key: format!("ASIAROTATING0000000{number}"),
        secret: format!("secret/{number}"),
        session_token: Some(format!("token+{number}==")),
    }
}

fn connector(endpoint: &str, gateway: &Gateway) -> Connector {
    let endpoint = endpoint.parse().expect("an endpoint");
    let settings = Connector::builder(endpoint).region(REGION).ca_file(gateway.ca_file());
    settings.credentials(Rotating::default()).build().expect("a connector")
}

#[tokio::test]
async fn an_application_publishes_and_receives_through_two_cuts() {
    let gateway = Gateway::start(Script { keys: (0..3).map(key).collect(), ..Script::default() }).await;
    let relay = Arc::new(Relay::to(&gateway).await);
    let mut options = MqttOptions::new("application", "the connector knows the endpoint");
    options.set_outgoing_inflight_upper_limit(100).set_receive_maximum(Some(100));
    connector(&relay.endpoint(), &gateway).attach(&mut options);
    let (client, mut eventloop) = AsyncClient::builder(options).build();

    let publisher = tokio::spawn({
        let (client, relay) = (client.clone(), relay.clone());
        async move {
            let mut acknowledged = BTreeSet::new();
            for number in 0..MESSAGES {
                if [20, 40].contains(&number) {
                    relay.cut();
                }
                let acknowledged_now = async || {
                    let options = PublishOptions::new(QoS::AtLeastOnce);
                    let notice =
                        client.publish_tracked(TOPIC, vec![number], options).await.expect("a client");
                    notice.wait_completion_async().await.is_ok()
                };
                while !acknowledged_now().await {}
                acknowledged.insert(number);
            }
            client.disconnect().await.expect("an event loop");
            acknowledged
        }
    });
    let application = async {
        let mut received = BTreeSet::new();
        loop {
            match eventloop.poll().await {
                Ok(rumqttc::Event::Incoming(Incoming::ConnAck(_))) => {
                    client.subscribe(TOPIC, QoS::AtLeastOnce).await.expect("an event loop");
                }
                Ok(rumqttc::Event::Incoming(Incoming::Publish(publish))) => {
                    received.extend(publish.payload.first().copied());
                }
                Ok(rumqttc::Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return received,
                Ok(_) => {}
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let received = timeout(Duration::from_secs(30), application).await.expect("an end");
    let acknowledged = publisher.await.expect("no panic");

    let connections = gateway.connections();
    let signers = connections.iter().flatten().filter_map(|event| match event {
        Event::Signed(verified) => Some(verified.access_key.clone()),
        _ => None,
    });
    assert_eq!(signers.collect::<Vec<_>>(), (0..3).map(|n| key(n).access_key).collect::<Vec<_>>());
    let arrived: BTreeSet<u8> = connections
        .iter()
        .flatten()
        .filter_map(|event| match event {
            Event::Publish { payload, .. } => payload.first().copied(),
            _ => None,
        })
        .collect();
    assert_eq!(acknowledged, (0..MESSAGES).collect());
    assert!(acknowledged.is_subset(&arrived), "{arrived:?}");
    assert!(received.len() > usize::from(MESSAGES) / 2, "{received:?}");
}
