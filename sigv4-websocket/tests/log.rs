//! The log of the crate. This is a test program of its own, since `tracing` remembers for the whole process which
//! events somebody wants.

use sigv4_websocket::{Connector, Credentials};
use test_support::gateway::{Gateway, REGION, SESSION_TOKEN, Script, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET};
use tracing_subscriber::prelude::*;

#[tokio::test]
async fn neither_the_log_nor_debug_output_shows_a_secret() {
    let gateway = Gateway::start(Script::default()).await;
    let log = tempfile::NamedTempFile::new().expect("a file for the log");
    let layer = tracing_subscriber::fmt::layer().with_writer(log.reopen().expect("the file"));
    let _until_dropped = tracing_subscriber::registry().with(layer).set_default();
    let settings = || {
        let token = Some(SESSION_TOKEN.to_owned());
        let keys = Credentials::new(TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET, token, None, "test");
        let endpoint = gateway.endpoint().parse().expect("an endpoint");
        Connector::builder(endpoint).region(REGION).ca_file(gateway.ca_file()).credentials(keys)
    };
    let through_proxy = settings().proxy("http://user:PASSW0RD@127.0.0.1:9");
    let mut shown = format!("{through_proxy:?}");
    let connector = through_proxy.build().expect("a connector");
    shown += &format!("{connector:?}");
    shown += &format!("{:?}", connector.open().await.expect_err("a proxy that is not there"));
    let connector = settings().build().expect("a connector");
    shown += &format!("{:?}", connector.open().await.expect("a stream"));
    shown += &std::fs::read_to_string(log.path()).expect("the log");
    assert!(shown.contains("phase: WebSocket") && shown.contains("presigned with Algorithm="), "{shown}");
    for secret in
        [TEMPORARY_SECRET, SESSION_TOKEN, "IQoJb3Jp", "PASSW0RD", "X-Amz-Signature", "X-Amz-Security-Token"]
    {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
