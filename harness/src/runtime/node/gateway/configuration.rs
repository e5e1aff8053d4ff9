//! The configurations that come along: as each product forwards by default, without caching and without an access log.
//!
//! Nothing about headers is set, so that what is judged is what the product does by itself. Each text is a template, as
//! a configuration of the user's is.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::{Route, RouteProtocol, envoy};
use crate::scenario::GatewayProduct;

/// The path that answers when the configuration of Traefik is in use: it listens before it has read it.
const READY: &str = "/-/gateway-ready";

/// Returns the name of the configuration in `${self.dir}`.
pub fn file_name(product: GatewayProduct) -> &'static str {
    match product {
        GatewayProduct::Nginx => "nginx.conf",
        GatewayProduct::Haproxy => "haproxy.cfg",
        GatewayProduct::Apache => "httpd.conf",
        GatewayProduct::Envoy => "envoy.yaml",
        GatewayProduct::Traefik => "traefik.yaml",
        GatewayProduct::Caddy => "Caddyfile",
        GatewayProduct::Varnish => "default.vcl",
        GatewayProduct::Squid => "squid.conf",
    }
}

/// Returns the arguments that make a product trace, where its configuration does not.
pub fn tracing_arguments(product: GatewayProduct) -> &'static [&'static str] {
    match product {
        GatewayProduct::Traefik => &[
            "--tracing.otlp.http=true",
            "--tracing.otlp.http.endpoint=${otlp.endpoint}/v1/traces",
            "--tracing.samplerate=1.0",
        ],
        GatewayProduct::Nginx
        | GatewayProduct::Haproxy
        | GatewayProduct::Apache
        | GatewayProduct::Envoy
        | GatewayProduct::Caddy
        | GatewayProduct::Varnish
        | GatewayProduct::Squid => &[],
    }
}

/// Returns the arguments, with templates.
pub fn arguments(product: GatewayProduct) -> &'static [&'static str] {
    match product {
        GatewayProduct::Nginx => &["-p", "${self.dir}", "-c", "${self.dir}/nginx.conf"],
        GatewayProduct::Haproxy => &["-db", "-f", "${self.dir}/haproxy.cfg"],
        GatewayProduct::Apache => &["-d", "${self.dir}", "-f", "${self.dir}/httpd.conf", "-DFOREGROUND"],
        GatewayProduct::Envoy => {
            &["-c", "${self.dir}/envoy.yaml", "--disable-hot-restart", "--concurrency", "1", "-l", "warning"]
        }
        GatewayProduct::Traefik => &[
            "--entrypoints.http.address=127.0.0.1:${self.port}",
            "--entrypoints.grpc.address=127.0.0.1:${self.port.grpc}",
            "--providers.file.filename=${self.dir}/traefik.yaml",
            "--ping=true",
            "--ping.manualrouting=true",
            "--log.level=ERROR",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
        ],
        GatewayProduct::Caddy => &["run", "--config", "${self.dir}/Caddyfile", "--adapter", "caddyfile"],
        GatewayProduct::Varnish => &[
            "-F",
            // The folder belongs to the user who runs the harness, and to nobody else.
            "-j",
            "none",
            "-n",
            "${self.dir}/state",
            "-a",
            "127.0.0.1:${self.port}",
            "-f",
            "${self.dir}/default.vcl",
            "-s",
            "malloc,16m",
            "-p",
            "feature=+http2",
        ],
        // Each instance has a name of its own, which stands in the names of what it shares between processes.
        GatewayProduct::Squid => &["-N", "-n", "unbroken${self.port}", "-f", "${self.dir}/squid.conf"],
    }
}

/// Returns the path that answers when the configuration that comes along is in use.
pub fn ready_path(product: GatewayProduct) -> Option<&'static str> {
    match product {
        GatewayProduct::Traefik => Some(READY),
        GatewayProduct::Nginx
        | GatewayProduct::Haproxy
        | GatewayProduct::Apache
        | GatewayProduct::Envoy
        | GatewayProduct::Caddy
        | GatewayProduct::Varnish
        | GatewayProduct::Squid => None,
    }
}

