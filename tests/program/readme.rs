//! What the README and the page about failures say is true: their transcripts are what the program prints today, and
//! the messages in their tables are those of the code.

use std::fs;
use std::path::Path;

use sigv4_websocket::{Failure, ReasonCode};

use crate::gateway::{ACCESS_KEY, Gateway, REGION, SECRET, Script, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET};
use crate::program::Program;

const README: &str = include_str!("../../README.md");
const TROUBLESHOOTING: &str = include_str!("../../docs/troubleshooting.md");

const KEYS: [&str; 4] = ["--access-key", ACCESS_KEY, "--secret", SECRET];

/// What the program prints, as a terminal shows it: stdout, then stderr.
async fn printed(args: &[&str]) -> Vec<String> {
    let gateway = Gateway::start(Script::default()).await;
    let program = Program::against(&gateway.endpoint(), gateway.ca_file(), REGION);
    let outcome = program.args(args.iter().copied()).run().await;
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 80), "{outcome:#?}");
    (outcome.stdout + &outcome.stderr).lines().map(blanked).collect()
}

/// The lines of that transcript on the page which contains `mark`.
fn transcript(page: &str, mark: &str) -> Vec<String> {
    let blocks = page.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next());
    let found: Vec<_> = blocks.filter(|block| block.contains(mark)).collect();
    let [block] = found[..] else { panic!("{} transcripts hold {mark:?}", found.len()) };
    block.lines().map(blanked).collect()
}

/// The line without what differs from run to run: identifiers, numbers, and the spaces that align them.
fn blanked(line: &str) -> String {
    let blank = |word: &str| match word.matches('-').count() {
        4.. => "<id>".to_owned(),
        _ => word.replace(|c: char| c.is_ascii_digit(), ""),
    };
    line.split_whitespace().map(blank).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_success_and_a_refused_upgrade() {
    assert_eq!(printed(&KEYS).await, transcript(README, "Sample complete."));
    let keys = ["--access-key", TEMPORARY_ACCESS_KEY, "--secret", TEMPORARY_SECRET];
    assert_eq!(printed(&keys).await, transcript(README, "refused the upgrade"));
}

/// The page leaves out some lines, and the time and the level of the others.
#[tokio::test]
async fn a_log() {
    let log = printed(&[&KEYS[..], &["--log-level", "debug"]].concat()).await;
    let mut lines = log.iter();
    for line in transcript(TROUBLESHOOTING, "TLSv1_3") {
        assert!(lines.any(|logged| logged.ends_with(&line)), "no line {line:?} here in {log:#?}");
    }
    let log = log.join("\n");
    for text in ["X-Amz-Signature", SECRET, "after closing", "WARN", "ERROR"] {
        assert!(!log.contains(text), "{text}: {log}");
    }
}

/// The section of a page with this heading.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect("the heading");
    rest.split("\n## ").next().unwrap_or(rest)
}

/// The source code of the program and the crate, with the names of all reason codes.
fn source_code() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("sigv4-websocket/src")];
    let mut code = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            match entry.path() {
                folder if folder.is_dir() => folders.push(folder),
                file => code += &fs::read_to_string(file).expect("source code"),
            }
        }
    }
    let names: String = (0..=u8::MAX).map(|code| ReasonCode::from(code).to_string() + "\n").collect();
    // A backslash continues a string on the next line.
    let pieces: Vec<_> = code.split("\\\n").map(str::trim_start).collect();
    pieces.concat() + &names
}

/// The first column of the tables quotes the program, with an ellipsis for what differs.
#[test]
fn the_messages_in_the_tables_are_those_of_the_code() {
    let code = source_code();
    let tables = [section(README, "When it fails"), TROUBLESHOOTING].concat();
    let cells = tables.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let quotes: Vec<_> = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert!(quotes.len() > 80, "{quotes:#?}");
    let unknown = |quote: &&&str| !quote.split('…').all(|part| code.contains(part));
    assert_eq!(quotes.iter().filter(unknown).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn the_reason_codes_that_are_tried_again_are_those_of_the_code() {
    let text = section(TROUBLESHOOTING, "What is tried again");
    let listed: Vec<u8> =
        text.split("0x").skip(1).map(|rest| u8::from_str_radix(&rest[..2], 16).expect("a code")).collect();
    let again = |code: &u8| {
        Failure::publish_refused("topic", (*code).into(), None)
            .is_some_and(|failure| failure.retry_after().is_some())
    };
    assert_eq!(listed, (0..=u8::MAX).filter(again).collect::<Vec<_>>());
}

/// The crate's own page is compiled as a test.
#[test]
fn the_code_in_the_readme_is_that_of_the_crates_own_page() {
    let block = |page: &'static str, start: &str| {
        let (_, rest) = page.split_once(start).expect("a block of code");
        rest.split("```").next().unwrap_or(rest)
    };
    let page = block(include_str!("../../sigv4-websocket/README.md"), "```rust,no_run\n");
    let indented: String = block(README, "```rust\n").lines().map(|line| format!("    {line}\n")).collect();
    assert!(page.contains(&indented), "{indented}");
}
