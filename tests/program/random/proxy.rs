//! Random answers of a proxy to CONNECT.

use std::io::Result;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use super::edit::{Edit, Ending, edited, edits, ending, read_head};
use super::judge::opens;
use super::{CASES, run, survives};
use crate::credentials::setup::{gateway_knowing, program, signers};
use crate::credentials::source::Source;
use crate::gateway::listener::Listener;

const PASSWORD: &str = "pAsSwOrDoFtHePrOxY0123456789";

#[derive(Debug, Clone)]
struct Answer {
    head: String,
    edits: Vec<Edit>,
    /// How the connection ends; `None` if it becomes a tunnel.
    ending: Option<Ending>,
}

fn answer() -> impl Strategy<Value = Answer> {
    let heads = [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.1 200 OK\r\nvia: 1.1 squid\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 2\r\n\r\nNo",
        "HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nNo.\n",
        "HTTP/1.1 503 Busy\r\nconnection: close\r\n\r\n",
    ];
    let ending = prop_oneof![3 => Just(None), 1 => ending().prop_map(Some)];
    (select(heads.to_vec()), edits(), ending).prop_map(|(head, edits, ending)| Answer {
        head: head.to_owned(),
        edits,
        ending,
    })
}

#[test]
fn random_answers_of_a_proxy_are_survived() {
    survives("proxy", CASES, answer(), survive);
}

async fn survive(answer: Answer) -> TestCaseResult {
    let source = Source::Flags;
    let gateway = gateway_knowing([source.key()]).await;
    let (program, _none) = source.provide(program(&gateway)).await;
    let bytes = edited(&answer.edits, answer.head.clone().into_bytes());
    let opened = opens(&bytes) && answer.ending.is_none();
    let honest = answer.edits.is_empty() && opened;
    let port = gateway.port();
    let proxy = Listener::start(move |client| {
        let (bytes, ending) = (bytes.clone(), answer.ending);
        async move {
            // The client may end the connection at any time.
            let _ = connect(client, &bytes, ending, port).await;
        }
    });
    let proxy = proxy.await;
    let url = format!("http://user:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let secrets = source.secrets().into_iter().map(|(_, secret)| secret);
    let secrets: Vec<_> = secrets.chain([PASSWORD.to_owned()]).collect();
    let outcome = run(program.args(["--proxy", &url]), &[0, 4, 5, 6, 8], &secrets).await?;
    let signed = signers(&gateway) == [(source.key().access_key, source.key().session_token)];
    prop_assert!(outcome.code != 0 || opened && signed, "a success that was none: {:#?}", outcome);
    prop_assert!(outcome.code == 0 || !honest, "an honest proxy, but {:#?}", outcome);
    Ok(())
}

async fn connect(mut client: TcpStream, answer: &[u8], ending: Option<Ending>, port: u16) -> Result<()> {
    if read_head(&mut client).await?.is_none() {
        return Ok(());
    }
    client.write_all(answer).await?;
    if let Some(ending) = ending {
        return ending.perform(client).await;
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
