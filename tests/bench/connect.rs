//! What a connection costs, in round trips, time and memory: `cargo bench`, or `cargo bench -- held publish` for some of
//! the sections. It prints tables for people to read, and exits with 0 whatever the figures are.
//!
//! Nothing here leaves 127.0.0.1: the server is the stand-in of the tests, and the keys are made up.

mod clients;
mod held;
mod process;
mod program;
mod publish;
mod relay;
mod roundtrips;
mod server;
mod table;

use std::process::Command;

use test_support::program::scrub;

const SECTIONS: [(&str, fn()); 4] = [
    ("roundtrips", roundtrips::run),
    ("process", process::run),
    ("held", held::run),
    ("publish", publish::run),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["serve"] => server::serve(),
        ["hold", held] => held::hold(held),
        ["publish", way, qos, endpoint, ca_file] => publish::publish(way, qos, endpoint, ca_file),
        ["section", name] => section(name),
        _ => all(&args),
    }
}

fn all(args: &[&str]) {
    let mut wanted: Vec<&str> = args.iter().copied().filter(|arg| !arg.starts_with('-')).collect();
    // `cargo test --all-targets` runs this too, but without `--bench`. The figures of a build for tests would
    // say nothing, so nothing is measured then.
    if wanted.is_empty() && args.contains(&"--bench") {
        wanted = SECTIONS.map(|(name, _)| name).to_vec();
    }
    for name in wanted {
        // Each section runs in a process of its own, so that it does not find memory that another has used.
        let ended = own_process(&["section", name]).status().expect("this program starts");
        if !ended.success() {
            eprintln!("{name} broke off: {ended}");
        }
    }
}

fn section(name: &str) {
    match SECTIONS.into_iter().find(|(known, _)| *known == name) {
        Some((_, run)) => run(),
        None => eprintln!("no section {name:?}; there are {:?}", SECTIONS.map(|(name, _)| name)),
    }
}

/// This program once more, in another role.
fn own_process(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path to this program"));
    // Temporary files need these.
    let temporary = ["TEMP", "TMPDIR"].map(|name| std::env::var_os(name).map(|value| (name, value)));
    scrub(&mut command).envs(temporary.into_iter().flatten()).args(args);
    command
}
