//! Reads what a node prints, both streams line by line, and keeps the last lines for when it dies.
//!
//! It is bounded: beyond `LINES` the oldest line is dropped, beyond `LINE_BYTES` the rest of a line is. Two streams
//! have no order but that in which they are read, and a flood in one of them reverses it. So of the lines that came
//! within `A_MOMENT` of the last one those of standard error are shown last: there programs print why they end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::{self, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

const LINES: usize = 1000;
const LINE_BYTES: usize = 4096;
const A_MOMENT: Duration = Duration::from_millis(300);

/// A stream of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    Out,
    Error,
}

/// A line of output that a caller waits for.
#[derive(Clone, Debug)]
pub enum AwaitedLine {
    /// A line of either stream with this text in it.
    Containing(String),
    /// A line of either stream that begins with this.
    Beginning(&'static str),
}

impl AwaitedLine {
    fn matches(&self, line: &str) -> bool {
        match self {
            AwaitedLine::Containing(text) => line.contains(text.as_str()),
            AwaitedLine::Beginning(text) => line.starts_with(text),
        }
    }
}

/// The output of one process, while it runs and afterwards.
#[derive(Debug)]
pub struct Output {
    buffer: Arc<OutputBuffer>,
    found: watch::Receiver<Option<String>>,
    readers: sync::Mutex<JoinSet<()>>,
}

#[derive(Debug)]
struct OutputBuffer {
    lines: Mutex<Lines>,
    awaited: Option<AwaitedLine>,
    found: watch::Sender<Option<String>>,
}

/// Each stream separately, so that neither pushes the other out.
#[derive(Debug, Default)]
struct Lines {
    out: VecDeque<(Instant, String)>,
    error: VecDeque<(Instant, String)>,
}

impl Output {
    pub fn new(awaited: Option<AwaitedLine>) -> Self {
        let (sender, found) = watch::channel(None);
        let buffer = Arc::new(OutputBuffer { lines: Mutex::default(), awaited, found: sender });
        Self { buffer, found, readers: sync::Mutex::default() }
    }

    /// Starts to read a stream.
    pub fn read(&mut self, which: OutputStream, stream: impl AsyncRead + Send + Unpin + 'static) {
        let buffer = self.buffer.clone();
        self.readers.get_mut().spawn(async move { read_lines(stream, which, &buffer).await });
    }

    /// Returns the last lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.buffer.lines.lock().last()
    }

    /// Returns a watch on the awaited line; it holds the line once it was printed, whatever is printed after it.
    pub fn found(&self) -> watch::Receiver<Option<String>> {
        self.found.clone()
    }

    /// Resolves when both streams were read to their end, or at the deadline: a grandchild may keep them open.
    pub async fn drained(&self, deadline: Instant) {
        let mut readers = self.readers.lock().await;
        while let Ok(Some(_)) = timeout_at(deadline, readers.join_next()).await {}
    }
}

impl OutputBuffer {
    fn push(&self, which: OutputStream, line: String) {
        if self.awaited.as_ref().is_some_and(|awaited| awaited.matches(&line)) {
            self.found.send_if_modified(|found| found.is_none() && found.replace(line.clone()).is_none());
        }
        self.lines.lock().push(which, Instant::now(), line);
    }
}

impl Lines {
    fn push(&mut self, which: OutputStream, at: Instant, line: String) {
        let lines = match which {
            OutputStream::Out => &mut self.out,
            OutputStream::Error => &mut self.error,
        };
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back((at, line));
    }

    /// Returns the last lines of both streams.
    fn last(&self) -> Vec<String> {
        let end = self.out.back().into_iter().chain(self.error.back()).map(|(at, _)| *at).max();
        let both = self.out.iter().map(|line| (OutputStream::Out, line));
        let mut both: Vec<_> =
            both.chain(self.error.iter().map(|line| (OutputStream::Error, line))).collect();
        // A moment's lines of standard output, then those of standard error: each keeps its own order.
        both.sort_by_key(|(stream, (at, _))| {
            let is_earlier = end.is_some_and(|end| *at + A_MOMENT < end);
            if is_earlier { (false, Some(*at), false) } else { (true, None, *stream == OutputStream::Error) }
        });
        let first = both.len().saturating_sub(LINES);
        both[first..].iter().map(|(_, (_, line))| line.clone()).collect()
    }
}

/// Reads a stream to its end; an error ends it, too.
async fn read_lines(stream: impl AsyncRead + Unpin, which: OutputStream, buffer: &OutputBuffer) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let room = u64::try_from(LINE_BYTES).unwrap_or(u64::MAX);
        match (&mut reader).take(room).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let whole = line.len() < LINE_BYTES || line.ends_with(b"\n");
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        buffer.push(which, String::from_utf8_lossy(&line).into_owned());
        if !whole && skip_line(&mut reader).await.is_none() {
            return;
        }
    }
}

/// Skips the rest of a line; `None` at the end of the stream.
async fn skip_line(reader: &mut (impl AsyncBufReadExt + Unpin)) -> Option<()> {
    loop {
        let bytes = reader.fill_buf().await.ok().filter(|bytes| !bytes.is_empty())?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(bytes.len(), |at| at + 1);
        reader.consume(length);
        if end.is_some() {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn read(text: &[u8], awaited: Option<AwaitedLine>) -> Output {
        let mut output = Output::new(awaited);
        output.read(OutputStream::Out, std::io::Cursor::new(text.to_vec()));
        output.drained(Instant::now() + Duration::from_secs(5)).await;
        output
    }

    #[tokio::test]
    async fn the_last_lines_are_kept_and_long_ones_are_cut() {
        let mut text: Vec<u8> = (0..LINES + 50).flat_map(|i| format!("line {i}\r\n").into_bytes()).collect();
        text.extend(vec![b'x'; 3 * LINE_BYTES]);
        text.extend(b"\nnot \xff utf-8");
        let lines = read(&text, None).await.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[0], "line 52");
        assert_eq!(lines[LINES - 2].len(), LINE_BYTES);
        assert_eq!(lines[LINES - 1], "not \u{fffd} utf-8");
    }

    #[test]
    fn lines_of_standard_error_come_last_whichever_stream_was_read_first() {
        let mut lines = Lines::default();
        let begun = Instant::now();
        let later = |millis| begun + Duration::from_millis(millis);
        lines.push(OutputStream::Error, begun, "a warning".to_owned());
        lines.push(OutputStream::Out, later(10), "up".to_owned());
        lines.push(OutputStream::Error, later(1000), "panic: no database".to_owned());
        (0..3 * LINES).for_each(|i| lines.push(OutputStream::Out, later(1001), format!("line {i}")));
        let last = lines.last();
        assert_eq!(last.len(), LINES);
        assert_eq!(last[LINES - 1], "panic: no database");
        assert_eq!(last[LINES - 2], format!("line {}", 3 * LINES - 1));
        let mut lines = Lines::default();
        lines.push(OutputStream::Error, begun, "a warning".to_owned());
        lines.push(OutputStream::Out, later(1000), "up".to_owned());
        assert_eq!(lines.last(), ["a warning", "up"]);
    }

    #[tokio::test]
    async fn an_awaited_line_is_found_although_later_lines_have_pushed_it_out() {
        let mut text = b"relay ready {\"http\": null}\n".to_vec();
        text.extend(b"later\n".repeat(LINES + 1));
        let output = read(&text, Some(AwaitedLine::Beginning("relay ready "))).await;
        assert_eq!(output.found().borrow().as_deref(), Some("relay ready {\"http\": null}"));
        assert!(output.lines().iter().all(|line| line == "later"));
    }
}
