//! A row of the fault matrix: a good run, and what goes wrong in this one.
//!
//! Unless a row says otherwise, the server is an honest gateway that gets one connection, the keys are
//! temporary ones with their token, there are no warnings, and the run ends within ten seconds, long before
//! the deadline of thirty.

use std::time::Duration;

use crate::gateway::{Act, REGION, SESSION_TOKEN, Script, Stage, TEMPORARY_ACCESS_KEY, TEMPORARY_SECRET};

pub const CLIENT_ID: &str = "sensor-7";

/// Who is at the endpoint.
pub enum Server {
    /// The nth connection follows the nth script; all further ones follow the last.
    Gateway(Vec<Script>),
    /// Nobody: the port is closed.
    Nobody,
    /// A server that does not even answer the TCP handshake.
    #[cfg(target_os = "linux")]
    Deaf,
}

/// In texts, `{endpoint}`, `{port}`, `{ca}` (the file to trust) and `{home}` stand for those of the run.
pub struct Row {
    pub name: &'static str,
    pub server: Server,
    pub flags: Vec<(&'static str, String)>,
    pub environment: Vec<(&'static str, &'static str)>,
    pub files: Vec<(&'static str, &'static str)>,
    pub code: i32,
    pub says: Vec<&'static str>,
    pub never_says: Vec<&'static str>,
    /// `None` if their number cannot be predicted.
    pub warnings: Option<Vec<&'static str>>,
    /// `None` if the number of connections cannot be predicted.
    pub connections: Option<usize>,
    pub within: Duration,
}

/// A good run under this name.
pub fn row(name: &'static str) -> Row {
    let flags = [
        ("--endpoint", "{endpoint}"),
        ("--region", REGION),
        ("--ca-file", "{ca}"),
        ("--client-id", CLIENT_ID),
        ("--access-key", TEMPORARY_ACCESS_KEY),
        ("--secret", TEMPORARY_SECRET),
        ("--session-token", SESSION_TOKEN),
    ];
    Row {
        name,
        server: Server::Gateway(vec![Script::default()]),
        flags: flags.map(|(flag, value)| (flag, value.to_owned())).to_vec(),
        environment: Vec::new(),
        files: Vec::new(),
        code: 0,
        says: Vec::new(),
        never_says: Vec::new(),
        warnings: Some(Vec::new()),
        connections: Some(1),
        within: Duration::from_secs(10),
    }
}

impl Row {
    /// The gateway misbehaves at this stage of every connection.
    pub fn at(self, stage: Stage, acts: impl Into<Vec<Act>>) -> Self {
        self.scripts([Script::fault(stage, acts)])
    }

    /// The gateway sends these bytes in place of what is due at this stage, then hangs up.
    pub fn sends(self, stage: Stage, bytes: impl Into<Vec<u8>>) -> Self {
        self.at(stage, [Act::Send(bytes.into())])
    }

    pub fn scripts(self, scripts: impl Into<Vec<Script>>) -> Self {
        self.server(Server::Gateway(scripts.into()))
    }

    pub fn server(self, server: Server) -> Self {
        Self { server, ..self }
    }

    /// Sets a flag, or replaces its value if the good run has it.
    pub fn flag(mut self, flag: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        match self.flags.iter_mut().find(|(there, _)| *there == flag) {
            Some((_, there)) => *there = value,
            None => self.flags.push((flag, value)),
        }
        self
    }

    pub fn without(mut self, flags: &[&str]) -> Self {
        self.flags.retain(|(flag, _)| !flags.contains(flag));
        self
    }

    pub fn environment(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// A file in the program's home.
    pub fn file(mut self, path: &'static str, content: &'static str) -> Self {
        self.files.push((path, content));
        self
    }

    pub fn exits(self, code: i32) -> Self {
        Self { code, ..self }
    }

    /// stderr contains all of these texts.
    pub fn says<const N: usize>(mut self, texts: [&'static str; N]) -> Self {
        self.says.extend(texts);
        self
    }

    /// stderr contains none of these texts.
    pub fn never_says<const N: usize>(mut self, texts: [&'static str; N]) -> Self {
        self.never_says.extend(texts);
        self
    }

    /// There are exactly as many warnings, and the nth contains the nth text.
    pub fn warns<const N: usize>(self, texts: [&'static str; N]) -> Self {
        Self { warnings: Some(texts.to_vec()), ..self }
    }

    /// How many connections the gateway sees.
    pub fn connections(self, count: usize) -> Self {
        Self { connections: Some(count), ..self }
    }

    /// The number of attempts cannot be predicted, so connections and warnings are not counted.
    pub fn any_attempts(self) -> Self {
        Self { warnings: None, connections: None, ..self }
    }

    #[cfg(target_os = "linux")]
    pub fn any_connections(self) -> Self {
        Self { connections: None, ..self }
    }

    /// The limit from start to exit, with extra time for a busy machine.
    pub fn within(self, seconds: u64) -> Self {
        Self { within: Duration::from_secs(seconds), ..self }
    }
}
