//! An MQTT 5 session with AWS IoT Core over a WebSocket signed with SigV4, in five steps.
//!
//! The crate `sigv4-websocket` makes the connection; `session` speaks MQTT over it; `cli` and `output` are what belongs
//! to a command line.

#![warn(clippy::expect_used)]

// `pub(crate)` marks what `examples/loopback.rs` uses. It includes this file as a module, hence `super::` elsewhere.
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
            // A name resolution may still block a thread, and must not hold up the exit.
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
    //    endpoint's name and the environment, credentials from the AWS credential chain.
    let builder = cli.apply(Connector::builder(cli.endpoint.clone()));

    // 2. Connector: for every attempt in step 4 it opens TCP, TLS, and a WebSocket whose upgrade request is presigned
    //    anew. Credentials are fetched meanwhile, unless the last ones are still good.
    let observer = output.clone();
    let connector = builder.observer(move |progress| observer.progress(progress)).build()?;
    output.begin(&connector, &cli.client_id);

    // 3. MQTT 5: the options of rumqttc (the package `rumqttc-next`), which connects through the connector.
    let mut options = session::options(&cli.client_id);
    connector.attach(&mut options);

    // 4. Connect: a connection, CONNECT, CONNACK; all of it again if another attempt may help.
    let session = Session::connect(&options, cli.attempts, cli.timeout, &output).await;
    let session = session.map_err(|failure| Error::failed(failure, &connector, &cli.client_id))?;
    output.connected();

    // 5. Disconnect: DISCONNECT, then the close of WebSocket, TLS and TCP. If a line could not be written before, that
    //    is an error now.
    session.disconnect(&connector).await;
    output.end()
}
