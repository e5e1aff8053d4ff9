//! An engine that answers requests, up to one that it accepts and never answers.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// A fake engine; it ends with the process of the test.
pub struct Fake {
    /// The value for `DOCKER_HOST`.
    pub host: String,
    requests: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone)]
struct Talk {
    requests: Arc<Mutex<Vec<String>>>,
    /// A part of the first line of the request that is not answered.
    hangs: &'static str,
    /// It answers no later request either.
    for_good: bool,
}

impl Fake {
    pub fn hanging_at(hangs: &'static str) -> Fake {
        Fake::on_port(hangs, false)
    }

    pub fn hanging_from(hangs: &'static str) -> Fake {
        Fake::on_port(hangs, true)
    }

    fn on_port(hangs: &'static str, for_good: bool) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = format!("tcp://{}", listener.local_addr().unwrap());
        let talk = Talk { requests: Arc::default(), hangs, for_good };
        Fake { host, requests: talk.with_each(move || listener.accept().map(|(stream, _)| stream)) }
    }

    /// Listens on a socket of the file system, and answers nothing.
    pub fn on_socket(path: &Path) -> Fake {
        let listener = UnixListener::bind(path).unwrap();
        let host = format!("unix://{}", path.display());
        let talk = Talk { requests: Arc::default(), hangs: "", for_good: true };
        Fake { host, requests: talk.with_each(move || listener.accept().map(|(stream, _)| stream)) }
    }

    /// Returns whether a request had this in its first line.
    pub fn was_asked(&self, what: &str) -> bool {
        self.requests.lock().unwrap().iter().any(|line| line.contains(what))
    }
}

impl Talk {
    /// Serves connections side by side; returns the list of first lines.
    fn with_each<S: Read + Write + Send + 'static>(
        self,
        accept: impl Fn() -> std::io::Result<S> + Send + 'static,
    ) -> Arc<Mutex<Vec<String>>> {
        let requests = self.requests.clone();
        thread::spawn(move || {
            loop {
                let Ok(stream) = accept() else { continue };
                let talk = self.clone();
                thread::spawn(move || talk.with(stream));
            }
        });
        requests
    }

    /// Reads one request, and answers it or hangs.
    fn with(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        let mut head = Vec::new();
        while head.last().is_none_or(|line: &String| !line.trim().is_empty()) {
            let mut line = String::new();
            if !stream.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                return;
            }
            head.push(line);
        }
        let is_hanging = {
            let mut requests = self.requests.lock().unwrap();
            requests.push(head[0].clone());
            let mut counted = requests.iter().filter(|_| self.for_good).chain([&head[0]]);
            counted.any(|line| line.contains(self.hangs))
        };
        let mut body = vec![0; length(&head)];
        if is_hanging || stream.read_exact(&mut body).is_err() {
            // Until the client closes the connection.
            let _ = stream.read_to_end(&mut body);
            return;
        }
        let (status, answer) = answer(&head[0]);
        let answer = format!(
            "HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{answer}",
            answer.len(),
        );
        let _ = stream.get_mut().write_all(answer.as_bytes());
    }
}

fn length(head: &[String]) -> usize {
    let named = |line: &String| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    };
    head.iter().find_map(named).unwrap_or(0)
}

fn answer(line: &str) -> (&'static str, String) {
    let is = |part: &str| line.contains(part);
    let (status, body) = match line.split(' ').next().unwrap() {
        "GET" if is("_ping") => ("200 OK", "OK"),
        // The containers of all runs.
        "GET" if is("containers/json") && is("unbroken.run%22") => return ("200 OK", left_before()),
        "GET" if is("containers/json") || is("networks?") => ("200 OK", "[]"),
        // The gateway is this machine, so that nothing must be published.
        "GET" if is("networks/") => ("200 OK", r#"{"IPAM": {"Config": [{"Gateway": "127.0.0.1"}]}}"#),
        "GET" if is("images/") && !is("nothing") => ("200 OK", "{}"),
        "POST" if is("create") => ("201 Created", r#"{"Id": "made", "Warnings": [], "Warning": ""}"#),
        "DELETE" | "POST" => ("204 No Content", ""),
        _ => ("404 Not Found", r#"{"message": "no such thing"}"#),
    };
    (status, body.to_owned())
}

/// Returns a container of a run from before the machine was restarted.
fn left_before() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let owner = format!("{}/before/any/1/1", host.trim());
    format!(r#"[{{"Id": "left", "Labels": {{"unbroken.run": "before", "unbroken.owner": "{owner}"}}}}]"#)
}
