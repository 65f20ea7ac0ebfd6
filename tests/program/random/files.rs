//! Random profile files.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseResult;

use super::edit::{Edit, edited, edits};
use super::{CASES, run, survives};
use crate::credentials::setup::{gateway_knowing, program, signers};
use crate::credentials::source::Source;

/// A valid file in the home folder, and the edits to it.
type Spoilt = (Source, &'static str, Vec<Edit>);

fn spoilt() -> impl Strategy<Value = Spoilt> {
    let files = [
        (Source::Profile, ".aws/credentials"),
        (Source::Role, ".aws/config"),
        (Source::Role, ".aws/credentials"),
        (Source::SignIn, ".aws/config"),
        (Source::Login, ".aws/config"),
        (Source::Process, "keys.json"),
    ];
    (select(files.to_vec()), edits()).prop_map(|((source, file), edits)| (source, file, edits))
}

#[test]
fn random_profile_files_are_survived() {
    survives("profile files", CASES, spoilt(), survive);
}

async fn survive((source, file, edits): Spoilt) -> TestCaseResult {
    let gateway = gateway_knowing([source.key()]).await;
    let (program, _service) = source.provide(program(&gateway)).await;
    let good = std::fs::read(program.home(file)).expect("a file of the source");
    let secrets: Vec<_> = source.secrets().into_iter().map(|(_, secret)| secret).collect();
    let outcome = run(program.file(file, &edited(&edits, good)), &[0, 3, 6, 8], &secrets).await?;
    let signed = signers(&gateway) == [(source.key().access_key, source.key().session_token)];
    prop_assert!(outcome.code != 0 || signed, "a success that was none: {:#?}", outcome);
    prop_assert!(outcome.code == 0 || !edits.is_empty(), "an honest file, but {:#?}", outcome);
    Ok(())
}
