//! The stand-in for IoT Core in a process of its own, so that its time and memory are not counted.

use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use test_support::gateway::{Gateway, Script};

use crate::own_process;

/// A running server; dropping this closes its stdin, which ends it.
pub struct Server {
    pub endpoint: String,
    pub ca_file: PathBuf,
    _child: Child,
}

impl Server {
    pub fn start() -> Self {
        let mut command = own_process(&["serve"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a server");
        let mut lines = BufReader::new(child.stdout.take().expect("a piped stdout")).lines();
        let mut line = || lines.next().expect("a line").expect("UTF-8");
        Self { endpoint: line(), ca_file: line().into(), _child: child }
    }
}

/// The server process itself, which ends when its stdin ends.
#[tokio::main(flavor = "current_thread")]
pub async fn serve() {
    let gateway = Gateway::start(Script::default()).await;
    println!("{}\n{}", gateway.endpoint(), gateway.ca_file().display());
    let end = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    end.await.expect("no panic").expect("an end of stdin");
}
