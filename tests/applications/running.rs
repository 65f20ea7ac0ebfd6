//! A running example, observed through its output.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::program::{Program, built};

/// Longer than anything here may take.
const LIMIT: Duration = Duration::from_secs(100);

/// Where Cargo puts the examples. They are built here, since `cargo test --test applications` does not.
static EXAMPLES: LazyLock<PathBuf> = LazyLock::new(|| {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--examples"]);
    // Cargo sets these variables for a test, and would build ring again because of them.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].into_iter().any(|set| name.to_string_lossy().starts_with(set)) {
            cargo.env_remove(name);
        }
    }
    assert!(cargo.status().expect("cargo starts").success(), "the examples do not build");
    built("examples")
});

/// The example of this name, in the environment of the program's tests.
pub fn example(name: &str) -> Program {
    Program::at(path(name))
}

/// Where the example of this name is.
pub fn path(name: &str) -> PathBuf {
    EXAMPLES.join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

type Text = Arc<Mutex<String>>;

/// A running example; dropping it ends it.
pub struct Running {
    #[cfg_attr(not(unix), allow(dead_code, reason = "only signals are sent to it"))]
    child: Child,
    stdout: Text,
    stderr: Text,
    _home: TempDir,
}

impl Running {
    pub fn start(program: Program) -> Self {
        let (mut child, home) = program.spawn();
        let stdout = collect(child.stdout.take().expect("stdout is a pipe"));
        let stderr = collect(child.stderr.take().expect("stderr is a pipe"));
        Self { child, stdout, stderr, _home: home }
    }

    pub fn stdout(&self) -> String {
        self.stdout.lock().expect("no panic").clone()
    }

    pub fn stderr(&self) -> String {
        self.stderr.lock().expect("no panic").clone()
    }

    /// Waits until stdout contains this text so many times.
    pub async fn says(&self, text: &str, times: usize) {
        let said = || self.stdout().matches(text).count() >= times;
        self.until(&format!("{text:?}, {times} times"), said).await;
    }

    /// Waits until this has `happened`; `what` is for the message if it does not.
    pub async fn until(&self, what: &str, happened: impl Fn() -> bool) {
        let waiting = async {
            while !happened() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = timeout(LIMIT, waiting).await.is_ok();
        assert!(in_time, "not {what}: {}\n{}", self.stdout(), self.stderr());
    }

    #[cfg(unix)]
    pub fn id(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    /// Sends this signal, such as `STOP`.
    #[cfg(unix)]
    pub async fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.id());
        let sent = tokio::process::Command::new("sh").args(["-c", &kill]).status().await;
        assert!(sent.expect("a shell").success(), "{kill}");
    }

    /// Sends this signal, such as `TERM`, and returns the exit code.
    #[cfg(unix)]
    pub async fn stop(&mut self, signal: &str) -> Option<i32> {
        self.signal(signal).await;
        self.ended().await
    }

    /// Waits for the end, and returns the exit code.
    #[cfg(unix)]
    pub async fn ended(&mut self) -> Option<i32> {
        timeout(LIMIT, self.child.wait()).await.expect("an end").expect("an exit code").code()
    }
}

/// What comes from this stream, line by line.
fn collect(stream: impl AsyncRead + Unpin + Send + 'static) -> Text {
    let text = Text::default();
    let (writer, mut lines) = (text.clone(), BufReader::new(stream).lines());
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            *writer.lock().expect("no panic") += &(line + "\n");
        }
    });
    text
}
