//! A machine that gives the program too little.

#![cfg(unix)]

use std::process::{Command, Output};

/// A run that may have so many files open.
fn with_files(limit: u32) -> Output {
    let program = env!("CARGO_BIN_EXE_sigv4-websocket-connect");
    let endpoint = "--endpoint localhost:1 --region eu-central-1 --attempts 1";
    let keys = "--access-key AKIAIOSFODNN7EXAMPLE --secret EXAMPLEKEY";
    Command::new("sh")
        .args(["-c", &format!("ulimit -n {limit} && exec {program} {endpoint} {keys}")])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .expect("a shell")
}

#[test]
fn too_few_file_descriptors_are_an_error_and_no_panic() {
    for limit in 4..=16 {
        let output = with_files(limit);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(1 | 4 | 5)), "{limit}: {:?}, {told}", output.status);
        assert!(told.starts_with("error: "), "{limit}: {told}");
    }
}
