//! The time until brokers in containers are ready, and the time of the shipped scenarios on them. It needs an engine
//! and the images, so it is measured only when it is named.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::table::{Samples, Table};

/// A broker, a scenario that needs no other, and the time within which it should answer.
const ALONE: &[(&str, &str, Duration)] = &[
    ("kafka", "16-order-is-billed.yaml", Duration::from_millis(2500)),
    ("rabbitmq", "17-retry-and-dead-letter.yaml", Duration::from_millis(4500)),
    ("sqs", "18-batch-with-links.yaml", Duration::from_millis(2500)),
];
const TOGETHER: &str = "23-five-transports.yaml";
const RUNS: usize = 5;

pub fn measure(table: &mut Table) {
    for (broker, scenario, aim) in ALONE {
        let ready: Vec<Duration> = (0..RUNS).map(|_| ready(&run(scenario), broker)).collect();
        table.row(&format!("`{broker}` alone, until it answers"), &Samples::of_calls(ready), Some(*aim));
    }
    let mut slowest = Vec::new();
    for _ in 0..RUNS {
        let output = run(TOGETHER);
        let all = ALONE.iter().map(|(broker, _, _)| ready(&output, broker));
        slowest.extend(all.max());
    }
    let within = Some(Duration::from_secs(7));
    table.row("all three at once, until the last answers", &Samples::of_calls(slowest), within);
    let all: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            run("");
            begun.elapsed()
        })
        .collect();
    let within = Some(Duration::from_secs(30));
    table.row("`unbroken run scenarios/ --runtime container`", &Samples::of_calls(all), within);
}

/// Returns the standard error of the run. Anything but a pass is not a measurement.
fn run(scenario: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(scenario);
    let mut command = Command::new(env!("CARGO_BIN_EXE_unbroken"));
    command.arg("run").arg(path).args(["--runtime", "container", "--seed", "7"]);
    let output = command.stdin(Stdio::null()).output().expect("the command was built");
    assert!(output.status.success(), "{scenario}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Reads `kafka ready in 1.72 s  (...)`.
fn ready(output: &str, broker: &str) -> Duration {
    let seconds = output.lines().find_map(|line| {
        line.strip_prefix(broker)?.strip_prefix(" ready in ")?.split(' ').next()?.parse::<f64>().ok()
    });
    Duration::from_secs_f64(seconds.expect("the run prints when the broker is ready"))
}
