//! The program that is measured, and how it gets its keys and roots.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use test_support::gateway::{ACCESS_KEY, REGION, SECRET};
use test_support::program::scrub;

/// Where Linux distributions keep their roots. macOS and Windows do not keep them in a directory.
const ROOTS: [&str; 2] = ["/etc/ssl/certs", "/etc/pki/tls/certs"];

/// Where keys and roots come from.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    /// Keys by flag, `--ca-file`.
    Flags,
    /// Keys in the environment, `--ca-file`.
    Environment,
    /// Keys from a container endpoint at this URL, `--ca-file`.
    Container(&'a str),
    /// Keys by flag, the system's roots.
    SystemRoots,
}

impl Way<'_> {
    pub fn name(self) -> &'static str {
        match self {
            Way::Flags => "keys by flag, --ca-file",
            Way::Environment => "keys in the environment, --ca-file",
            Way::Container(_) => "keys from a container, --ca-file",
            Way::SystemRoots => "keys by flag, the system's roots",
        }
    }
}

/// An empty home, and the directory of the system's roots.
pub struct Program {
    home: TempDir,
    roots: Option<&'static str>,
}

impl Program {
    pub fn new() -> Self {
        let roots = ROOTS.into_iter().find(|path| Path::new(path).is_dir());
        if roots.is_none() {
            println!("The system's roots: not measured, there is none of {ROOTS:?}.");
        }
        Self { home: TempDir::new().expect("a temporary home"), roots }
    }

    pub fn can(&self, way: Way<'_>) -> bool {
        self.roots.is_some() || !matches!(way, Way::SystemRoots)
    }

    /// The command to measure, which must end with exit code 0.
    pub fn command(&self, endpoint: &str, ca_file: &Path, way: Way<'_>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sigv4-websocket-connect"));
        scrub(&mut command).env("HOME", self.home.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command.args(["--endpoint", endpoint, "--region", REGION]);
        match way {
            Way::Flags | Way::SystemRoots => {
                command.args(["--access-key", ACCESS_KEY, "--secret", SECRET]);
            }
            Way::Environment => {
                command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET);
            }
            Way::Container(url) => {
                command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
            }
        }
        match (way, self.roots) {
            // Everything that is read if neither variable is set, and the stand-in's authority.
            (Way::SystemRoots, Some(roots)) => {
                command.env("SSL_CERT_FILE", ca_file).env("SSL_CERT_DIR", roots)
            }
            _ => command.arg("--ca-file").arg(ca_file),
        };
        command
    }
}
