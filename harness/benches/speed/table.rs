//! The table that is printed, a row as soon as it is known.

use std::time::Duration;

#[derive(Debug)]
pub struct Table;

/// Samples of one thing.
#[derive(Clone, Debug)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Runs `once` so often, after so many runs that do not count.
    pub fn take(warm_ups: usize, times: usize, mut once: impl FnMut()) -> Samples {
        (0..warm_ups).for_each(|_| once());
        let timed = |_| {
            let begun = std::time::Instant::now();
            once();
            begun.elapsed()
        };
        Samples::new((0..times).map(timed).collect())
    }

    pub fn new(mut samples: Vec<Duration>) -> Samples {
        samples.sort_unstable();
        Samples(samples)
    }

    pub fn median(&self) -> Duration {
        self.at(0.5)
    }

    /// The sample below which this share of all lies.
    pub fn at(&self, share: f64) -> Duration {
        let last = self.0.len() - 1;
        self.0[((last as f64 * share).round() as usize).min(last)]
    }
}

impl Table {
    pub fn begin() -> Table {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown");
        println!("{cores} cores, load average {load}\n");
        println!("| what | median | fastest to slowest | aim | of the aim |");
        println!("|---|---|---|---|---|");
        Table
    }

    /// Less is better.
    pub fn row(&mut self, what: &str, samples: &Samples, aim: Option<Duration>) {
        let median = samples.median();
        let aims = aim.map_or_else(
            || "|".to_owned(),
            |aim| format!("{} | {:.2}", told(aim), median.as_secs_f64() / aim.as_secs_f64()),
        );
        println!(
            "| {what} | {} | {} to {} | {aims} |",
            told(median),
            told(samples.at(0.0)),
            told(samples.at(1.0))
        );
    }

    /// Crossings a second: more is better.
    pub fn rate(&mut self, what: &str, each: f64, samples: &Samples, aim: f64) {
        let rate = |took: Duration| each / took.as_secs_f64();
        let (low, middle, high) = (rate(samples.at(1.0)), rate(samples.median()), rate(samples.at(0.0)));
        println!("| {what} | {middle:.0}/s | {low:.0} to {high:.0}/s | {aim:.0}/s | {:.2} |", middle / aim);
    }

    /// Two things side by side: what the second adds to the first.
    pub fn beside(&mut self, what: &str, share: f64, without: &Samples, with: &Samples) {
        let (bare, tapped) = (without.at(share), with.at(share));
        let added = tapped.saturating_sub(bare);
        let ratio = tapped.as_secs_f64() / bare.as_secs_f64();
        println!(
            "| {what} | {} | {} with it, {} without | | {ratio:.2} times |",
            told(added),
            told(tapped),
            told(bare)
        );
    }

    /// A figure that stands for itself.
    pub fn note(&mut self, what: &str, figure: &str) {
        println!("| {what} | {figure} | | | |");
    }
}

fn told(took: Duration) -> String {
    match took.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.001 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.1} us", seconds * 1e6),
    }
}
