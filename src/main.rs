//! An MQTT 5 session with AWS IoT Core over a WebSocket signed with SigV4, in five steps.
//!
//! An application copies `transport` and `diagnosis`. `program` is what only this program needs.

#![warn(clippy::expect_used)]

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use sigv4_websocket_connect::program::cli::Cli;
use sigv4_websocket_connect::program::error::Error;
use sigv4_websocket_connect::program::output::{Output, to_stderr, warn};
use sigv4_websocket_connect::program::session::{self, Session};
use sigv4_websocket_connect::program::{attempts, log};
use sigv4_websocket_connect::transport::connector::Connector;
use tokio::runtime::Builder;

fn main() -> ExitCode {
    let cli = Cli::from_args();
    log::start(cli.log_level);
    let result = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(run(&cli, io::stdout()));
            // A name resolution that is still running must not hold up the exit.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(Error::Runtime(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            to_stderr(&error.report());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Connects, disconnects, and reports the progress on `out`.
///
/// # Errors
///
/// [`Error`], with its exit code and a report of what happened.
pub async fn run(cli: &Cli, out: impl Write + Send + 'static) -> Result<(), Error> {
    let output = Output::to(out);
    let region = cli.region()?;
    let network = cli.network()?;
    cli.warnings(&region).iter().for_each(|warning| warn(warning));
    output.line(&format!("Connecting to {} as {}", cli.endpoint, cli.client_id));

    // 1. Credentials: those on the command line, else the AWS credential chain. They are fetched when an attempt
    //    needs them.
    let credentials = cli.credentials(&region, &network);

    // 2. Transport: TCP, TLS, and a WebSocket whose upgrade request is presigned anew for every attempt.
    let connector = Connector::new(cli.endpoint.clone(), cli.scope(&region), credentials, network);
    let observer = output.clone();
    let connector = Arc::new(connector.observed_by(move |progress| observer.progress(progress)));

    // 3. MQTT 5 client: rumqttc, which opens its connections through the connector.
    let options = session::options(&cli.client_id, &connector, cli.timeout);

    // 4. Connect: from CONNECT to CONNACK, repeated if another attempt may help.
    let session: Session = attempts::connect(cli, &region, &options, &connector, &output).await?;
    output.connected();

    // 5. Disconnect: DISCONNECT, then the close of WebSocket, TLS and TCP.
    session.disconnect(&connector).await;
    output.line("Disconnected");

    output.line("Sample complete.");
    output.finish()
}