/// Returns the configuration for these routes, or what the product cannot do. With `tracing`, the gateway takes part in
/// traces.
pub fn text(
    product: GatewayProduct,
    routes: &[Route],
    program: &Path,
    tracing: bool,
) -> Result<String, &'static str> {
    match product {
        GatewayProduct::Nginx
        | GatewayProduct::Haproxy
        | GatewayProduct::Apache
        | GatewayProduct::Varnish
        | GatewayProduct::Squid
            if tracing =>
        {
            Err("this product traces with an extension only, so it cannot be a participant")
        }
        GatewayProduct::Nginx => nginx(routes),
        GatewayProduct::Haproxy => Ok(haproxy(routes)),
        GatewayProduct::Apache => apache(routes, program),
        GatewayProduct::Envoy => Ok(envoy::text(routes, tracing)),
        GatewayProduct::Traefik => Ok(traefik(routes)),
        GatewayProduct::Caddy => Ok(caddy(routes, tracing)),
        GatewayProduct::Varnish => varnish(routes),
        GatewayProduct::Squid => squid(routes),
    }
}

impl Route {
    fn is_http2_inward(&self) -> bool {
        self.inward != RouteProtocol::Http1
    }

    pub(super) fn is_http2_outward(&self) -> bool {
        self.outward != RouteProtocol::Http1
    }

    /// Returns the template of the host behind it.
    pub(super) fn host(&self) -> String {
        self.part("host")
    }

    pub(super) fn target_port(&self) -> String {
        self.part("port")
    }

    fn part(&self, part: &str) -> String {
        let grpc = if self.outward == RouteProtocol::Grpc { ".grpc" } else { "" };
        format!("${{{}{grpc}.{part}}}", self.next)
    }

    fn target(&self) -> String {
        format!("{}:{}", self.host(), self.target_port())
    }
}

fn nginx(routes: &[Route]) -> Result<String, &'static str> {
    let mut servers = String::new();
    for route in routes {
        let (port, target) = (route.port, route.target());
        let http2 = if route.is_http2_inward() { " http2" } else { "" };
        let pass = match route.outward {
            RouteProtocol::Http1 => format!("proxy_pass http://{target};"),
            RouteProtocol::Grpc => format!("grpc_pass grpc://{target};"),
            RouteProtocol::Http2 => return Err("nginx sends HTTP/2 to servers of gRPC only"),
        };
        let _ = write!(
            servers,
            r#"
  server {{
    listen 127.0.0.1:{port}{http2};
    location / {{
      {pass}
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }}
  }}
"#
        );
    }
    Ok(format!(
        r#"daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  map $http_upgrade $connection_upgrade {{
    default upgrade;
    "" "";
  }}
{servers}}}
"#
    ))
}

fn haproxy(routes: &[Route]) -> String {
    let mut text =
        "global\n  maxconn 500\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  \
                    timeout server 60s\n  timeout tunnel 60s\n"
            .to_owned();
    for (number, route) in routes.iter().enumerate() {
        let inward = if route.is_http2_inward() { " proto h2" } else { "" };
        let outward = if route.is_http2_outward() { " proto h2" } else { "" };
        let _ = write!(
            text,
            "frontend in{number}\n  bind 127.0.0.1:{}{inward}\n  default_backend out{number}\nbackend out{number}\n  server next \
             {}{outward}\n",
            route.port,
            route.target()
        );
    }
    text
}

fn apache(routes: &[Route], program: &Path) -> Result<String, &'static str> {
    let modules = apache_modules(program).ok_or("the folder of Apache's modules was not found")?;
    let modules = modules.display();
    let mut text = r#"ServerName localhost
PidFile httpd.pid
DefaultRuntimeDir .
Mutex posixsem
ErrorLog /dev/stderr
LogLevel warn
"#
    .to_owned();
    for name in
        ["mpm_event", "unixd", "authz_core", "http2", "proxy", "proxy_http", "proxy_http2", "proxy_wstunnel"]
    {
        let _ = writeln!(
            text,
            "<IfFile {modules}/mod_{name}.so>\n  LoadModule {name}_module {modules}/mod_{name}.so\n</IfFile>"
        );
    }
    for route in routes {
        let port = route.port;
        let scheme = if route.is_http2_outward() { "h2c" } else { "http" };
        let target = route.target();
        let _ = write!(
            text,
            r#"Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
  Protocols h2c http/1.1
  ProxyPreserveHost On
  ProxyPass / {scheme}://{target}/ upgrade=ANY
</VirtualHost>
"#
        );
    }
    Ok(text)
}

/// Returns the folder of Apache's modules: where Debian, Red Hat and a build from source have it.
fn apache_modules(program: &Path) -> Option<PathBuf> {
    let beside = program.parent().and_then(Path::parent).map(|root| root.join("modules"));
    let known = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/local/apache2/modules"];
    let mut folders = beside.into_iter().chain(known.iter().map(PathBuf::from));
    folders.find(|folder| folder.join("mod_proxy.so").is_file())
}

