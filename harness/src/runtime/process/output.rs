//! Reads what a node prints, both streams line by line, and keeps the last lines for when it dies.
//!
//! It is bounded: beyond `LINES` the oldest line is dropped, beyond `LINE_BYTES` the rest of a line is. Two streams
//! have no order but that in which they are read, and a flood in one of them reverses it. So of the lines that came
//! within `A_MOMENT` of the last one those of standard error are shown last: there programs print why they end.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader, ReadBuf};
use tokio::sync::{self, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};

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
    /// The pipes that are read, to see whether something is left in them.
    pipes: Vec<OwnedFd>,
}

#[derive(Debug)]
struct OutputBuffer {
    /// Bytes that were read and are not in `lines` yet.
    unsplit: AtomicU64,
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
        let buffer =
            OutputBuffer { unsplit: AtomicU64::new(0), lines: Mutex::default(), awaited, found: sender };
        Self { buffer: Arc::new(buffer), found, readers: sync::Mutex::default(), pipes: Vec::new() }
    }

    /// Starts to read a pipe of a process.
    pub fn read_pipe(&mut self, which: OutputStream, pipe: impl AsyncRead + AsFd + Send + Unpin + 'static) {
        // Without a descriptor left, it is read all the same.
        self.pipes.extend(pipe.as_fd().try_clone_to_owned().ok());
        self.read(which, pipe);
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

    /// Resolves when `lines` has everything that a running process has printed by now, or at the deadline: what it
    /// printed before an answer that was received is then there. A line without its end is waited for.
    pub async fn caught_up(&self, deadline: Instant) {
        let mut ticks = interval(Duration::from_millis(1));
        while !self.is_caught_up() && Instant::now() < deadline {
            ticks.tick().await;
        }
    }

    fn is_caught_up(&self) -> bool {
        let mut pipes: Vec<_> =
            self.pipes.iter().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        // An error leaves it to the deadline.
        poll(&mut pipes, PollTimeout::ZERO).is_ok()
            && pipes
                .iter()
                .all(|pipe| pipe.revents().is_some_and(|events| !events.contains(PollFlags::POLLIN)))
            && self.buffer.unsplit.load(Ordering::Acquire) == 0
    }
}

/// A stream that counts what is read from it.
struct CountedStream<'a, S> {
    stream: S,
    unsplit: &'a AtomicU64,
}

impl<S: AsyncRead + Unpin> AsyncRead for CountedStream<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // One too many while it reads, so that no byte is neither in the pipe nor counted.
        self.unsplit.fetch_add(1, Ordering::AcqRel);
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        self.unsplit.fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::AcqRel);
        self.unsplit.fetch_sub(1, Ordering::AcqRel);
        polled
    }
}

impl OutputBuffer {
    fn split(&self, bytes: usize) {
        self.unsplit.fetch_sub(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::AcqRel);
    }

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
    let mut reader = BufReader::new(CountedStream { stream, unsplit: &buffer.unsplit });
    let mut line = Vec::new();
    loop {
        line.clear();
        let room = u64::try_from(LINE_BYTES).unwrap_or(u64::MAX);
        match (&mut reader).take(room).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let read = line.len();
        let whole = read < LINE_BYTES || line.ends_with(b"\n");
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        buffer.push(which, String::from_utf8_lossy(&line).into_owned());
        buffer.split(read);
        if !whole && skip_line(&mut reader, buffer).await.is_none() {
            return;
        }
    }
}

/// Skips the rest of a line; `None` at the end of the stream.
async fn skip_line(reader: &mut (impl AsyncBufReadExt + Unpin), buffer: &OutputBuffer) -> Option<()> {
    loop {
        let bytes = reader.fill_buf().await.ok().filter(|bytes| !bytes.is_empty())?;
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(bytes.len(), |at| at + 1);
        reader.consume(length);
        buffer.split(length);
        if end.is_some() {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;

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

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_printed_before_a_call_is_there_when_it_has_caught_up() {
        let (mut out, pipe) = tokio::net::unix::pipe::pipe().unwrap();
        let mut output = Output::new(None);
        output.read_pipe(OutputStream::Out, pipe);
        let far = Instant::now() + Duration::from_secs(60);
        for i in 0..2000 {
            let line = format!("line {i}\n");
            out.write_all(line.as_bytes()).await.unwrap();
            output.caught_up(far).await;
            assert_eq!(output.lines().last().map(String::as_str), Some(line.trim_end()));
        }
        out.write_all(b"no end").await.unwrap();
        output.caught_up(Instant::now() + Duration::from_millis(50)).await;
        assert_eq!(output.lines().last().map(String::as_str), Some("line 1999"));
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
