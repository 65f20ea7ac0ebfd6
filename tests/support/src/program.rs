//! Runs the real binary as a user would, without the developer's own environment.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// A command line under construction.
pub struct Program {
    command: Command,
    home: TempDir,
}

#[derive(Debug)]
pub struct Outcome {
    /// The exit code; -1 if a signal ended the program.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
    /// The peak memory of the process; 0 on systems that do not report it.
    pub peak_memory_kib: u64,
}

impl Program {
    /// The program without arguments, with an empty home and in the environment that `scrub` leaves.
    #[expect(clippy::new_without_default, reason = "a command line is not a default value")]
    pub fn new() -> Self {
        Self::at(built("sigv4-websocket-connect"))
    }

    /// Another program in the same environment.
    pub fn at(path: impl AsRef<std::ffi::OsStr>) -> Self {
        let home = TempDir::new().expect("a temporary home");
        let mut command = std::process::Command::new(path);
        scrub(&mut command).env("HOME", home.path());
        let mut command = Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self { command, home }
    }

    /// The program with an endpoint whose certificate was issued by the authority in `ca_file`.
    pub fn against(endpoint: &str, ca_file: &Path, region: &str) -> Self {
        Self::new().aimed_at(endpoint, ca_file, region)
    }

    /// Adds the flags for an endpoint, its region and its authority.
    pub fn aimed_at(self, endpoint: &str, ca_file: &Path, region: &str) -> Self {
        let ca_file = ca_file.to_str().expect("a path in UTF-8");
        self.args(["--endpoint", endpoint, "--region", region, "--ca-file", ca_file])
    }

    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Changes every variable that names the port `from` of 127.0.0.1, so that it names the port `to`.
    pub fn redirected(mut self, from: u16, to: u16) -> Self {
        let (from, to) = (format!("127.0.0.1:{from}"), format!("127.0.0.1:{to}"));
        let variables = self.command.as_std().get_envs();
        let changed = variables
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_str()?.replace(&from, &to))));
        let changed: Vec<_> = changed.collect();
        self.command.envs(changed);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Writes a file below the program's home.
    pub fn file(self, path: &str, content: &(impl AsRef<[u8]> + ?Sized)) -> Self {
        let path = self.home(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder in the home");
        std::fs::write(path, content).expect("a file in the home");
        self
    }

    pub fn home(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    pub fn spawn(mut self) -> (Child, TempDir) {
        (self.command.spawn().expect("the program starts"), self.home)
    }

    pub async fn run(self) -> Outcome {
        let began = Instant::now();
        let (child, _home) = self.spawn();
        let id = child.id().expect("the program was just started");
        // Longer than any run may take.
        let output = timeout(Duration::from_secs(60), child.wait_with_output());
        let (output, peak_memory_kib) = tokio::join!(output, peak_memory(id));
        let output = output.expect("an end").expect("an exit code");
        Outcome {
            peak_memory_kib,
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on stderr"),
            elapsed: began.elapsed(),
        }
    }
}

/// Takes the developer's own variables out of the environment, and every way to EC2 instance metadata or to AWS: where
/// a test names no stand-in, requests go to a port of 127.0.0.1 at which nobody listens.
pub fn scrub(command: &mut std::process::Command) -> &mut std::process::Command {
    command.env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    for nowhere in ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT"] {
        command.env(nowhere, "http://127.0.0.1:9");
    }
    // Windows cannot open a socket without this variable.
    command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)))
}

/// A binary of this workspace, which Cargo has built beside the test that runs.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path to this test");
    let folder = test.ancestors().nth(2).expect("a folder for the profile");
    folder.join(name).with_extension(std::env::consts::EXE_EXTENSION)
}

/// The peak memory of the process, in KiB, looked up again and again until the process is gone.
async fn peak_memory(process: u32) -> u64 {
    let mut peak = 0;
    while let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status")) {
        let Some(line) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) else { break };
        peak = line.trim_end_matches("kB").trim().parse().unwrap_or(peak);
        sleep(Duration::from_millis(5)).await;
    }
    peak
}
