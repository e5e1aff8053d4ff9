//! Relays in containers. They share one network address, that of a container of the run that does nothing else: joining
//! it takes a fourth of the time that a network of its own would.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::engine::Engine;
use super::error::StartError;
use super::images::{ImageName, ImagePurpose};
use super::running_container::Container;
use super::spec::{ContainerSpec, MountedFile, NetworkChoice, PublishedPort};
use crate::runtime::node_addresses::ListenAddresses;
use crate::runtime::process::output::AwaitedLine;

/// The ports of a relay, where ports must be published.
const HTTP: u16 = 8080;
const GRPC: u16 = 8081;

/// The container whose address relays share; made when the first relay needs it.
#[derive(Debug, Default)]
pub(super) struct Pod(OnceCell<Container>);

/// The settings that a relay is started with.
#[derive(Debug)]
pub struct RelaySettings<'a> {
    pub node: &'a str,
    /// The title of its case.
    pub case: String,
    pub implementation: &'a str,
    pub env: Vec<(String, String)>,
    /// By their path in the container.
    pub files: Vec<(String, MountedFile)>,
}

/// A relay that was started and is not ready yet.
#[derive(Debug)]
pub struct StartedRelay {
    pub container: Container,
    pub image: ImageName,
    /// The address of the pod that it joined; `None` where its ports are published.
    pub pod: Option<IpAddr>,
}

impl Pod {
    pub(super) async fn get(&self, engine: &Arc<Engine>) -> Result<&Container, StartError> {
        self.0.get_or_try_init(|| start_pod(engine)).await
    }
}

/// Starts a relay that nobody calls.
async fn start_pod(engine: &Arc<Engine>) -> Result<Container, StartError> {
    let image = engine.image_of(ImagePurpose::RelayModel, None).await?;
    let spec = ContainerSpec {
        part: "relays".to_owned(),
        case: None,
        image: image.clone(),
        env: vec![("RELAY_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned())],
        command: Vec::new(),
        ports: Vec::new(),
        files: Vec::new(),
        network: NetworkChoice::Run,
    };
    let container = Container::start(engine, spec, None).await?;
    if container.address().is_none() {
        return Err(container.end_error(&image).await);
    }
    Ok(container)
}

/// Returns the addresses on which a relay is to listen.
pub(super) fn listen_addresses(engine: &Engine) -> ListenAddresses {
    let (http, grpc) = if engine.reach.direct { (0, 0) } else { (HTTP, GRPC) };
    ListenAddresses { http: format!("0.0.0.0:{http}"), grpc: format!("0.0.0.0:{grpc}") }
}

/// Starts a relay; `awaited` is the line that reports where it listens.
pub(super) async fn start(
    engine: &Arc<Engine>,
    pod: &Pod,
    settings: RelaySettings<'_>,
    awaited: AwaitedLine,
) -> Result<StartedRelay, StartError> {
    let part = ImagePurpose::of_relay(settings.implementation).unwrap_or(ImagePurpose::RelayModel);
    let image = engine.image_of(part, None).await?;
    let pod = if engine.reach.direct { Some(pod.get(engine).await?) } else { None };
    let network = pod.map_or(NetworkChoice::Run, |pod| NetworkChoice::Pod(pod.id().to_owned()));
    let spec = ContainerSpec {
        part: settings.node.to_owned(),
        case: Some(settings.case),
        image: image.clone(),
        env: settings.env,
        command: Vec::new(),
        ports: [HTTP, GRPC].map(|inside| PublishedPort { inside, outside: None }).to_vec(),
        files: settings.files,
        network,
    };
    let container = Container::start(engine, spec, Some(awaited)).await?;
    Ok(StartedRelay { container, image, pod: pod.and_then(Container::address) })
}
