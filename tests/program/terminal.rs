//! What a person sees in a terminal, for which the command `script` provides a pseudo-terminal.

#![cfg(target_os = "linux")]

use std::process::Command;

/// What the program prints in a terminal with this many columns.
fn printed(columns: u32, arguments: &str) -> String {
    let program = env!("CARGO_BIN_EXE_sigv4-websocket-connect");
    let run = format!("stty cols {columns} rows 24 && exec {program} {arguments}");
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &run, "/dev/null"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .expect("script, of Debian's bsdutils");
    String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n")
}

#[test]
fn help_fits_the_terminal() {
    for (columns, most) in [(80, 80), (120, 100)] {
        let help = printed(columns, "--help");
        assert!(help.contains("--endpoint <HOST[:PORT]>"), "{help}");
        let longest = help.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(longest <= most, "{longest} at {columns} columns:\n{help}");
        assert!(longest > most / 2, "{longest} at {columns} columns:\n{help}");
    }
}
