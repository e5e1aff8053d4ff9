//! What runs make is removed by its labels: at the end of a run, at the next start, by a shell that outlives the
//! process, and when `unbroken clean` asks for it.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::ContainerSummary;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};

use super::asked::{answer, within};
use super::engine::{self, network_name};
use super::error::{EngineError, chain};
use super::process_identity::{KEPT, OWNER, Owner, RUN};

/// A container goes within a second or two.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);
/// One that is stuck is left to the next start.
const REMOVE_ONE_WITHIN: Duration = Duration::from_secs(30);

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

/// What could not be removed, and why; an error where the engine did not even say what there is.
type Left = Result<Vec<EngineError>, EngineError>;

/// Everything with this label, tried again while somebody else is at the same: a container that is being removed keeps
/// its network in use. An engine that does not answer is not asked again.
async fn by_label(docker: &Docker, label: &str, goes: impl Fn(&HashMap<String, String>) -> bool) -> Left {
    let mut pauses = tokio::time::interval(BETWEEN_TRIES);
    let mut tried = Ok(Vec::new());
    for _ in 0..TRIES {
        pauses.tick().await;
        tried = try_once(docker, label, &goes).await;
        let over = match &tried {
            Ok(left) => left.is_empty() || left.iter().any(EngineError::is_silence),
            Err(error) => error.is_silence(),
        };
        if over {
            break;
        }
    }
    tried
}

/// Containers with their volumes, then networks.
async fn try_once(docker: &Docker, label: &str, goes: &impl Fn(&HashMap<String, String>) -> bool) -> Left {
    let ours = listed(docker, label).await?;
    let ours = ours.into_iter().filter(|container| goes(&container.labels.clone().unwrap_or_default()));
    let removing = ours.filter_map(|container| container.id).map(|id| async move {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let what = format!("the removal of the container `{id}`");
        let removing = async { unless_gone(docker.remove_container(&id, Some(options)).await) };
        within(REMOVE_ONE_WITHIN, &what, removing).await.err()
    });
    let mut left: Vec<EngineError> = join_all(removing).await.into_iter().flatten().collect();
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let networks = answer("the list of networks", docker.list_networks(Some(options))).await?;
    let ours = networks.into_iter().filter(|network| goes(&network.labels.clone().unwrap_or_default()));
    for id in ours.filter_map(|network| network.id) {
        let what = format!("the removal of the network `{id}`");
        let removed = answer(&what, async { unless_gone(docker.remove_network(&id).await) }).await;
        let is_silent = removed.as_ref().is_err_and(EngineError::is_silence);
        left.extend(removed.err());
        if is_silent {
            break;
        }
    }
    Ok(left)
}

/// The containers with this label, whether they run or not.
async fn listed(docker: &Docker, label: &str) -> Result<Vec<ContainerSummary>, EngineError> {
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let all = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    answer("the list of containers", docker.list_containers(Some(all))).await
}

/// Somebody else may be removing the same: 404 is gone, 409 is being removed.
fn unless_gone(removed: Result<(), DockerError>) -> Result<(), DockerError> {
    match removed {
        Err(DockerError::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
        removed => removed,
    }
}

/// Everything of the run; what could not be removed is said.
pub(super) async fn run(docker: &Docker, run: &str) -> Vec<String> {
    match by_label(docker, &label_of(run), |_| true).await {
        Ok(left) => told(&left),
        Err(error) => told(&[error]),
    }
}

/// The containers of the run.
pub(super) async fn of_run(docker: &Docker, run: &str) -> Result<Vec<ContainerSummary>, EngineError> {
    listed(docker, &label_of(run)).await
}

fn label_of(run: &str) -> String {
    format!("{RUN}={run}")
}

fn told(left: &[EngineError]) -> Vec<String> {
    left.iter().map(|error| chain(error)).collect()
}

/// Whether whoever made it still runs; `None` where nobody here can tell.
fn runs(labels: &HashMap<String, String>, here: &Owner) -> Option<bool> {
    Owner::read(labels.get(OWNER)?)?.runs(here)
}

/// What runs have left whose process is gone, as after SIGKILL; what was kept on purpose stays. What could not be
/// removed is said, and tried again at the next start.
pub(super) async fn sweep(docker: &Docker) -> Result<Vec<String>, EngineError> {
    let here = Owner::here();
    let is_left =
        |labels: &HashMap<String, String>| runs(labels, &here) == Some(false) && !labels.contains_key(KEPT);
    Ok(told(&by_label(docker, RUN, is_left).await?))
}

/// Removes what `--keep` has left, and what runs that are gone have left: how many containers, and what stayed.
pub(super) async fn clean() -> Result<(usize, Vec<String>), EngineError> {
    let docker = &engine::find().await?;
    let here = Owner::here();
    // A run that is to keep its containers may not be over yet.
    let is_left = |labels: &HashMap<String, String>| {
        runs(labels, &here).map_or_else(|| labels.contains_key(KEPT), |runs| !runs)
    };
    let containers = listed(docker, RUN).await?;
    let count = containers.iter().filter(|one| is_left(&one.labels.clone().unwrap_or_default())).count();
    Ok((count, told(&by_label(docker, RUN, is_left).await?)))
}
