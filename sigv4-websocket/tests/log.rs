//! The log of the crate. This is a test program of its own, since `tracing` remembers for the whole process which events
//! somebody wants.

use std::io::Write;
use std::sync::{Arc, Mutex};

use sigv4_websocket::{Connector, Credentials};
use test_support::gateway::{Gateway, REGION, SESSION_TOKEN, Script, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET};
use tracing_subscriber::prelude::*;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn neither_the_log_nor_debug_output_shows_a_secret() {
    let gateway = Gateway::start(Script::default()).await;
    let captured = Captured::default();
    let writer = captured.clone();
    let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
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
    shown += &String::from_utf8_lossy(&captured.0.lock().expect("no panic"));
    assert!(shown.contains("phase: WebSocket") && shown.contains("presigned with Algorithm="), "{shown}");
    for secret in
        [TEMPORARY_SECRET, SESSION_TOKEN, "IQoJb3Jp", "PASSW0RD", "X-Amz-Signature", "X-Amz-Security-Token"]
    {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}
