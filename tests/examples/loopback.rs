//! The whole run without an AWS account: a stand-in for IoT Core on 127.0.0.1, and the program's own `run`
//! against it.

#[path = "../gateway/mod.rs"]
mod gateway;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use gateway::{ACCESS_KEY, Gateway, REGION, SECRET, Script};
use sigv4_websocket_connect::cli::Cli;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let gateway = Gateway::start(Script::default()).await;
    let ca_file = gateway.ca_file().to_str().expect("a temporary path in UTF-8");
    let endpoint = gateway.endpoint();
    let cli = Cli::parse_from([
        "loopback",
        "--endpoint",
        &endpoint,
        "--region",
        REGION,
        "--access-key",
        ACCESS_KEY,
        "--secret",
        SECRET,
        "--ca-file",
        ca_file,
    ]);
    match sigv4_websocket_connect::run(&cli, &mut io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{failure}");
            ExitCode::from(failure.error.exit_code())
        }
    }
}
