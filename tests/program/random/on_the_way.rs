//! Random answers of a proxy and of credential services, on the way to an honest gateway.

use std::io::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::TcpStream;

use super::edit::{Edit, edited, edits};
use super::{await_end, run, survives};
use crate::connect_proxy::ConnectProxy;
use crate::credentials::setup::{gateway_knowing, program, signers};
use crate::credentials::source::Source;
use crate::gateway::Gateway;
use crate::gateway::listener::Listener;
use crate::program::Program;

const PASSWORD: &str = "pAsSwOrDoFtHePrOxY0123456789";

#[test]
fn random_answers_of_a_proxy_are_survived() {
    let answers = [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.1 200 OK\r\nvia: 1.1 squid\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 2\r\n\r\nNo",
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nNo.\n",
        "HTTP/1.1 503 Busy\r\nconnection: close\r\n\r\n",
    ];
    survives("proxy", 20, (select(answers.to_vec()), edits()), async |(answer, edits)| {
        let answer = edited(&edits, answer.into());
        let opens = answer.starts_with(b"HTTP/1.1 2");
        let gateway = gateway_knowing([Source::Flags.key()]).await;
        let (endpoint, port) = (gateway.endpoint(), gateway.port());
        let routes = if opens { vec![(endpoint.as_str(), port)] } else { Vec::new() };
        let proxy = ConnectProxy::answering(answer, &routes).await;
        let (program, _none) = Source::Flags.provide(program(&gateway)).await;
        let program = program.args(["--proxy", &proxy.url(&format!("user:{PASSWORD}@"))]);
        survive(program, &gateway, Source::Flags, &[0, 4, 5, 6, 8], opens && edits.is_empty()).await
    });
}

/// A relay between the program and each honest service edits the answers, of instance metadata perhaps only the later
/// ones.
#[test]
fn random_answers_of_credential_services_are_survived() {
    let sources = [
        Source::Role,
        Source::WebIdentity,
        Source::SignIn,
        Source::Renewal,
        Source::LoginRenewal,
        Source::Container,
        Source::Metadata,
    ];
    survives("credential services", 20, (select(sources.to_vec()), 0..3_usize, edits()), async |case| {
        let (source, from, edits) = case;
        let from = if source == Source::Metadata { from } else { 0 };
        let gateway = gateway_knowing([source.key()]).await;
        let (program, service) = source.provide(program(&gateway)).await;
        let service = service.expect("a source with a service");
        let (port, edits, turn) = (service.port(), Arc::new(edits), AtomicUsize::new(0));
        let honest = edits.is_empty();
        let relay = Listener::start(move |client| {
            let edited = turn.fetch_add(1, Ordering::Relaxed) >= from;
            // The client may end the connection at any time.
            pass_on(client, port, if edited { edits.clone() } else { Arc::default() }).map(drop)
        });
        let relay = relay.await;
        let program = program.redirected(port, relay.port);
        survive(program, &gateway, source, &[0, 3, 6, 8], honest).await
    });
}

async fn pass_on(mut client: TcpStream, service: u16, edits: Arc<Vec<Edit>>) -> Result<()> {
    let mut service = TcpStream::connect(("127.0.0.1", service)).await?;
    let (mut answers, mut questions) = service.split();
    let mut answer = Vec::new();
    tokio::select! {
        read = answers.read_to_end(&mut answer) => read?,
        _ = copy(&mut client, &mut questions) => return Ok(()),
    };
    client.write_all(&edited(&edits, answer)).await?;
    await_end(client).await
}

/// Runs the program, which may end with one of these codes. A success means that the gateway got the key of this
/// source, and behind an honest peer there is one.
async fn survive(
    program: Program,
    gateway: &Gateway,
    source: Source,
    codes: &[i32],
    honest: bool,
) -> TestCaseResult {
    let secrets = source.secrets().into_iter().map(|(_, secret)| secret);
    let outcome = run(program, codes, || secrets.chain([PASSWORD.to_owned()]).collect()).await?;
    let signed = signers(gateway) == [(source.key().access_key, source.key().session_token)];
    prop_assert!(outcome.code != 0 || signed, "a success that was none: {:#?}", outcome);
    prop_assert!(outcome.code == 0 || !honest, "an honest peer, but {:#?}", outcome);
    Ok(())
}
