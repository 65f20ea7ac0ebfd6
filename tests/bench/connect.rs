//! What a connection costs, in round trips, time and memory: `cargo bench --bench connect`, or with `-- held publish`
//! for some of the sections. It prints tables for people to read, and exits with 0 whatever the figures are.
//!
//! Nothing here leaves 127.0.0.1: the server is the stand-in of the tests, and the keys are made up.

mod held;
mod process;
mod publish;
mod roundtrips;
mod server;

use std::process::Command;

use test_support::program::scrub;

/// `process` is the first, since on Linux the peak memory of a child begins with the memory of its parent.
const SECTIONS: [(&str, fn()); 4] = [
    ("process", process::run),
    ("roundtrips", roundtrips::run),
    ("held", held::run),
    ("publish", publish::run),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["serve"] => return server::serve(),
        ["hold", held] => return held::hold(held),
        ["publish", qos, endpoint, ca_file] => return publish::publish(qos, endpoint, ca_file),
        _ => {}
    }
    // `cargo test --all-targets` runs this too, but without `--bench`. Nothing is measured then.
    let all = args == ["--bench"];
    for (name, run) in SECTIONS {
        if all || args.contains(&name) {
            run();
        }
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

/// Prints a title, and what is in the columns of the table below it.
fn print_head(title: &str, columns: &[&str]) {
    let columns: String = columns.iter().map(|column| format!("{column:>20}")).collect();
    println!("\n{title}; median and least\n  {:40}{columns}", "");
}

/// Prints the median and the least of the figures in each column.
fn print_row<const COLUMNS: usize>(name: &str, mut runs: Vec<[f64; COLUMNS]>) {
    print!("  {name:40}");
    for column in 0..COLUMNS {
        runs.sort_by(|one, other| one[column].total_cmp(&other[column]));
        print!("{:>10.2}{:>10.2}", runs[runs.len() / 2][column], runs[0][column]);
    }
    println!();
}
