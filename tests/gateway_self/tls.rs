//! The certificates and TLS versions that a gateway can use.

use crate::client::open_tls;
use crate::gateway::{Certificate, Event, Gateway, Script};
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn each_bad_certificate_is_bad_in_its_own_way() {
    let table = [
        (Certificate::UnknownIssuer, "UnknownIssuer"),
        (Certificate::Expired, "certificate expired"),
        (Certificate::NotYetValid, "certificate not valid yet"),
        (Certificate::WrongName, "not valid for name \"localhost\""),
    ];
    let script = |certificate| Script { certificate, ..Script::default() };
    let scripts = table.iter().map(|(certificate, _)| script(*certificate)).collect();
    let gateway = Gateway::start_with(scripts).await;
    for (certificate, reason) in table {
        let error = open_tls(&gateway).await.expect_err(reason).to_string();
        assert!(error.contains(reason), "{certificate:?}: {error}");
    }
    gateway.finished(4).await;
    for events in gateway.connections() {
        assert!(matches!(events[..], [Event::Accepted, Event::TlsFailed(_)]), "{events:?}");
    }
}

#[tokio::test]
async fn tls_1_2_can_be_all_there_is() {
    let gateway = Gateway::start(Script { tls12_only: true, ..Script::default() }).await;
    let mut tls = open_tls(&gateway).await.expect("TLS");
    let version = tls.get_ref().1.protocol_version();
    assert_eq!(version, Some(rustls::ProtocolVersion::TLSv1_2));
    tls.shutdown().await.expect("close_notify and FIN");
    gateway.finished(1).await;
    assert_eq!(gateway.connections()[0][2..], [Event::CloseNotify, Event::Fin]);
}
