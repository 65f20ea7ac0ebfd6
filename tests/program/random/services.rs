//! Random credential services: a relay between the program and each honest service edits the answers.

use std::io::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::TcpStream;

use super::edit::{Edit, Ending, edited, edits, ending};
use super::{SLOW_CASES, run, survives};
use crate::credentials::setup::{gateway_knowing, program, signers};
use crate::credentials::source::Source;
use crate::gateway::listener::Listener;

#[derive(Debug, Clone)]
struct Spoilt {
    source: Source,
    /// The index of the first answer that is edited. All later ones are edited too.
    from: usize,
    edits: Vec<Edit>,
    ending: Ending,
}

fn spoilt(sources: &[Source]) -> impl Strategy<Value = Spoilt> {
    let from = if sources == [Source::Metadata] { 0..3_usize } else { 0..1 };
    (select(sources.to_vec()), from, edits(), ending()).prop_map(|(source, from, edits, ending)| Spoilt {
        source,
        from,
        edits,
        ending,
    })
}

#[test]
fn random_answers_of_sts_are_survived() {
    survives("STS", SLOW_CASES, spoilt(&[Source::Role, Source::WebIdentity]), survive);
}

#[test]
fn random_answers_of_sign_in_services_are_survived() {
    survives(
        "sign-in",
        SLOW_CASES,
        spoilt(&[Source::SignIn, Source::Renewal, Source::LoginRenewal]),
        survive,
    );
}

#[test]
fn random_answers_of_a_container_are_survived() {
    survives("container", SLOW_CASES, spoilt(&[Source::Container]), survive);
}

#[test]
fn random_answers_of_instance_metadata_are_survived() {
    survives("instance metadata", SLOW_CASES, spoilt(&[Source::Metadata]), survive);
}

async fn survive(spoilt: Spoilt) -> TestCaseResult {
    let source = spoilt.source;
    let honest = spoilt.edits.is_empty() && spoilt.ending == Ending::Fin;
    let gateway = gateway_knowing([source.key()]).await;
    let (program, service) = source.provide(program(&gateway)).await;
    let service = service.expect("a source with a service");
    let spoiler = spoiler(service.port(), spoilt).await;
    let secrets: Vec<_> = source.secrets().into_iter().map(|(_, secret)| secret).collect();
    let outcome = run(program.redirected(service.port(), spoiler.port), &[0, 3, 6, 8], &secrets).await?;
    let signed = signers(&gateway) == [(source.key().access_key, source.key().session_token)];
    prop_assert!(outcome.code != 0 || signed, "a success that was none: {:#?}", outcome);
    prop_assert!(outcome.code == 0 || !honest, "an honest service, but {:#?}", outcome);
    Ok(())
}

async fn spoiler(service: u16, spoilt: Spoilt) -> Listener {
    let (spoilt, turn) = (Arc::new(spoilt), AtomicUsize::new(0));
    Listener::start(move |tcp| {
        let (spoilt, nth) = (spoilt.clone(), turn.fetch_add(1, Ordering::Relaxed));
        async move {
            // The client may end the connection at any time.
            let _ = pass_on(tcp, service, &spoilt, nth).await;
        }
    })
    .await
}

async fn pass_on(mut client: TcpStream, service: u16, spoilt: &Spoilt, nth: usize) -> Result<()> {
    let mut service = TcpStream::connect(("127.0.0.1", service)).await?;
    let (mut answers, mut questions) = service.split();
    let mut answer = Vec::new();
    tokio::select! {
        read = answers.read_to_end(&mut answer) => read?,
        _ = copy(&mut client, &mut questions) => return Ok(()),
    };
    if nth < spoilt.from {
        client.write_all(&answer).await?;
        return Ending::Fin.perform(client).await;
    }
    client.write_all(&edited(&spoilt.edits, answer)).await?;
    spoilt.ending.perform(client).await
}
