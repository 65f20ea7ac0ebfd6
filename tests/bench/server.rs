//! The stand-in for IoT Core in a process of its own, so that its time and memory are not counted. The process that starts
//! it asks by an empty line on its stdin. It ends when its stdin ends.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use test_support::gateway::{Event, Gateway, Script};
use tokio::sync::mpsc;

use crate::own_process;

/// A running server; dropping this ends it.
pub struct Server {
    pub endpoint: String,
    pub ca_file: PathBuf,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    pub fn start() -> Self {
        let mut child = own_process(&["serve"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let questions = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a piped stdout"));
        let (endpoint, ca_file) = (String::new(), PathBuf::new());
        let mut server = Self { endpoint, ca_file, child, questions, answers };
        server.endpoint = server.answer();
        server.ca_file = server.answer().into();
        server
    }

    pub fn port(&self) -> u16 {
        let (_, port) = self.endpoint.rsplit_once(':').expect("a port");
        port.parse().expect("the port is a number")
    }

    /// Asks when the next connection came in, in nanoseconds since 1970. The answer comes when that connection is over.
    pub fn ask(&mut self) {
        let mut questions = self.questions.as_ref().expect("open until dropped");
        writeln!(questions).expect("the server reads");
    }

    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the server answers");
        line.trim_end().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.child.wait();
    }
}

/// The server process itself.
#[tokio::main(flavor = "current_thread")]
pub async fn serve() {
    let gateway = Gateway::start(Script::default()).await;
    println!("{}\n{}", gateway.endpoint(), gateway.ca_file().display());
    let (sender, mut questions) = mpsc::unbounded_channel();
    std::thread::spawn(move || io::stdin().lines().map_while(Result::ok).try_for_each(|q| sender.send(q)));
    let mut nth = 0;
    while questions.recv().await.is_some() {
        gateway.seen(nth, |event| *event == Event::Accepted).await;
        let accepted = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
        nth += 1;
        gateway.finished(nth).await;
        println!("{}", accepted.as_nanos());
    }
}
