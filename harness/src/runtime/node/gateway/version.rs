//! The version of a gateway, as its program prints it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::scenario::GatewayProduct;

/// A program that prints its version does so within this time.
const WITHIN: Duration = Duration::from_secs(10);

/// By program; each is started once.
type KnownVersions = Mutex<HashMap<PathBuf, Arc<OnceCell<Option<String>>>>>;

/// Returns the version of a program; `None` where it prints none.
pub async fn version(product: GatewayProduct, program: &Path) -> Option<String> {
    static KNOWN: std::sync::LazyLock<KnownVersions> = std::sync::LazyLock::new(KnownVersions::default);
    let cell = KNOWN.lock().entry(program.to_owned()).or_default().clone();
    cell.get_or_init(|| printed(product, program)).await.clone()
}

async fn printed(product: GatewayProduct, program: &Path) -> Option<String> {
    let mut command = Command::new(program);
    command.arg(argument(product)).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(WITHIN, command.output()).await.ok()?.ok()?;
    let text = [output.stdout, output.stderr].concat();
    first_version(&String::from_utf8_lossy(&text)).map(str::to_owned)
}

fn argument(product: GatewayProduct) -> &'static str {
    match product {
        GatewayProduct::Nginx | GatewayProduct::Haproxy | GatewayProduct::Apache | GatewayProduct::Squid => {
            "-v"
        }
        GatewayProduct::Envoy => "--version",
        GatewayProduct::Traefik | GatewayProduct::Caddy => "version",
        GatewayProduct::Varnish => "-V",
    }
}

/// Returns the first word that looks like a version: digits and a dot, behind a `v` or a name with a hyphen.
fn first_version(text: &str) -> Option<&str> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '/' | '(' | ')'));
    words.filter_map(|word| word.find(|c: char| c.is_ascii_digit()).map(|at| word.split_at(at))).find_map(
        |(name, version)| {
            let named = name.is_empty() || name == "v" || name.ends_with('-');
            let dotted = version.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('.');
            (named && dotted).then_some(version)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_each_product_prints() {
        for (text, version) in [
            ("nginx version: nginx/1.22.1\n", "1.22.1"),
            ("HAProxy version 2.6.12-1+deb12u4 2026/10/17\n", "2.6.12-1+deb12u4"),
            ("Server version: Apache/2.4.71 (Debian)\nServer built: 2026-10-17\n", "2.4.71"),
            ("\nenvoy  version: 9e5580933739775e8b/1.40.0/Clean/RELEASE/BoringSSL\n", "1.40.0"),
            ("Version:      3.7.15\nGo version:   go1.26.9\n", "3.7.15"),
            ("v2.11.7 h1:yj0Y4fYZ=\n", "2.11.7"),
            ("Squid Cache: Version 5.7\nService Name: squid\n", "5.7"),
            ("varnishd (varnish-7.1.1 revision 7cee1c581b)\n", "7.1.1"),
        ] {
            assert_eq!(first_version(text), Some(version), "{text}");
        }
        assert_eq!(first_version("unknown option\n"), None);
    }
}
