//! Prints what arrives, as OTLP/JSON, in the order of its arrival.

use std::io::{self, Write};

use in_memory_collector::{Collector, LogRecord, otlp_json};

/// Ends when the collector is stopped and all is printed.
pub async fn follow(collector: Collector) -> io::Result<()> {
    let mut changes = collector.watch();
    let (mut next_span, mut next_record) = (0, 0);
    loop {
        let stopped = collector.is_stopped();
        changes.mark_unchanged();
        let spans = collector.spans_from(next_span);
        if let Some(last) = spans.last() {
            next_span = last.sequence() + 1;
            print(&otlp_json::traces(&spans))?;
        }
        let mut records = collector.logs();
        records.retain(|record: &LogRecord| record.sequence() >= next_record);
        if let Some(last) = records.last() {
            next_record = last.sequence() + 1;
            print(&otlp_json::logs(&records))?;
        }
        if stopped {
            return Ok(());
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return Ok(()) },
            () = collector.stopped() => {}
        }
    }
}

fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
