//! The README's transcripts are what the program prints today.

use crate::gateway::{
    ACCESS_KEY, Act, Gateway, REGION, SECRET, Script, Stage, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET,
};
use crate::program::Program;

const KEYS: [&str; 4] = ["--access-key", ACCESS_KEY, "--secret", SECRET];

/// What the program prints, as a terminal shows it: stdout, then stderr.
async fn printed(script: Script, args: &[&str]) -> Vec<String> {
    let gateway = Gateway::start(script).await;
    let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION);
    let outcome = program.args(args.iter().copied()).run().await;
    (outcome.stdout + &outcome.stderr).lines().map(blanked).collect()
}

/// The lines of that transcript in the README which contains `mark`.
fn transcript(mark: &str) -> Vec<String> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let found: Vec<_> = blocks.filter(|block| block.contains(mark)).collect();
    let [block] = found[..] else { panic!("{} transcripts hold {mark:?}", found.len()) };
    block.lines().map(blanked).collect()
}

/// The line without what differs from run to run: identifiers, numbers, and the spaces that align them.
fn blanked(line: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.split('-').count() == 5;
    let blank = |word: &str| {
        let id = word.len().checked_sub(36).filter(|at| word.get(*at..).is_some_and(is_id));
        let word = id.map_or(word.to_owned(), |at| format!("{}<id>", &word[..at]));
        let parts = word.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("#")
    };
    // Identifiers may stand before a comma, a quote or a bracket.
    let words = line.split_inclusive([' ', ',', '"', '/', '}']).map(|word| {
        let bare = word.trim_end_matches([' ', ',', '"', '/', '}']);
        blank(bare) + &word[bare.len()..]
    });
    words.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_success() {
    assert_eq!(printed(Script::default(), &KEYS).await, transcript("Sample complete."));
}

#[tokio::test]
async fn a_refused_upgrade() {
    let keys = ["--access-key", TEMPORARY_ACCESS_KEY, "--secret", TEMPORARY_SECRET];
    assert_eq!(printed(Script::default(), &keys).await, transcript("refused the upgrade"));
}

#[tokio::test]
async fn a_hang_up() {
    let script = Script::fault(Stage::Connect, [Act::Fin]);
    assert_eq!(printed(script, &KEYS).await, transcript("hung up after CONNECT"));
}

/// The README leaves out some lines, and the time and the level of the others.
#[tokio::test]
async fn a_log() {
    let log = printed(Script::default(), &[&KEYS[..], &["--log-level", "debug"]].concat()).await;
    let mut lines = log.iter();
    for line in transcript("TLSv1_3 with") {
        assert!(lines.any(|logged| logged.ends_with(&line)), "no line {line:?} here in {log:#?}");
    }
}
