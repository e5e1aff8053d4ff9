//! A service of the W3C suite on plain sockets: a thread for each connection, one request each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Fields in their order, as bytes.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The propagation of a service: it reads the context of a request and writes the context of each call.
pub trait Carrier: Send + Sync + 'static {
    type Incoming;

    /// Reads the context. Returns `None` for a request that the service answers with an error.
    fn extract(&self, fields: &Fields) -> Option<Self::Incoming>;

    /// Returns the fields of call `number`.
    fn inject(&self, incoming: &Self::Incoming, number: usize) -> Fields;
}

/// A service that runs until it is dropped.
pub struct Service {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Service {
    pub fn start(carrier: impl Carrier) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let ends = ended.clone();
        let carrier = Arc::new(carrier);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let carrier = carrier.clone();
                // A connection that breaks off does not matter here.
                std::thread::spawn(move || drop(serve(stream, &*carrier)));
            }
        });
        Service { address, ended }
    }

    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, carrier: &impl Carrier) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (first, fields) = head(&mut reader)?;
    let length = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let length =
        length.and_then(|(_, value)| String::from_utf8_lossy(value).trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let status = if first.starts_with("POST ") { carry_out(&body, &fields, carrier)? } else { 405 };
    let mut stream = stream;
    stream.write_all(
        format!("HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes(),
    )
}

fn carry_out(body: &[u8], fields: &Fields, carrier: &impl Carrier) -> std::io::Result<u16> {
    let Ok(steps) = serde_json::from_slice::<Vec<serde_json::Value>>(body) else { return Ok(400) };
    let Some(incoming) = carrier.extract(fields) else { return Ok(500) };
    for (number, step) in steps.iter().enumerate() {
        call(step["url"].as_str().unwrap_or_default(), carrier.inject(&incoming, number))?;
    }
    Ok(200)
}

fn call(url: &str, fields: Fields) -> std::io::Result<()> {
    let rest = url.strip_prefix("http://").unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(authority)?;
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 2\r\n").into_bytes();
    for (name, value) in fields {
        head.extend([&name[..], b": ", &value, b"\r\n"].concat());
    }
    head.extend_from_slice(b"Connection: close\r\n\r\n[]");
    stream.write_all(&head)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map(drop)
}

/// Reads the request line, and the fields as bytes with the spaces around their values.
fn head(reader: &mut impl BufRead) -> std::io::Result<(String, Fields)> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    let first = String::from_utf8_lossy(&line).into_owned();
    let mut fields = Fields::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        let field = line.strip_suffix(b"\r\n").unwrap_or(&line);
        let Some(colon) = field.iter().position(|byte| *byte == b':') else { return Ok((first, fields)) };
        fields.push((field[..colon].to_vec(), field[colon + 1..].to_vec()));
    }
}
