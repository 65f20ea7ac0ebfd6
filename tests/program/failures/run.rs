//! One run of the program against the server of a row, watched from outside.

#[cfg(target_os = "linux")]
use std::time::Duration;

use tokio::net::TcpSocket;
#[cfg(target_os = "linux")]
use tokio::net::{TcpListener, TcpStream};
#[cfg(target_os = "linux")]
use tokio::time::timeout;

use crate::failures::row::{Row, Server};
use crate::gateway::{Event, Gateway};
use crate::program::{Outcome, Program};

pub struct Run {
    pub outcome: Outcome,
    pub connections: Vec<Vec<Event>>,
    texts: Vec<(&'static str, String)>,
}

impl Run {
    /// The text with `{endpoint}` and the other placeholders filled in.
    pub fn fill_in(&self, text: &str) -> String {
        fill_in(&self.texts, text)
    }
}

pub async fn run(row: &Row) -> Run {
    let server = Running::start(&row.server).await;
    let program =
        row.files.iter().fold(Program::new(), |program, (path, content)| program.file(path, content));
    let texts = vec![
        ("{endpoint}", format!("localhost:{}", server.port())),
        ("{port}", server.port().to_string()),
        ("{ca}", server.gateway().map(|g| g.ca_file().display().to_string()).unwrap_or_default()),
        ("{home}", program.home("").display().to_string()),
    ];
    let flags = row.flags.iter().filter(|(flag, _)| server.gateway().is_some() || *flag != "--ca-file");
    let program = flags.fold(program, |program, (flag, value)| match fill_in(&texts, value) {
        // Otherwise the value would be read as the next flag.
        value if value.starts_with('-') => program.args([format!("{flag}={value}").as_str()]),
        value => program.args([flag, value.as_str()]),
    });
    let program = row
        .environment
        .iter()
        .fold(program, |program, (name, value)| program.env(name, fill_in(&texts, value)));

    let outcome = program.run().await;
    let connections = server.gateway().map(Gateway::connections).unwrap_or_default();
    Run { outcome, connections, texts }
}

fn fill_in(texts: &[(&'static str, String)], text: &str) -> String {
    texts.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// A listener that never accepts. Its queue is full, so the system drops further connections.
#[cfg(target_os = "linux")]
struct Deaf {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

enum Running {
    Gateway(Box<Gateway>),
    /// The port of a listener that is gone. A socket that is bound but does not listen would keep the port,
    /// but macOS would not refuse connections to it.
    Nobody(u16),
    #[cfg(target_os = "linux")]
    Deaf(Deaf),
}

impl Running {
    async fn start(server: &Server) -> Running {
        let bound = || {
            let socket = TcpSocket::new_v4().expect("a socket");
            socket.bind(([127, 0, 0, 1], 0).into()).expect("loopback has a free port");
            socket
        };
        match server {
            Server::Gateway(scripts) => {
                Running::Gateway(Box::new(Gateway::start_with(scripts.clone()).await))
            }
            Server::Nobody => {
                let listener = bound().listen(1).expect("a listener");
                Running::Nobody(listener.local_addr().expect("a bound listener has an address").port())
            }
            #[cfg(target_os = "linux")]
            Server::Deaf => {
                let listener = bound().listen(1).expect("a listener");
                let address = listener.local_addr().expect("a bound listener has an address");
                let mut queue = Vec::new();
                while let Ok(connected) =
                    timeout(Duration::from_millis(300), TcpStream::connect(address)).await
                {
                    queue.push(connected.expect("a connection in the queue"));
                }
                Running::Deaf(Deaf { listener, _queue: queue })
            }
        }
    }

    fn gateway(&self) -> Option<&Gateway> {
        match self {
            Running::Gateway(gateway) => Some(gateway),
            _ => None,
        }
    }

    fn port(&self) -> u16 {
        match self {
            Running::Gateway(gateway) => gateway.port(),
            Running::Nobody(port) => *port,
            #[cfg(target_os = "linux")]
            Running::Deaf(deaf) => {
                deaf.listener.local_addr().expect("a bound listener has an address").port()
            }
        }
    }
}
