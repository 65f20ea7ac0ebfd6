//! A network that fails in silence: packets are dropped, in a network namespace that the test makes for itself. Needs root,
//! iproute2 and nftables.
//!
//! ```sh
//! cargo test --test applications network -- --ignored
//! ```

use std::process::Command;
use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishOptions, QoS};
use sigv4_websocket::{Connector, Credentials, Failure};
use tokio::time::{interval, sleep, timeout};

use crate::application::{aimed, with_keys};
use crate::gateway::{ACCESS_KEY, Gateway, REGION, SECRET, Script};
use crate::program::Program;
use crate::running::{Running, path};

/// Set where the network is the test's own.
const OWN_NETWORK: &str = "TEST_HAS_ITS_OWN_NETWORK";

/// Runs the test of this name once more, in a network of its own that has only a loopback, and returns `false`. Returns `true`
/// there.
async fn has_own_network(test: &str) -> bool {
    if std::env::var_os(OWN_NETWORK).is_some() {
        shell("ip link set lo up");
        return true;
    }
    let this = std::env::current_exe().expect("a path to this test");
    let this = this.to_str().expect("a path in UTF-8");
    let again = ["--net", this, "--exact", test, "--ignored", "--nocapture"];
    let (child, _home) = Program::at("/usr/bin/unshare").args(again).env(OWN_NETWORK, "yes").spawn();
    let output = timeout(Duration::from_secs(150), child.wait_with_output()).await;
    let output = output.expect("an end").expect("an exit code");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}", said.concat());
    println!("{}", said[0]);
    false
}

fn shell(command: &str) {
    let status = Command::new("sh").args(["-c", command]).status();
    assert!(status.expect("a shell").success(), "{command}");
}

/// Drops every packet of this kind that arrives at the loopback, without a word to who sent it.
fn drop_packets(kind: &str) -> String {
    format!(
        "nft 'add table inet test; add chain inet test in {{ type filter hook input priority 0; }}; \
         add rule inet test in {kind} drop'"
    )
}

/// Polls until the connection fails, and says how.
async fn failed(mut eventloop: EventLoop) -> (Failure, Instant) {
    loop {
        if let Err(error) = eventloop.poll().await {
            return (error.into(), Instant::now());
        }
    }
}

/// A subscribed client with this keep-alive in seconds.
async fn subscribed(connector: &Connector, keep_alive: u16) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new("sensor-7", "unused");
    options.set_keep_alive(keep_alive);
    connector.attach(&mut options);
    let (client, mut eventloop) = AsyncClient::builder(options).build();
    client.try_subscribe("some/topic", QoS::AtMostOnce).expect("room");
    while !matches!(eventloop.poll().await.expect("a session"), Event::Incoming(Incoming::SubAck(_))) {}
    (client, eventloop)
}

/// A server whose host vanished sends neither an acknowledgement nor a reset. Two clients are silent but for a ping, which
/// comes after a minute, or just before TCP has found out. The third publishes so often that it never pings.
#[tokio::test]
#[ignore = "takes 80 seconds, and needs root and nftables"]
async fn a_vanished_host_is_noticed_within_90_seconds() {
    if !has_own_network("network::a_vanished_host_is_noticed_within_90_seconds").await {
        return;
    }
    let gateway = Gateway::start(Script::default()).await;
    let endpoint = gateway.endpoint().parse().expect("an endpoint");
    let connector = Connector::builder(endpoint).region(REGION).ca_file(gateway.ca_file());
    let credentials = Credentials::new(ACCESS_KEY, SECRET, None, None, "test");
    let connector = connector.credentials(credentials).build().expect("a connector");
    let (_client, idle) = subscribed(&connector, 60).await;
    let (_client, pinging) = subscribed(&connector, 38).await;
    let (client, publisher) = subscribed(&connector, 60).await;
    tokio::spawn(async move {
        let mut ticks = interval(Duration::from_secs(1));
        loop {
            ticks.tick().await;
            let _ = client.try_publish("other/topic", "hello", PublishOptions::new(QoS::AtMostOnce));
        }
    });
    shell(&drop_packets("meta l4proto tcp"));
    let vanished = Instant::now();
    let all = async { tokio::join!(failed(idle), failed(pinging), failed(publisher)) };
    let (idle, pinging, publisher) = timeout(Duration::from_secs(120), all).await.expect("all notice it");
    let all = [("idle", idle), ("pinging", pinging), ("publisher", publisher)];
    let all = all.map(|(who, (failure, noticed))| (who, failure, (noticed - vanished).as_secs()));
    for (who, failure, seconds) in &all {
        println!("{who}: {seconds} s\n{}", connector.explain(failure, "sensor-7"));
    }
    for (who, failure, seconds) in all {
        assert!(seconds < 90 && failure.retry_after().is_some(), "{who}: {seconds} s, {failure:?}");
        assert!(connector.explain(&failure, "sensor-7").contains("the connection is dead"), "{who}");
    }
}

/// The name server is the loopback, which drops what is sent to it. The system's resolver then waits for ten seconds.
#[tokio::test]
#[ignore = "needs root and nftables"]
async fn a_silent_resolver_does_not_hold_up_the_exit() {
    let gateway = Gateway::start(Script::default()).await;
    let application = path("application");
    let prepare = format!(
        "ip link set lo up && {} && echo nameserver 127.0.0.1 > \"$HOME/resolv.conf\" && \
         mount --bind \"$HOME/resolv.conf\" /etc/resolv.conf && exec \"$0\" \"$@\"",
        drop_packets("udp dport 53")
    );
    let application = application.to_str().expect("a path in UTF-8");
    for signal in ["INT", "TERM"] {
        let program =
            Program::at("/usr/bin/unshare").args(["--net", "--mount", "sh", "-c", &prepare, application]);
        let mut running = Running::start(with_keys(aimed(program, gateway.ca_file(), "silent.test")));
        let resolving = || std::fs::read_to_string(format!("/proc/{}/net/udp", running.id()));
        running.until("resolving", || resolving().is_ok_and(|sockets| sockets.contains(":0035 "))).await;
        sleep(Duration::from_millis(500)).await;
        let began = Instant::now();
        assert_eq!(running.stop(signal).await, Some(0), "{signal}");
        assert!(began.elapsed() < Duration::from_secs(1), "{signal}: {:?}", began.elapsed());
        assert_eq!(running.stderr(), "", "{signal}");
    }
}
