//! What runs make is removed by its labels: at the end of a run, at the next start, by a shell that outlives the
//! process, and when `unbroken clean` asks for it.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;

use super::engine::network_name;
use super::error::EngineError;
use super::owner::{KEPT, OWNER, Owner, RUN};

/// A container goes within a second or two.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// For a shell that outlives the process, after SIGKILL too: three times, because the engine may be making one more
/// when it is asked first. Where there is no `docker` command, the next start does it.
pub(super) fn by_shell(run: &str) -> String {
    let network = network_name(run);
    format!(
        "command -v docker || exit; for turn in 1 2 3; do \
         for id in $(docker ps -aq --filter label={RUN}={run}); do docker rm -fv $id; done; sleep 1; done; \
         docker network rm {network}"
    )
}

/// Everything with this label, tried again while somebody else is at the same: a container that is being removed keeps
/// its network in use. What could not be removed is said.
async fn by_label(
    docker: &Docker,
    label: &str,
    goes: impl Fn(&HashMap<String, String>) -> bool,
) -> Vec<String> {
    let mut pauses = tokio::time::interval(BETWEEN_TRIES);
    let mut left = Vec::new();
    for _ in 0..TRIES {
        pauses.tick().await;
        left = try_once(docker, label, &goes).await;
        if left.is_empty() {
            break;
        }
    }
    left
}

/// Containers with their volumes, then networks.
async fn try_once(
    docker: &Docker,
    label: &str,
    goes: &impl Fn(&HashMap<String, String>) -> bool,
) -> Vec<String> {
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let all = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let containers = match docker.list_containers(Some(all)).await {
        Ok(containers) => containers,
        Err(error) => return vec![error.to_string()],
    };
    let ours = containers.into_iter().filter(|container| goes(&container.labels.clone().unwrap_or_default()));
    let removing = ours.filter_map(|container| container.id).map(|id| async move {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match docker.remove_container(&id, Some(options)).await {
            Ok(()) => None,
            Err(error) => unless_gone(&error),
        }
    });
    let mut left: Vec<String> = join_all(removing).await.into_iter().flatten().collect();
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let networks = docker.list_networks(Some(options)).await.unwrap_or_default();
    for network in networks.into_iter().filter(|network| goes(&network.labels.clone().unwrap_or_default())) {
        if let Some(Err(error)) = match &network.id {
            Some(id) => Some(docker.remove_network(id).await),
            None => None,
        } {
            left.extend(unless_gone(&error));
        }
    }
    left
}

/// Somebody else may be removing the same: 404 is gone, 409 is being removed.
fn unless_gone(error: &testcontainers::bollard::errors::Error) -> Option<String> {
    use testcontainers::bollard::errors::Error::DockerResponseServerError;
    match error {
        DockerResponseServerError { status_code: 404 | 409, .. } => None,
        error => Some(error.to_string()),
    }
}

pub(super) async fn run(docker: &Docker, run: &str) -> Vec<String> {
    by_label(docker, &format!("{RUN}={run}"), |_| true).await
}

/// What runs have left whose process is gone, as after SIGKILL; what was kept on purpose stays.
pub(super) async fn sweep(docker: &Docker) {
    let is_left = |labels: &HashMap<String, String>| {
        let gone =
            labels.get(OWNER).and_then(|owner| Owner::read(owner)).is_some_and(|owner| owner.is_gone());
        gone && !labels.contains_key(KEPT)
    };
    // What cannot be removed now is tried again at the next start.
    by_label(docker, RUN, is_left).await;
}

/// Removes what `--keep` has left, and what runs that are gone have left: how many containers, and what stayed.
pub(super) async fn clean() -> Result<(usize, Vec<String>), EngineError> {
    let docker = &docker_client_instance().await.map_err(|error| EngineError::of("a connection", error))?;
    docker.ping().await.map_err(|error| EngineError::of("an answer", error))?;
    let filters = HashMap::from([("label".to_owned(), vec![RUN.to_owned()])]);
    let all = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let is_left = |labels: &HashMap<String, String>| {
        let owner = labels.get(OWNER).and_then(|owner| Owner::read(owner));
        labels.contains_key(KEPT) || owner.is_some_and(|owner| owner.is_gone())
    };
    let containers = docker.list_containers(Some(all)).await.unwrap_or_default();
    let count = containers.iter().filter(|one| is_left(&one.labels.clone().unwrap_or_default())).count();
    Ok((count, by_label(docker, RUN, is_left).await))
}
