//! Gateways: proxies whose program, arguments and configuration come along.

/// A proxy that can be started by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GatewayProduct {
    Nginx,
    Haproxy,
    Apache,
    Envoy,
    Traefik,
    Caddy,
    Varnish,
    Squid,
}

impl GatewayProduct {
    pub const ALL: &'static [GatewayProduct] = &[
        GatewayProduct::Nginx,
        GatewayProduct::Haproxy,
        GatewayProduct::Apache,
        GatewayProduct::Envoy,
        GatewayProduct::Traefik,
        GatewayProduct::Caddy,
        GatewayProduct::Varnish,
        GatewayProduct::Squid,
    ];

    /// Returns its name in scenarios.
    pub fn word(self) -> &'static str {
        match self {
            GatewayProduct::Nginx => "nginx",
            GatewayProduct::Haproxy => "haproxy",
            GatewayProduct::Apache => "apache",
            GatewayProduct::Envoy => "envoy",
            GatewayProduct::Traefik => "traefik",
            GatewayProduct::Caddy => "caddy",
            GatewayProduct::Varnish => "varnish",
            GatewayProduct::Squid => "squid",
        }
    }

    /// Returns the product of a word.
    pub fn of(word: &str) -> Option<GatewayProduct> {
        GatewayProduct::ALL.iter().copied().find(|product| product.word() == word)
    }
}
