//! An MQTT 5 session with AWS IoT Core over a WebSocket signed with SigV4, in five steps.
//!
//! An application copies `transport` and `diagnosis`. `program` is what only this program needs.

#![warn(clippy::expect_used)]

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use sigv4_websocket_connect::program::cli::Cli;
use sigv4_websocket_connect::program::error::Error;
use sigv4_websocket_connect::program::interruption::Interruption;
use sigv4_websocket_connect::program::session::{self, Session};
use sigv4_websocket_connect::program::story::{Story, warn};
use sigv4_websocket_connect::program::{attempts, exit, log};
use sigv4_websocket_connect::transport::connector::Connector;

fn main() -> ExitCode {
    let cli = Cli::from_args();
    log::to_stderr(cli.log_level);
    exit::code(|| run(&cli, io::stdout()))
}

/// Connects, disconnects, and reports the progress on `out`.
///
/// # Errors
///
/// [`Error`], with its exit code and a report of what happened.
pub async fn run(cli: &Cli, out: impl Write + Send + 'static) -> Result<(), Error> {
    let story = Story::on(out);
    let mut interruption = Interruption::new();
    let region = cli.region()?;
    let network = interruption.or(cli.network()).await?;
    cli.warnings(&region).iter().for_each(|warning| warn(warning));
    story.tell(&format!("Connecting to {} as {}", cli.endpoint, cli.client_id));

    // 1. Credentials: those on the command line, else the AWS credential chain. They are fetched when an attempt
    //    needs them.
    let credentials = cli.credentials(&region, &network);

    // 2. Transport: TCP, TLS, and a WebSocket whose upgrade request is presigned anew for every attempt.
    let connector = Connector::new(cli.endpoint.clone(), cli.scope(&region), credentials, network);
    let observer = story.clone();
    let connector = Arc::new(connector.observed_by(move |progress| observer.follow(progress)));

    // 3. MQTT 5 client: rumqttc, which opens its connections through the connector.
    let options = session::options(&cli.client_id, &connector, cli.timeout);

    // 4. Connect: from CONNECT to CONNACK, repeated if another attempt may help.
    let session: Session =
        interruption.or(attempts::connect(cli, &region, &options, &connector, &story)).await?;
    story.connected();

    // 5. Disconnect: DISCONNECT, then the close of WebSocket, TLS and TCP.
    session.disconnect(&connector).await;
    story.tell("Disconnected");

    interruption.check()?;
    story.tell("Sample complete.");
    story.end()
}
