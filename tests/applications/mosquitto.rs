//! `application` and a real broker, Debian's Mosquitto, which the test starts and stops.

use std::time::{Duration, Instant};

use test_support::mosquitto::{config, free_port};
use tokio::time::sleep;

use crate::application::{CLIENT_ID, TOPIC, errors, start};
use crate::gateway::certificates::Authority;
use crate::program::Program;
use crate::running::{Running, example};

#[tokio::test]
#[ignore = "needs mosquitto"]
async fn a_topic_that_may_only_be_read_is_explained_once() {
    let authority = Authority::new("A test authority");
    let [certificate, key] = authority.server_pem();
    let broker = Program::at("/usr/sbin/mosquitto").file("server.pem", &certificate).file("server.key", &key);
    let broker = broker.file("ca.pem", &authority.pem()).file("acl", &format!("topic read {TOPIC}\n"));
    let (port, home) = (free_port(), broker.home("").display().to_string());
    let certificate = format!("certfile {home}server.pem\nkeyfile {home}server.key\n");
    let config = config(port, "stderr", &format!("acl_file {home}acl\n"), &certificate);
    let (config_file, ca_file) = (broker.home("mosquitto.conf"), broker.home("ca.pem"));
    let broker = broker.file("mosquitto.conf", &config);
    let broker = Running::start(broker.args(["-c", config_file.to_str().expect("a path in UTF-8")]));
    broker.until("running", || broker.stderr().contains(" running")).await;

    let application = start(example("application"), &format!("localhost:{port}"), &ca_file);
    application.says("subscribed", 1).await;
    let subscribed = Instant::now();
    let refused = format!("error: the server refused the message to {TOPIC:?}: Not authorized (0x87)");
    application.until("explained", || application.stderr().contains(&refused)).await;
    assert!(subscribed.elapsed() < Duration::from_secs(1), "{:?}", subscribed.elapsed());

    let denied = format!("Denied PUBLISH from {CLIENT_ID}");
    broker.until("asked again", || broker.stderr().matches(&denied).count() >= 2).await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(errors(&application.stderr()), 1, "{}", application.stderr());
}
