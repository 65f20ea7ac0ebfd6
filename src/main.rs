//! An MQTT 5 session with AWS IoT Core over a WebSocket signed with SigV4, in five steps.
//!
//! The crate `sigv4-websocket` makes the connection; `session` speaks MQTT over it; `cli` and `output` are what belongs
//! to a command line.

#![warn(clippy::expect_used)]

pub(crate) mod cli;
mod log;
mod output;
mod session;

use std::io::{self, Write};
use std::process::ExitCode;

use cli::Cli;
use output::{Error, Output, to_stderr};
use session::Session;
use sigv4_websocket::Connector;
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
        Err(error) => Err(Error::Start(error)),
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
pub(crate) async fn run(cli: &Cli, out: impl Write + Send + 'static) -> Result<(), Error> {
    let output = Output::new(out);

    // 1. Settings: region, credentials, root certificates and proxy. What the flags leave open comes from the
    //    environment, credentials from the AWS credential chain.
    let settings = cli.apply(Connector::builder(cli.endpoint.clone()));

    // 2. Connector: opens TCP, TLS, and a WebSocket whose upgrade request is presigned anew for every attempt.
    //    Credentials are fetched when an attempt needs them.
    let observer = output.clone();
    let connector = settings.observer(move |progress| observer.progress(progress)).build()?;
    output.begin(&connector, &cli.client_id);

    // 3. MQTT 5 client: rumqttc, which opens its connections through the connector.
    let mut options = session::options(&cli.client_id);
    connector.attach(&mut options);

    // 4. Connect: from CONNECT to CONNACK, repeated if another attempt may help.
    let session = Session::connect(&options, cli.attempts, cli.timeout, &output).await;
    let session = session.map_err(|failure| Error::failed(failure, &connector, &cli.client_id))?;
    output.connected();

    // 5. Disconnect: DISCONNECT, then the close of WebSocket, TLS and TCP.
    session.disconnect(&connector).await;
    output.end()
}
