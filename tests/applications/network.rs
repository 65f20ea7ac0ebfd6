//! A network that fails in silence: packets are dropped, in a network namespace that the test makes for itself. Needs
//! root, iproute2 and nftables.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, PublishOptions, QoS};
use sigv4_websocket::{Connector, Credentials, Failure};
use tokio::time::{interval, sleep, timeout};

use crate::application::start;
use crate::gateway::{ACCESS_KEY, Gateway, REGION, SECRET, Script};
use crate::program::Program;
use crate::running::{Running, path};

/// Set where the network is the test's own.
const OWN_NETWORK: &str = "TEST_HAS_ITS_OWN_NETWORK";

/// This program in a network of its own, which has only a loopback, after this line of shell.
fn in_own_network(line: &str, program: &Path) -> Program {
    let prepare = format!("ip link set lo up && {line} && exec \"$0\" \"$@\"");
    let program = program.to_str().expect("a path in UTF-8");
    let unshare = Program::at("/usr/bin/unshare").env(OWN_NETWORK, "yes");
    unshare.args(["--net", "--mount", "sh", "-c", &prepare, program])
}

/// Drops every packet of this kind that arrives at the loopback, without a word to who sent it.
fn drop_packets(kind: &str) -> String {
    format!(
        "nft 'add table inet test; add chain inet test in {{ type filter hook input priority 0; }}; \
         add rule inet test in {kind} drop'"
    )
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

/// A server whose host vanished sends neither an acknowledgement nor a reset. Two clients are silent but for a ping,
/// which comes after a minute, or just before TCP has found out. The third publishes so often that it never pings.
#[tokio::test]
#[ignore = "takes 80 seconds, and needs root and nftables"]
async fn a_vanished_host_is_noticed_within_90_seconds() {
    if std::env::var_os(OWN_NETWORK).is_none() {
        let this = std::env::current_exe().expect("a path to this test");
        let name = "network::a_vanished_host_is_noticed_within_90_seconds";
        let test = in_own_network("true", &this).args(["--exact", name, "--ignored"]);
        let mut test = Running::start(test);
        assert_eq!(test.ended().await, Some(0), "{}{}", test.stdout(), test.stderr());
        return;
    }
    let gateway = Gateway::start(Script::default()).await;
    let endpoint = gateway.endpoint().parse().expect("an endpoint");
    let credentials = Credentials::new(ACCESS_KEY, SECRET, None, None, "test");
    let connector = Connector::builder(endpoint).region(REGION).ca_file(gateway.ca_file());
    let connector = connector.credentials(credentials).build().expect("a connector");
    let mut clients = Vec::new();
    for (who, keep_alive) in [("idle", 60), ("pinging", 38), ("publishing", 60)] {
        clients.push((who, subscribed(&connector, keep_alive).await));
    }
    let dropping = Command::new("sh").args(["-c", &drop_packets("meta l4proto tcp")]).status();
    assert!(dropping.expect("a shell").success());
    let vanished = Instant::now();
    let failing = clients.into_iter().map(async |(who, (client, mut eventloop))| {
        let mut ticks = interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                _ = ticks.tick(), if who == "publishing" => {
                    let _ = client.try_publish("other/topic", "hello", PublishOptions::new(QoS::AtMostOnce));
                }
                event = eventloop.poll() => if let Err(error) = event {
                    return (who, Failure::from(error), vanished.elapsed());
                }
            }
        }
    });
    let failed = timeout(Duration::from_secs(90), join_all(failing)).await.expect("all notice it");
    for (who, failure, noticed) in failed {
        let report = connector.explain(&failure, "sensor-7");
        assert!(report.contains("the connection is dead"), "{who}, {noticed:?}: {report}");
        assert!(failure.retry_after().is_some(), "{who}, {noticed:?}: {report}");
    }
}

/// The name server is the loopback, which drops what is sent to it. The system's resolver then waits for ten seconds.
#[tokio::test]
#[ignore = "needs root and nftables"]
async fn a_silent_resolver_does_not_hold_up_the_exit() {
    let resolver = "echo nameserver 127.0.0.1 > \"$HOME/resolv.conf\" && mount --bind \"$HOME/resolv.conf\" /etc/resolv.conf";
    let line = format!("{} && {resolver}", drop_packets("udp dport 53"));
    let gateway = Gateway::start(Script::default()).await;
    let program = in_own_network(&line, &path("application"));
    let mut application = start(program, "silent.test", gateway.ca_file());
    let resolving = || std::fs::read_to_string(format!("/proc/{}/net/udp", application.id()));
    application.until("resolving", || resolving().is_ok_and(|sockets| sockets.contains(":0035 "))).await;
    sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    assert_eq!(application.stop("INT").await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(application.stderr(), "");
}
