//! A row of the fault matrix: a good run, and what goes wrong in this one.

use std::collections::BTreeMap;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::gateway::{
    Act, Event, Gateway, REGION, SESSION_TOKEN, Script, Stage, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET,
};
use crate::program::{Outcome, Program};

/// A run of the debug build takes 20 MiB, whatever the server does.
const MEMORY_LIMIT_KIB: u64 = 32 * 1024;

/// What only a `{:?}` or a panic writes.
const DUMPS: [&str; 10] =
    ["panicked", "RUST_BACKTRACE", "Some(", "Ok(", "Err(", "Error(", "Error {", "Os {", "kind: ", " { "];

/// Of what servers send here: ends of lines, an escape, and characters that hide text or turn it around.
const DISTURBING: [&str; 4] = ["\r", "\u{1B}", "\u{202E}", "\u{200B}"];

pub struct Row {
    pub name: &'static str,
    code: i32,
    says: Vec<&'static str>,
    scripts: Vec<Script>,
    flags: BTreeMap<&'static str, String>,
    warnings: Option<Vec<&'static str>>,
    within: Duration,
}

/// A run that ends with this exit code, and says all of these texts on stderr. Unless the row says more, the server is
/// an honest gateway, the keys are temporary ones with their token, there is one attempt, and the run ends within ten
/// seconds, long before the deadline of thirty.
pub fn row<const N: usize>(name: &'static str, code: i32, says: [&'static str; N]) -> Row {
    let flags = [
        ("--region", REGION),
        ("--client-id", "sensor-7"),
        ("--access-key", TEMPORARY_ACCESS_KEY),
        ("--secret", TEMPORARY_SECRET),
        ("--session-token", SESSION_TOKEN),
    ];
    Row {
        name,
        code,
        says: says.to_vec(),
        scripts: vec![Script::default()],
        flags: flags.map(|(flag, value)| (flag, value.to_owned())).into(),
        warnings: Some(Vec::new()),
        within: Duration::from_secs(10),
    }
}

impl Row {
    /// The gateway misbehaves at this stage of every connection.
    pub fn at(self, stage: Stage, acts: impl Into<Vec<Act>>) -> Self {
        self.scripts([Script::fault(stage, acts)])
    }

    /// The nth connection follows the nth script; all further ones follow the last.
    pub fn scripts(self, scripts: impl Into<Vec<Script>>) -> Self {
        Self { scripts: scripts.into(), ..self }
    }

    /// Sets a flag, or replaces the value that it has in a good run.
    pub fn flag(mut self, flag: &'static str, value: impl Into<String>) -> Self {
        self.flags.insert(flag, value.into());
        self
    }

    /// After each warning there is another attempt, and the nth warning contains the nth text.
    pub fn warns<const N: usize>(self, texts: [&'static str; N]) -> Self {
        Self { warnings: Some(texts.to_vec()), ..self }
    }

    /// The number of attempts cannot be predicted.
    pub fn any_attempts(self) -> Self {
        Self { warnings: None, ..self }
    }

    /// The limit from start to exit, with extra time for a busy machine.
    pub fn within(self, seconds: u64) -> Self {
        Self { within: Duration::from_secs(seconds), ..self }
    }

    /// Runs the program. Whatever the row says, there is no panic, no Debug dump, no secret, nothing that disturbs a
    /// terminal or forges a line, and little memory.
    pub async fn check(mut self) {
        let gateway = Gateway::start_with(self.scripts).await;
        let elsewhere = self.flags.contains_key("--endpoint");
        self.flags.entry("--endpoint").or_insert_with(|| gateway.endpoint());
        self.flags.insert("--ca-file", gateway.ca_file().display().to_string());
        let flags = self.flags.iter().flat_map(|(flag, value)| [*flag, value]);
        let outcome = Program::new().args(flags).run().await;
        let connections = gateway.connections();
        let Outcome { code, stdout, stderr, elapsed, peak_memory_kib } = &outcome;
        let shown = format!("{}: {outcome:#?}\nconnections: {connections:?}", self.name);
        assert_eq!(*code, self.code, "{shown}");
        assert!(*elapsed <= self.within, "not within {:?}: {shown}", self.within);
        assert!(*peak_memory_kib < MEMORY_LIMIT_KIB, "too much memory: {shown}");
        for text in self.says {
            assert!(stderr.contains(text), "does not say {text:?}: {shown}");
        }
        let warnings: Vec<_> = stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        if let Some(texts) = self.warnings {
            let fit = warnings.iter().zip(&texts).all(|(warning, text)| warning.contains(text));
            assert!(fit && warnings.len() == texts.len(), "the warnings are not {texts:?}: {shown}");
            assert_eq!(connections.len(), if elsewhere { 0 } else { texts.len() + 1 }, "{shown}");
        }
        let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, usize::from(self.code != 0), "{shown}");
        assert_eq!(stdout.lines().last() == Some("Sample complete."), self.code == 0, "{shown}");
        let signatures = connections.iter().flatten().filter_map(|event| match event {
            Event::Request(request) => request.target.split("X-Amz-Signature=").nth(1)?.get(..64),
            _ => None,
        });
        let token = utf8_percent_encode(SESSION_TOKEN, NON_ALPHANUMERIC).to_string();
        let secrets = [&self.flags["--secret"], SESSION_TOKEN, &token, "X-Amz-Signature"];
        // Logs may hold dumps, because their readers can read them.
        let dumps = if self.flags.contains_key("--log-level") { &[][..] } else { &DUMPS };
        for text in secrets.iter().chain(dumps).chain(&DISTURBING).copied().chain(signatures) {
            assert!(!stdout.contains(text) && !stderr.contains(text), "says {text:?}: {shown}");
        }
    }
}
