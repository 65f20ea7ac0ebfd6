//! What a person sees in a terminal, for which the command `script` provides a pseudo-terminal.

#![cfg(target_os = "linux")]

use std::process::Command;

/// What the program prints in a terminal with this many columns, and with this variable.
fn printed(columns: u32, arguments: &str, (variable, value): (&str, &str)) -> String {
    let program = env!("CARGO_BIN_EXE_sigv4-websocket-connect");
    let run = format!("stty cols {columns} rows 24 && exec {program} {arguments}");
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &run, "/dev/null"])
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("TERM", "xterm")
        .env(variable, value)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .output()
        .expect("script, of Debian's bsdutils");
    String::from_utf8(output.stdout).expect("UTF-8").replace("\r\n", "\n")
}

#[test]
fn help_fits_the_terminal() {
    for (columns, most) in [(80, 80), (120, 100)] {
        let help = printed(columns, "--help", ("NO_COLOR", "1"));
        assert!(help.contains("--endpoint <HOST[:PORT]>"), "{help}");
        let longest = help.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(longest <= most, "{longest} at {columns} columns:\n{help}");
        assert!(longest > most / 2, "{longest} at {columns} columns:\n{help}");
    }
}

#[test]
fn labels_have_colours_in_a_terminal_alone() {
    let failing =
        "--endpoint localhost:9 --region eu-west-1 --attempts 1 --access-key AKIAEXAMPLE --secret x";
    let to_a_pipe = format!("{failing} 2>&1 | cat");
    let coloured =
        ["\u{1B}[1m\u{1B}[31merror\u{1B}[0m: no TCP", "\u{1B}[1m\u{1B}[32mhint\u{1B}[0m: is the port"];
    let plain = ["error: no TCP", "hint: is the port"];
    for (arguments, variable, labels) in [
        (failing, ("LANG", "C"), coloured),
        (failing, ("NO_COLOR", "1"), plain),
        (&to_a_pipe, ("LANG", "C"), plain),
        (&to_a_pipe, ("CLICOLOR_FORCE", "1"), coloured),
    ] {
        let printed = printed(80, arguments, variable);
        for label in labels {
            assert!(printed.contains(label), "{arguments}, {variable:?}: {printed:?}");
        }
    }
}
