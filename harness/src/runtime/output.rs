//! What a node prints: both streams line by line, the last lines kept for when it dies.
//!
//! Bounded in both directions: beyond `LINES` the oldest line goes, beyond `LINE_BYTES` the rest of a line is
//! left away. Two streams have no order but that in which they are read, which a flood in one of them turns round:
//! what came within `A_MOMENT` of the last line is told with standard error last, for that is where programs say why
//! they end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::sync::{self, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

const LINES: usize = 1000;
const LINE_BYTES: usize = 4096;
const A_MOMENT: Duration = Duration::from_millis(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Error,
}

/// A line that somebody waits for.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// A line of either stream with this text in it.
    Containing(String),
    /// A line of either stream that begins with this.
    Beginning(&'static str),
}

impl Wanted {
    fn fits(&self, line: &str) -> bool {
        match self {
            Wanted::Containing(text) => line.contains(text.as_str()),
            Wanted::Beginning(text) => line.starts_with(text),
        }
    }
}

/// The output of one process, while it is read and afterwards.
#[derive(Debug)]
pub(super) struct Output {
    kept: Arc<Kept>,
    found: watch::Receiver<Option<String>>,
    readers: sync::Mutex<JoinSet<()>>,
}

#[derive(Debug)]
struct Kept {
    lines: Mutex<Lines>,
    wanted: Option<Wanted>,
    found: watch::Sender<Option<String>>,
}

/// Each stream for itself, so that neither pushes the other out.
#[derive(Debug, Default)]
struct Lines {
    out: VecDeque<(Instant, String)>,
    error: VecDeque<(Instant, String)>,
}

impl Output {
    pub(super) fn new(wanted: Option<Wanted>) -> Self {
        let (sender, found) = watch::channel(None);
        let kept = Arc::new(Kept { lines: Mutex::default(), wanted, found: sender });
        Self { kept, found, readers: sync::Mutex::default() }
    }

    pub(super) fn read(&mut self, which: Stream, stream: impl AsyncRead + Send + Unpin + 'static) {
        let kept = self.kept.clone();
        self.readers.get_mut().spawn(async move { read_lines(stream, which, &kept).await });
    }

    /// The last lines, oldest first.
    pub(super) fn lines(&self) -> Vec<String> {
        self.kept.lock().last()
    }

    /// For waiting on the wanted line; holds it once it was printed, whatever is printed after it.
    pub(super) fn found(&self) -> watch::Receiver<Option<String>> {
        self.found.clone()
    }

    /// Both streams are read to their end, or the deadline has passed: a grandchild may keep them open.
    pub(super) async fn drained(&self, deadline: Instant) {
        let mut readers = self.readers.lock().await;
        while let Ok(Some(_)) = timeout_at(deadline, readers.join_next()).await {}
    }
}

impl Kept {
    fn push(&self, which: Stream, line: String) {
        if self.wanted.as_ref().is_some_and(|wanted| wanted.fits(&line)) {
            self.found.send_if_modified(|found| found.is_none() && found.replace(line.clone()).is_none());
        }
        self.lock().push(which, Instant::now(), line);
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    fn push(&mut self, which: Stream, at: Instant, line: String) {
        let lines = match which {
            Stream::Out => &mut self.out,
            Stream::Error => &mut self.error,
        };
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back((at, line));
    }

    fn last(&self) -> Vec<String> {
        let end = self.out.back().into_iter().chain(self.error.back()).map(|(at, _)| *at).max();
        let before = |at: &Instant| end.is_some_and(|end| *at + A_MOMENT < end);
        let both = self.out.iter().map(|line| (Stream::Out, line));
        let mut both: Vec<_> = both.chain(self.error.iter().map(|line| (Stream::Error, line))).collect();
        // A moment's lines of standard output, then those of standard error: each keeps its own order.
        both.sort_by_key(|(stream, (at, _))| match before(at) {
            true => (false, Some(*at), false),
            false => (true, None, *stream == Stream::Error),
        });
        let first = both.len().saturating_sub(LINES);
        both[first..].iter().map(|(_, (_, line))| line.clone()).collect()
    }
}

/// A stream that fails is at its end: there is nothing more to be had from it.
async fn read_lines(stream: impl AsyncRead + Unpin, which: Stream, kept: &Kept) {
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
        kept.push(which, String::from_utf8_lossy(&line).into_owned());
        if !whole && skip_line(&mut reader).await.is_none() {
            return;
        }
    }
}

/// Leaves the rest of a line away; `None` at the end of the stream.
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

    async fn read(text: &[u8], wanted: Option<Wanted>) -> Output {
        let mut output = Output::new(wanted);
        output.read(Stream::Out, std::io::Cursor::new(text.to_vec()));
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
    fn what_stands_on_standard_error_is_last_whichever_stream_was_read_first() {
        let mut lines = Lines::default();
        let begun = Instant::now();
        let later = |millis| begun + Duration::from_millis(millis);
        lines.push(Stream::Error, begun, "a warning".to_owned());
        lines.push(Stream::Out, later(10), "up".to_owned());
        lines.push(Stream::Error, later(1000), "panic: no database".to_owned());
        (0..3 * LINES).for_each(|i| lines.push(Stream::Out, later(1001), format!("line {i}")));
        let last = lines.last();
        assert_eq!(last.len(), LINES);
        assert_eq!(last[LINES - 1], "panic: no database");
        assert_eq!(last[LINES - 2], format!("line {}", 3 * LINES - 1));
        let mut lines = Lines::default();
        lines.push(Stream::Error, begun, "a warning".to_owned());
        lines.push(Stream::Out, later(1000), "up".to_owned());
        assert_eq!(lines.last(), ["a warning", "up"]);
    }

    #[tokio::test]
    async fn a_wanted_line_is_found_even_when_it_has_left_the_ring() {
        let mut text = b"relay ready {\"http\": null}\n".to_vec();
        text.extend(b"later\n".repeat(LINES + 1));
        let output = read(&text, Some(Wanted::Beginning("relay ready "))).await;
        assert_eq!(output.found().borrow().as_deref(), Some("relay ready {\"http\": null}"));
        assert!(output.lines().iter().all(|line| line == "later"));
    }
}
