//! Of two sources that are available, the earlier one is used and the later one is not asked.

use crate::credentials::setup::{assert_connects, assert_says, failure, gateway_knowing, program};
use crate::credentials::source::Source;

const ORDER: [Source; 6] = [
    Source::Flags,
    Source::Environment,
    Source::Profile,
    Source::WebIdentity,
    Source::Container,
    Source::Metadata,
];

#[tokio::test]
async fn of_two_sources_the_earlier_one_wins() {
    for (nth, earlier) in ORDER.into_iter().enumerate() {
        for later in &ORDER[nth + 1..] {
            let gateway = gateway_knowing([earlier.key(), later.key()]).await;
            let (program, _first) = earlier.provide(program(&gateway)).await;
            let (program, unasked) = later.provide(program).await;
            let source = earlier.name();
            assert_connects(program, &gateway, &earlier.key(), source).await;
            let asked = unasked.map(|stand_in| stand_in.asked().len());
            assert_eq!(asked.unwrap_or_default(), 0, "{source} before {}", later.name());
        }
    }
}

#[tokio::test]
async fn with_every_source_available_the_flags_win() {
    let gateway = gateway_knowing(ORDER.map(Source::key)).await;
    let (mut program, mut stand_ins) = (program(&gateway), Vec::new());
    for source in ORDER {
        let (with, stand_in) = source.provide(program).await;
        program = with;
        stand_ins.push(stand_in);
    }
    assert_connects(program, &gateway, &Source::Flags.key(), "command line").await;
}

#[tokio::test]
async fn a_source_that_fails_ends_the_search() {
    let gateway = gateway_knowing([Source::Metadata.key()]).await;
    let refused = Source::Container.refuse(program(&gateway)).await;
    let (program, _container) = refused.expect("a container can refuse");
    let (program, metadata) = Source::Metadata.provide(program).await;
    let outcome = failure(program).await;
    assert_says(&outcome, &["error: the container does not provide credentials"]);
    let asked = metadata.map(|stand_in| stand_in.asked().len());
    assert_eq!(asked, Some(0), "other credentials than were asked for must not be used");
}
