//! The printed table, each row as soon as it is measured.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

#[derive(Debug)]
pub struct Table;

/// Samples of one thing, in their order.
#[derive(Clone, Debug)]
pub struct Samples {
    took: Vec<Duration>,
    /// The processor time of this process and of those that it started.
    worked: Vec<Duration>,
}

impl Samples {
    /// Runs `once` a number of times, after warm-ups that do not count.
    pub fn take(warm_ups: usize, times: usize, mut once: impl FnMut()) -> Samples {
        (0..warm_ups).for_each(|_| once());
        let timed = |_| {
            let (begun, before) = (Instant::now(), processor_time());
            once();
            (begun.elapsed(), processor_time().saturating_sub(before))
        };
        let (took, worked): (Vec<Duration>, Vec<Duration>) = (0..times).map(timed).unzip();
        Samples { worked: sorted(worked), ..Samples::of_calls(took) }
    }

    /// Returns samples of single calls, which are too short to have processor time.
    pub fn of_calls(took: Vec<Duration>) -> Samples {
        Samples { took: sorted(took), worked: Vec::new() }
    }

    pub fn median(&self) -> Duration {
        self.at(0.5)
    }

    /// Returns the sample below which this share of all samples lies.
    pub fn at(&self, share: f64) -> Duration {
        let last = self.took.len() - 1;
        self.took[((last as f64 * share).round() as usize).min(last)]
    }

    /// Returns the median processor time; it is unknown for single calls.
    pub fn worked(&self) -> Option<Duration> {
        self.worked.get(self.worked.len() / 2).copied()
    }
}

fn sorted(mut samples: Vec<Duration>) -> Vec<Duration> {
    samples.sort_unstable();
    samples
}

/// Returns the processor time of this process and of its children that have ended.
fn processor_time() -> Duration {
    let of = |who| getrusage(who).map(|usage| usage.user_time() + usage.system_time());
    let spent = of(UsageWho::RUSAGE_SELF).and_then(|own| Ok(own + of(UsageWho::RUSAGE_CHILDREN)?));
    let spent = spent.expect("the platform counts processor time").num_microseconds();
    Duration::from_micros(u64::try_from(spent).unwrap_or(0))
}

impl Table {
    pub fn begin() -> Table {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("unknown");
        println!("{cores} cores, load average {load}\n");
        println!("| what | median | fastest to slowest | processor time | target | of the target |");
        println!("|---|---|---|---|---|---|");
        Table
    }

    /// Prints a time; less is better.
    pub fn row(&mut self, what: &str, samples: &Samples, aim: Option<Duration>) {
        let median = samples.median();
        let worked = samples.worked().map(shown).unwrap_or_default();
        let (fastest, slowest) = (shown(samples.at(0.0)), shown(samples.at(1.0)));
        let share = |aim: Duration| median.as_secs_f64() / aim.as_secs_f64();
        let aim = aim.map_or_else(|| "|".to_owned(), |aim| format!("{} | {:.2}", shown(aim), share(aim)));
        println!("| {what} | {} | {fastest} to {slowest} | {worked} | {aim} |", shown(median));
    }

    /// Prints a rate per second; more is better.
    pub fn rate(&mut self, what: &str, each: f64, samples: &Samples, aim: f64) {
        let rate = |took: Duration| each / took.as_secs_f64();
        let (low, middle, high) = (rate(samples.at(1.0)), rate(samples.median()), rate(samples.at(0.0)));
        let worked = samples.worked().map(|worked| shown(worked.div_f64(each))).unwrap_or_default();
        let share = middle / aim;
        println!(
            "| {what} | {middle:.0}/s | {high:.0} to {low:.0}/s | {worked} each | {aim:.0}/s | {share:.2} |"
        );
    }

    /// Prints the time that the second thing adds to the first.
    pub fn beside(&mut self, what: &str, share: f64, without: &Samples, with: &Samples) {
        let (bare, tapped) = (without.at(share), with.at(share));
        let added = shown(tapped.saturating_sub(bare));
        let ratio = tapped.as_secs_f64() / bare.as_secs_f64();
        let (bare, tapped) = (shown(bare), shown(tapped));
        println!("| {what} | +{added} | {tapped} with it, {bare} without: {ratio:.2} times | | | |");
    }

    /// Prints a single figure.
    pub fn note(&mut self, what: &str, figure: &str) {
        println!("| {what} | {figure} | | | | |");
    }
}

fn shown(took: Duration) -> String {
    match took.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.001 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.1} us", seconds * 1e6),
    }
}
