//! Relays in containers. They share one network address, that of a container of the run that does nothing else: joining
//! it takes a fourth of the time that a network of its own would.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::contained::Contained;
use super::engine::Engine;
use super::images::{ImageName, Part};
use super::spec::{File, Joins, Published, Spec};
use super::{StartError, Started};
use crate::runtime::Listening;
use crate::runtime::output::Wanted;
use crate::runtime::workload::Body;

/// Any port of its own; where ports must be published, these.
const HTTP: u16 = 8080;
const GRPC: u16 = 8081;

/// The container whose address relays share; made when the first wants it.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Pod(OnceCell<Contained>);

/// Variables, and files by their place in the container.
type Told = (Vec<(String, String)>, Vec<(String, File)>);

/// A relay that was started, not yet ready.
pub(in crate::runtime) struct StartedRelay {
    pub(in crate::runtime) contained: Contained,
    pub(in crate::runtime) image: ImageName,
    pub(in crate::runtime) seen: SeenFromHere,
}

/// Where the relays of the pod are reached; `None` where each has ports of its own.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) struct SeenFromHere(Option<IpAddr>);

impl Pod {
    pub(super) async fn get(&self, engine: &Arc<Engine>) -> Result<&Contained, StartError> {
        self.0.get_or_try_init(|| start_pod(engine)).await
    }
}

/// A relay that nobody calls.
async fn start_pod(engine: &Arc<Engine>) -> Result<Contained, StartError> {
    let image = engine.image_of(Part::RelayModel, None).await?;
    let spec = Spec {
        part: "relays".to_owned(),
        case: None,
        image: image.clone(),
        env: vec![("RELAY_HTTP_ADDR".to_owned(), "127.0.0.1:0".to_owned())],
        command: Vec::new(),
        ports: Vec::new(),
        files: Vec::new(),
        joins: Joins::Run,
    };
    let contained = Contained::start(engine, spec, None).await?;
    if contained.address().is_none() {
        return Err(StartError::ended(&contained, &image).await);
    }
    Ok(contained)
}

/// Where a relay is told to listen: HTTP, gRPC.
pub(in crate::runtime) fn listens(started: &Started) -> (String, String) {
    match started.engine.reach.direct {
        true => ("0.0.0.0:0".to_owned(), "0.0.0.0:0".to_owned()),
        false => (format!("0.0.0.0:{HTTP}"), format!("0.0.0.0:{GRPC}")),
    }
}

/// `wanted` is the line that says where it listens.
pub(in crate::runtime) async fn start(
    started: &Started,
    (node, case): (&str, String),
    implementation: &str,
    (env, files): Told,
    wanted: Wanted,
) -> Result<StartedRelay, StartError> {
    let engine = &started.engine;
    let part = Part::of_relay(implementation).unwrap_or(Part::RelayModel);
    let image = engine.image_of(part, None).await?;
    let pod = match engine.reach.direct {
        true => Some(started.pod.get(engine).await?),
        false => None,
    };
    let joins = pod.map_or(Joins::Run, |pod| Joins::Pod(pod.id().to_owned()));
    let ports = [HTTP, GRPC].map(|inside| Published { inside, outside: None }).to_vec();
    let (part, command) = (node.to_owned(), Vec::new());
    let spec = Spec { part, case: Some(case), image: image.clone(), env, command, ports, files, joins };
    let contained = Contained::start(engine, spec, Some(wanted)).await?;
    Ok(StartedRelay { contained, image, seen: SeenFromHere(pod.and_then(Contained::address)) })
}

impl SeenFromHere {
    /// Where this machine reaches what the relay says that it listens on.
    pub(in crate::runtime) fn of(self, body: &Body, said: Listening) -> Listening {
        let seen = |at: Option<SocketAddr>| {
            let at = at?;
            match self.0 {
                Some(pod) => Some(SocketAddr::new(pod, at.port())),
                None => body.at(at.port()),
            }
        };
        let (http, grpc) = (seen(said.http), seen(said.grpc));
        if let (Body::Container(contained), Some(said)) = (body, said.http) {
            contained.serves(said.port(), http);
        }
        Listening { http, grpc }
    }
}
