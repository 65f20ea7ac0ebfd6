//! Runs the program without an AWS account: its own `run` connects to a stand-in for IoT Core on 127.0.0.1.

/// The program itself; its `main` is not used.
#[allow(dead_code)]
#[path = "../src/main.rs"]
mod program;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use program::cli::Cli;
use test_support::gateway::{ACCESS_KEY, Gateway, REGION, SECRET, Script};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let gateway = Gateway::start(Script::default()).await;
    let ca_file = gateway.ca_file().to_str().expect("a temporary path in UTF-8");
    let endpoint = gateway.endpoint();
    let flags = ["--endpoint", &endpoint, "--region", REGION, "--ca-file", ca_file];
    let keys = ["--access-key", ACCESS_KEY, "--secret", SECRET];
    let cli = Cli::parse_from(["loopback"].into_iter().chain(flags).chain(keys));
    match program::run(&cli, io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", error.report());
            ExitCode::from(error.exit_code())
        }
    }
}
