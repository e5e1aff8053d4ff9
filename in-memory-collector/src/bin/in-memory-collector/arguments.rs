//! The command line.

use std::net::SocketAddr;

use clap::Parser;
use in_memory_collector::Limits;

/// An OTLP collector that keeps what it is sent and answers questions about it
#[derive(Debug, Parser)]
#[command(version)]
pub struct Arguments {
    /// A port, as NAME=ADDRESS; each speaks gRPC, HTTP/1.1 and HTTP/2. May be given again
    /// [default: grpc=127.0.0.1:4317 and http=127.0.0.1:4318]
    #[arg(long = "listen", value_name = "NAME=ADDRESS", value_parser = named_address)]
    listen: Vec<(String, SocketAddr)>,
    /// The address for queries: GET /healthz, /stats, /v1/traces, /v1/logs, /requests; POST /clear
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4319")]
    pub query: SocketAddr,
    /// Print what arrives as OTLP/JSON, a request a line
    #[arg(long)]
    pub json_lines: bool,
    /// Bytes of one request, as it comes and decompressed
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes)]
    message_bytes: u64,
    /// Bytes of all that is kept; beyond it requests are refused
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().store_bytes)]
    store_bytes: usize,
    /// Bytes of all requests that are being received
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().receiving_bytes)]
    receiving_bytes: usize,
    /// Records of requests that are kept
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().request_records)]
    request_records: usize,
    /// Threads that serve connections
    #[arg(long, value_name = "COUNT", default_value_t = Limits::default().threads)]
    threads: usize,
}

impl Arguments {
    pub fn limits(&self) -> Limits {
        Limits {
            message_bytes: self.message_bytes,
            store_bytes: self.store_bytes,
            receiving_bytes: self.receiving_bytes,
            request_records: self.request_records,
            threads: self.threads,
            ..Limits::default()
        }
    }

    pub fn listen(&self) -> Vec<(String, SocketAddr)> {
        if !self.listen.is_empty() {
            return self.listen.clone();
        }
        let at = |name: &str, port: u16| (name.to_owned(), SocketAddr::from(([127, 0, 0, 1], port)));
        vec![at("grpc", 4317), at("http", 4318)]
    }
}

/// The reason why a `--listen` is not understood.
#[derive(Debug, thiserror::Error)]
enum BadListen {
    #[error("expected NAME=ADDRESS, such as grpc=127.0.0.1:4317")]
    Form,
    #[error("`{0}`: {1}")]
    Address(String, std::net::AddrParseError),
}

fn named_address(text: &str) -> Result<(String, SocketAddr), BadListen> {
    let (name, address) = text.split_once('=').ok_or(BadListen::Form)?;
    let address = address.parse().map_err(|error| BadListen::Address(address.to_owned(), error))?;
    Ok((name.to_owned(), address))
}
