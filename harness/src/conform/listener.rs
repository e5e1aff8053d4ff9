//! Receives the calls that a target makes, over HTTP/1.1, and keeps their fields byte for byte. Calls over other
//! transports are kept in the same log.
//!
//! It reads more than HTTP allows: what a target sends is evidence, and odd bytes in a field are no reason to refuse
//! the call. Its path alone identifies a call.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::judge::Call;
use crate::evidence::RawFields;
use crate::wire::trim_ows;

/// More than any head with the fields that vectors send.
const LONGEST_HEAD: usize = 16 << 20;
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The answer of the service behind a forwarder.
#[derive(Clone, Debug, Default)]
pub struct UpstreamAnswer {
    pub fields: RawFields,
    /// So many requests are answered with 503 before one succeeds.
    pub failures: usize,
}

/// One request of one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey {
    pub vector: usize,
    pub request: usize,
}

/// Listens until it is dropped.
#[derive(Debug)]
pub struct CallbackListener {
    address: SocketAddr,
    /// The `host:port` by which the target reaches it.
    authority: String,
    /// Keeps calls of earlier runs apart.
    nonce: u64,
    state: Arc<CallSink>,
    _tasks: JoinSet<()>,
}

/// The log of all calls, which every transport adds to.
#[derive(Debug)]
pub struct CallSink {
    prefix: String,
    log: Mutex<CallLog>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct CallLog {
    calls: HashMap<RequestKey, Vec<Call>>,
    /// Requests that the target has answered.
    answered: HashSet<RequestKey>,
    /// The answers to calls that are not the usual one.
    prepared: HashMap<RequestKey, UpstreamAnswer>,
    /// The fields of the answers of forwarders.
    forwarded: HashMap<RequestKey, RawFields>,
}

impl CallbackListener {
    /// Listens at `at`. The target reaches it by the name `host`, or by its address.
    pub async fn start(at: SocketAddr, host: Option<&str>, nonce: u64) -> std::io::Result<CallbackListener> {
        let listener = TcpListener::bind(at).await?;
        let address = listener.local_addr()?;
        let authority = match host {
            Some(host) => format!("{host}:{}", address.port()),
            None => address.to_string(),
        };
        let prefix = format!("/{nonce:016x}/");
        let state = Arc::new(CallSink { prefix, log: Mutex::default(), changed: watch::Sender::default() });
        let mut tasks = JoinSet::new();
        let serving = state.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, serving.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(CallbackListener { address, authority, nonce, state, _tasks: tasks })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the path that identifies a call.
    pub fn path(&self, key: RequestKey, call: usize) -> String {
        format!("/{:016x}/{}/{}/{call}", self.nonce, key.vector, key.request)
    }

    /// Returns the path that identifies the calls of a batch, in which a relay replaces `{i}` by their numbers.
    pub fn batch_path(&self, key: RequestKey) -> String {
        format!("/{:016x}/{}/{}/{{i}}", self.nonce, key.vector, key.request)
    }

    /// Keeps the only call of a request that did not arrive here.
    pub fn keep(&self, key: RequestKey, fields: RawFields) {
        self.state.take(&self.path(key, 0), fields);
    }

    /// Returns the log, for the listeners of other transports.
    pub fn sink(&self) -> Arc<CallSink> {
        Arc::clone(&self.state)
    }

    pub fn url(&self, key: RequestKey, call: usize) -> String {
        format!("http://{}{}", self.authority, self.path(key, call))
    }

    /// Resolves when this many calls of the request have come, or at the deadline.
    pub async fn until_called(&self, key: RequestKey, calls: usize, deadline: Instant) {
        let mut changed = self.state.changed.subscribe();
        let all = async {
            loop {
                changed.borrow_and_update();
                let numbers: HashSet<usize> = self.calls(key).iter().map(|call| call.number).collect();
                if numbers.len() >= calls || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout_at(deadline, all).await;
    }

    /// Returns the `host:port` by which a target reaches it.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Marks calls of this request that come from now on as late.
    pub fn answered(&self, key: RequestKey) {
        self.state.log().answered.insert(key);
    }

    /// Prepares the answer to the calls of a request.
    pub fn prepare(&self, key: RequestKey, answer: UpstreamAnswer) {
        self.state.log().prepared.insert(key, answer);
    }

    /// Keeps the fields of the answer.
    pub fn keep_answer(&self, key: RequestKey, fields: RawFields) {
        self.state.log().forwarded.insert(key, fields);
    }

    /// Returns the fields of the answer; empty where none were kept.
    pub fn answer_of(&self, key: RequestKey) -> RawFields {
        self.state.log().forwarded.remove(&key).unwrap_or_default()
    }

    pub fn calls(&self, key: RequestKey) -> Vec<Call> {
        self.state.log().calls.get(&key).cloned().unwrap_or_default()
    }

    /// Forgets a request that is sent again.
    pub fn forget(&self, key: RequestKey) {
        let mut log = self.state.log();
        log.calls.remove(&key);
        log.answered.remove(&key);
    }
}

impl CallSink {
    fn log(&self) -> MutexGuard<'_, CallLog> {
        self.log.lock()
    }

    /// Keeps a call by the path that identifies it, which is the target of its request or stands in its body. Returns
    /// false if no vector arranged it.
    pub(super) fn take(&self, text: &str, fields: RawFields) -> bool {
        let Some((key, number)) = self.identified(text) else { return false };
        {
            let mut log = self.log();
            let is_late = log.answered.contains(&key);
            log.calls.entry(key).or_default().push(Call { number, fields, is_late });
        }
        self.changed.send_modify(|count| *count += 1);
        true
    }
}

impl CallSink {
    /// Returns the request that a text identifies, and the number of its call.
    fn identified(&self, text: &str) -> Option<(RequestKey, usize)> {
        let at = text.find(&self.prefix)?;
        let rest = &text[at + self.prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '/').unwrap_or(rest.len());
        let numbers: Vec<usize> = rest[..end].split('/').filter_map(|part| part.parse().ok()).collect();
        let [vector, request, number] = numbers[..] else { return None };
        Some((RequestKey { vector, request }, number))
    }

    /// Returns the answer to a call, which has been taken.
    fn answer(&self, target: &str) -> Vec<u8> {
        let mut log = self.log();
        let prepared = self.identified(target).and_then(|(key, _)| log.prepared.get_mut(&key));
        let Some(prepared) = prepared else { return ANSWER.to_vec() };
        if prepared.failures > 0 {
            prepared.failures -= 1;
            return UNAVAILABLE.to_vec();
        }
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n".to_vec();
        for (name, value) in &prepared.fields {
            answer.extend([&name[..], b": ", value, b"\r\n"].concat());
        }
        answer.extend_from_slice(b"\r\n{}");
        answer
    }
}

/// Serves one connection: it answers call after call.
async fn serve(stream: TcpStream, state: Arc<CallSink>) {
    let _ = stream.set_nodelay(true);
    let mut connection = Connection { stream, buffer: Vec::new() };
    while let Some(head) = connection.head().await {
        if head.has("expect", b"100-continue") && connection.stream.write_all(CONTINUE).await.is_err() {
            return;
        }
        if connection.skip_body(&head).await.is_none() {
            return;
        }
        let closes = head.has("connection", b"close");
        let is_known = state.take(&head.target, head.fields);
        let answer = if is_known { state.answer(&head.target) } else { NOT_FOUND.to_vec() };
        if connection.stream.write_all(&answer).await.is_err() || closes {
            return;
        }
    }
}

struct Head {
    target: String,
    fields: RawFields,
}

impl Head {
    /// Reads a request line and fields, as they stand.
    fn read(bytes: &[u8]) -> Head {
        let mut lines =
            bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
        let fields = lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((line[..colon].to_vec(), trim_ows(&line[colon + 1..]).to_vec()))
        });
        Head { target, fields: fields.collect() }
    }

