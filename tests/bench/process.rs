//! What one run of the program costs: time, CPU and memory. The process of this section is kept small and has
//! no runtime, because on Linux the peak memory of a child begins with the memory of its parent.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wait4::Wait4;

use crate::held::resident;
use crate::program::{Program, Way};
use crate::server::Server;
use crate::table::{Figures, print, row};

const RUNS: usize = 51;

pub fn run() {
    let mut server = Server::start();
    let program = Program::new();
    let ways = [Way::Flags, Way::Environment, Way::SystemRoots].map(|way| (way, <[Figures; 4]>::default()));
    let mut ways: Vec<_> = ways.into_iter().filter(|(way, _)| program.can(*way)).collect();
    // Runs with the system's roots are measured apart, since they leave caches full of certificates to the
    // next run.
    let (keys, roots) = ways.split_at_mut(2);
    in_turn(&program, &mut server, keys);
    in_turn(&program, &mut server, roots);
    let mut rows = vec![
        row(["", "wall ms", "", "CPU ms", "", "peak MiB", "", "first SYN ms", ""]),
        row(["", "median", "min", "median", "min", "median", "min", "median", "min"]),
    ];
    for (way, figures) in &ways {
        let figures = figures.each_ref().map(|f| [f.median(), f.min()].map(|figure| format!("{figure:.2}")));
        rows.push([way.name().to_owned()].into_iter().chain(figures.concat()).collect());
    }
    print(&format!("The whole process, on a wire without delay ({RUNS} runs)"), &rows);
    println!("First SYN: from just before fork and exec until the server has accepted.");
    match resident() {
        Some(kib) => println!("Peaks below {:.2} MiB, this process's own, would not show.", kib / 1024.0),
        None => println!("Peaks below this process's own would not show."),
    }
}

/// Measures the `ways` in turn, `RUNS` times each, so that other load on the machine affects all of them
/// equally.
fn in_turn(program: &Program, server: &mut Server, ways: &mut [(Way<'_>, [Figures; 4])]) {
    for nth in 0..=RUNS {
        for (way, figures) in &mut *ways {
            let one = measure(program, server, *way);
            // The first run of each warms the caches.
            if nth > 0 {
                figures.iter_mut().zip(one).for_each(|(figures, figure)| figures.add(figure));
            }
        }
    }
}

/// Wall, CPU, peak memory, time to the first SYN.
fn measure(program: &Program, server: &mut Server, way: Way<'_>) -> [f64; 4] {
    server.ask();
    let mut command = program.command(&server.endpoint, &server.ca_file, way);
    let (began, began_by_clock) = (Instant::now(), SystemTime::now());
    let used = command.spawn().expect("the program starts").wait4().expect("the program ends");
    let wall = began.elapsed();
    assert!(used.status.success(), "the program failed: {}", used.status);
    let accepted = UNIX_EPOCH + Duration::from_nanos(server.answer().parse().expect("nanoseconds"));
    let first_syn = accepted.duration_since(began_by_clock).expect("a clock that does not go back");
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let peak = used.rusage.maxrss as f64 / f64::from(1 << 20);
    [ms(wall), ms(used.rusage.utime + used.rusage.stime), peak, ms(first_syn)]
}
