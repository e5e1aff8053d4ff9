//! The service behind a forwarder: the listeners of the harness, whose addresses the forwarder is started with.

use std::net::SocketAddr;

/// Stands for `http://host:port` in a command or a variable.
const URL: &str = "${upstream.url}";
/// Stands for `host:port` of HTTP.
const AUTHORITY: &str = "${upstream.authority}";
/// Stands for `host:port` of gRPC.
const GRPC: &str = "${upstream.grpc}";

/// The addresses to which a forwarder forwards.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// `host:port`.
    pub http: String,
    pub grpc: SocketAddr,
}

impl Upstream {
    /// Returns true for a text that names one of these addresses.
    pub fn is_named_in(text: &str) -> bool {
        [URL, AUTHORITY, GRPC].iter().any(|placeholder| text.contains(placeholder))
    }

    /// Replaces the placeholders.
    pub fn fill(&self, text: &str) -> String {
        let url = format!("http://{}", self.http);
        text.replace(URL, &url).replace(AUTHORITY, &self.http).replace(GRPC, &self.grpc.to_string())
    }

    /// Returns the variables that make the model relay a forwarder.
    pub fn variables_of_the_model(&self) -> Vec<(String, String)> {
        let variables = [
            ("RELAY_MODEL_ROLE", "forwarder".to_owned()),
            ("RELAY_MODEL_FORWARD", format!("http://{}", self.http)),
            ("RELAY_MODEL_FORWARD_GRPC", format!("http://{}", self.grpc)),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_the_addresses() {
        let upstream = Upstream { http: "127.0.0.1:9".to_owned(), grpc: ([127, 0, 0, 1], 8).into() };
        let text = "proxy --to ${upstream.url} ${upstream.authority} ${upstream.grpc}";
        assert!(Upstream::is_named_in(text) && !Upstream::is_named_in("${self.port}"));
        assert_eq!(upstream.fill(text), "proxy --to http://127.0.0.1:9 127.0.0.1:9 127.0.0.1:8");
    }
}