    fn value(&self, name: &str) -> Option<&[u8]> {
        let mut named = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name.as_bytes()));
        named.next().map(|(_, value)| value.as_slice())
    }

    fn has(&self, name: &str, value: &[u8]) -> bool {
        self.value(name).is_some_and(|seen| seen.eq_ignore_ascii_case(value))
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Reads the next head. Returns `None` at the end of the connection.
    async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let head = Head::read(&self.buffer[..end]);
                self.buffer.drain(..end + 4);
                return Some(head);
            }
            if self.buffer.len() > LONGEST_HEAD {
                return None;
            }
            self.fill().await?;
        }
    }

    async fn skip_body(&mut self, head: &Head) -> Option<()> {
        if head.value("transfer-encoding").is_some() {
            return self.skip_chunks().await;
        }
        let length = head.value("content-length").unwrap_or(b"0");
        self.skip(std::str::from_utf8(length).ok()?.trim().parse().ok()?).await
    }

    /// Skips a chunked body (RFC 9112, 7.1).
    async fn skip_chunks(&mut self) -> Option<()> {
        loop {
            let line = self.line().await?;
            let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let length = usize::from_str_radix(std::str::from_utf8(digits).ok()?.trim(), 16).ok()?;
            if length == 0 {
                while !self.line().await?.is_empty() {}
                return Some(());
            }
            self.skip(length.checked_add(2)?).await?;
        }
    }

    async fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                let line = self.buffer[..end].to_vec();
                self.buffer.drain(..end + 2);
                return Some(line);
            }
            self.fill().await?;
        }
    }

    async fn skip(&mut self, mut length: usize) -> Option<()> {
        loop {
            let here = length.min(self.buffer.len());
            self.buffer.drain(..here);
            length -= here;
            if length == 0 {
                return Some(());
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Option<()> {
        self.buffer.reserve(8192);
        let read = self.stream.read_buf(&mut self.buffer).await.ok()?;
        (read > 0).then_some(())
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn fields_are_kept_byte_for_byte_and_the_path_identifies_a_call() {
        let listener = CallbackListener::start(([127, 0, 0, 1], 0).into(), None, 7).await.unwrap();
        let key = RequestKey { vector: 3, request: 0 };
        let mut stream = TcpStream::connect(listener.address()).await.unwrap();
        let first = format!(
            "POST {} HTTP/1.1\r\nTraceParent:  a\tb \r\nx: 1\r\nx: 2\r\nContent-Length: 2\r\n\r\n[]",
            listener.path(key, 0)
        );
        let second = format!(
            "POST {} HTTP/1.1\r\nodd: \u{1}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
            listener.path(key, 1)
        );
        stream.write_all(first.as_bytes()).await.unwrap();
        listener.until_called(key, 1, Instant::now() + Duration::from_secs(20)).await;
        listener.answered(key);
        stream.write_all(second.as_bytes()).await.unwrap();
        listener.until_called(key, 2, Instant::now() + Duration::from_secs(20)).await;
        let calls = listener.calls(key);
        assert_eq!(calls[0].fields[0], (b"TraceParent".to_vec(), b"a\tb".to_vec()));
        assert_eq!(calls[0].fields[2], (b"x".to_vec(), b"2".to_vec()));
        assert_eq!(calls[1].fields[0], (b"odd".to_vec(), b"\x01".to_vec()));
        assert_eq!((calls[0].is_late, calls[1].is_late), (false, true));
        assert!(listener.calls(RequestKey { vector: 3, request: 1 }).is_empty());
    }
}
