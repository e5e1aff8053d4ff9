//! A service of the W3C suite on plain sockets: a thread for each connection, one request each.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::propagation::{Defect, Fields, Incoming, Propagation};

/// It serves until it is dropped.
pub struct Service {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Service {
    pub fn start(defect: Option<Defect>) -> Service {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let ends = ended.clone();
        let propagation = Arc::new(Propagation::new(defect));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                let propagation = propagation.clone();
                // A connection that breaks off is the other side's affair.
                std::thread::spawn(move || drop(serve(stream, &propagation)));
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

fn serve(stream: TcpStream, propagation: &Propagation) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (first, fields) = head(&mut reader)?;
    let length = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let length =
        length.and_then(|(_, value)| String::from_utf8_lossy(value).trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let status = match first.starts_with("POST ") {
        true => carry_out(&body, &fields, propagation)?,
        false => 405,
    };
    let mut stream = stream;
    stream.write_all(
        format!("HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes(),
    )
}

fn carry_out(body: &[u8], fields: &Fields, propagation: &Propagation) -> std::io::Result<u16> {
    let Ok(steps) = serde_json::from_slice::<Vec<serde_json::Value>>(body) else { return Ok(400) };
    let Some(incoming) = propagation.extract(fields) else { return Ok(500) };
    for (number, step) in steps.iter().enumerate() {
        call(step["url"].as_str().unwrap_or_default(), &incoming, number, propagation)?;
    }
    Ok(200)
}

fn call(url: &str, incoming: &Incoming, number: usize, propagation: &Propagation) -> std::io::Result<()> {
    let rest = url.strip_prefix("http://").unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut stream = TcpStream::connect(authority)?;
    let mut head = format!("POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 2\r\n").into_bytes();
    for (name, value) in propagation.inject(incoming, number) {
        head.extend([&name[..], b": ", &value, b"\r\n"].concat());
    }
    head.extend_from_slice(b"Connection: close\r\n\r\n[]");
    stream.write_all(&head)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).map(drop)
}

/// The request line, and the fields as bytes with the spaces that stand around their values.
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