fn traefik(routes: &[Route]) -> String {
    let (mut routers, mut services) = (String::new(), String::new());
    for (number, route) in routes.iter().enumerate() {
        let entry = if route.inward == RouteProtocol::Grpc { "grpc" } else { "http" };
        let scheme = if route.is_http2_outward() { "h2c" } else { "http" };
        let _ = write!(
            routers,
            "    in{number}:\n      rule: PathPrefix(`/`)\n      entryPoints: [{entry}]\n      service: out{number}\n"
        );
        let _ = write!(
            services,
            "    out{number}:\n      loadBalancer:\n        servers:\n          - url: \"{scheme}://{}\"\n",
            route.target()
        );
    }
    format!(
        "http:\n  routers:\n    ready:\n      rule: Path(`{READY}`)\n      entryPoints: [http]\n      service: ping@internal\n\
         {routers}  services:\n{services}"
    )
}

fn caddy(routes: &[Route], tracing: bool) -> String {
    let spans = if tracing { "  tracing\n" } else { "" };
    let mut text =
        "{\n  admin off\n  auto_https off\n  persist_config off\n  servers {\n    protocols h1 h2c\n  }\n}\n"
            .to_owned();
    for route in routes {
        let scheme = if route.is_http2_outward() { "h2c://" } else { "" };
        let _ = write!(
            text,
            "http://:{} {{\n  bind 127.0.0.1\n{spans}  reverse_proxy {scheme}{}\n}}\n",
            route.port,
            route.target()
        );
    }
    text
}

fn varnish(routes: &[Route]) -> Result<String, &'static str> {
    let [route] = routes else { return Err("Varnish listens on one port for one server") };
    if route.is_http2_outward() {
        return Err("Varnish sends HTTP/1.1 only");
    }
    Ok(format!(
        "vcl 4.1;\nbackend next {{ .host = \"{}\"; .port = \"{}\"; }}\nsub vcl_recv {{\n  if (req.http.upgrade ~ \"(?i)websocket\") \
         {{ return (pipe); }}\n  return (pass);\n}}\nsub vcl_pipe {{\n  if (req.http.upgrade) {{ set bereq.http.upgrade = \
         req.http.upgrade; set bereq.http.connection = req.http.connection; }}\n}}\n",
        route.host(),
        route.target_port()
    ))
}

fn squid(routes: &[Route]) -> Result<String, &'static str> {
    let [route] = routes else { return Err("Squid listens on one port for one server") };
    if route.is_http2_inward() || route.is_http2_outward() {
        return Err("Squid speaks HTTP/1.1 only");
    }
    let (port, host, target_port) = (route.port, route.host(), route.target_port());
    Ok(format!(
        r#"http_port 127.0.0.1:{port} accel vhost allow-direct
cache_peer {host} parent {target_port} 0 no-query originserver name=next
cache_peer_access next allow all
never_direct allow all
http_access allow all
http_upgrade_request_protocols websocket allow all
cache deny all
cache_mem 4 MB
access_log none
cache_store_log none
cache_log /dev/stderr
pinger_enable off
pid_filename none
shutdown_lifetime 0 seconds
"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(inward: RouteProtocol, outward: RouteProtocol) -> Route {
        Route { port: "${self.port}", inward, outward, next: "shop".to_owned() }
    }

    #[test]
    fn each_configuration_names_the_next_node_and_the_own_port() {
        let routes = [route(RouteProtocol::Http1, RouteProtocol::Http1)];
        for product in GatewayProduct::ALL {
            let text = match text(*product, &routes, Path::new("/usr/sbin/apache2"), false) {
                Ok(text) => text,
                // The modules of a product that this machine lacks.
                Err(lacking) => {
                    assert!(lacking.contains("modules"), "{lacking}");
                    continue;
                }
            };
            let all = text + &arguments(*product).join(" ");
            assert!(all.contains("${shop.host}") && all.contains("${shop.port}"), "{product:?}: {all}");
            assert!(all.contains("${self.port}"), "{product:?}: {all}");
        }
    }

    #[test]
    fn what_a_product_cannot_do_is_said() {
        let http2 = [route(RouteProtocol::Http1, RouteProtocol::Http2)];
        assert!(nginx(&http2).is_err());
        assert!(varnish(&http2).is_err());
    }
}
