//! The configuration of Envoy that comes along.

use std::fmt::Write;

use super::Route;

/// One span for each request and one for its forwarding, exported as they end.
const TRACING: &str = r#"                tracing:
                  spawn_upstream_span: true
                  provider:
                    name: envoy.tracers.opentelemetry
                    typed_config:
                      "@type": type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig
                      grpc_service: { envoy_grpc: { cluster_name: otlp }, timeout: 5s }
                      service_name: envoy
"#;

const EXPORTER: &str = r#"    - name: otlp
      type: STATIC
      connect_timeout: 5s
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
      load_assignment:
        cluster_name: otlp
        endpoints:
          - lb_endpoints:
              - endpoint: { address: { socket_address: { address: ${otlp.host}, port_value: ${otlp.port} } } }
layered_runtime:
  layers:
    - name: flush
      static_layer: { tracing.opentelemetry.min_flush_spans: 1, tracing.opentelemetry.flush_interval_ms: 100 }
"#;

/// Returns the configuration for these routes; with `tracing`, it exports spans.
pub fn text(routes: &[Route], tracing: bool) -> String {
    let (mut listeners, mut clusters) = (String::new(), String::new());
    let spans = if tracing { TRACING } else { "" };
    for (number, route) in routes.iter().enumerate() {
        let port = route.port;
        let _ = write!(
            listeners,
            r#"    - name: in{number}
      address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                codec_type: AUTO
                stat_prefix: in{number}
                upgrade_configs: [{{ upgrade_type: websocket }}]
{spans}                http_filters:
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - match: {{ prefix: "/" }}
                          route: {{ cluster: out{number}, timeout: 0s }}
"#
        );
        let http2 = if route.is_http2_outward() {
            r#"      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
"#
        } else {
            ""
        };
        let (host, target_port) = (route.host(), route.target_port());
        let _ = write!(
            clusters,
            r#"    - name: out{number}
      type: STATIC
      connect_timeout: 5s
{http2}      load_assignment:
        cluster_name: out{number}
        endpoints:
          - lb_endpoints:
              - endpoint: {{ address: {{ socket_address: {{ address: {host}, port_value: {target_port} }} }} }}
"#
        );
    }
    let exporter = if tracing { EXPORTER } else { "" };
    format!("static_resources:\n  listeners:\n{listeners}  clusters:\n{clusters}{exporter}")
}
