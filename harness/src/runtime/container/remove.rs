//! Removes what runs make, by its labels: at the end of a run, at the next start, from a shell that outlives the
//! process, and for `unbroken clean`.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use testcontainers::bollard::models::ContainerSummary;
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};

use super::connection;
use super::error::EngineError;
use super::labels::{KEPT, OWNER, RUN, network_name};
use super::process_identity::ProcessIdentity;
use super::time_limit::{answer, within};
use crate::error_chain;

/// A container is removed within a second or two.
const TRIES: u32 = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(200);
/// One that is stuck is left to the next start.
const REMOVE_ONE_WITHIN: Duration = Duration::from_secs(30);

/// Returns a command for a shell that outlives the process, after SIGKILL too. It removes three times, because the
/// engine may be creating one more container meanwhile. Without a `docker` command the next start does it.
pub(super) fn by_shell(run: &str) -> String {
    let network = network_name(run);
    format!(
        "command -v docker || exit; for turn in 1 2 3; do \
         for id in $(docker ps -aq --filter label={RUN}={run}); do docker rm -fv $id; done; sleep 1; done; \
         docker network rm {network}"
    )
}

/// The reason why some things could not be removed; an error where the engine could not even list them.
type Leftovers = Result<Vec<EngineError>, EngineError>;

/// Removes everything with this label that `selected` accepts. Tries again while another process removes the same: a
/// container that is being removed keeps its network in use. Stops at the first request without an answer.
async fn by_label(
    docker: &Docker,
    label: &str,
    selected: impl Fn(&HashMap<String, String>) -> bool,
) -> Leftovers {
    let mut pauses = tokio::time::interval(BETWEEN_TRIES);
    let mut tried = Ok(Vec::new());
    for _ in 0..TRIES {
        pauses.tick().await;
        tried = try_once(docker, label, &selected).await;
        let over = match &tried {
            Ok(leftovers) => leftovers.is_empty() || leftovers.iter().any(EngineError::is_silence),
            Err(error) => error.is_silence(),
        };
        if over {
            break;
        }
    }
    tried
}

/// Removes containers with their volumes, then networks.
async fn try_once(
    docker: &Docker,
    label: &str,
    selected: &impl Fn(&HashMap<String, String>) -> bool,
) -> Leftovers {
    let ours = listed(docker, label).await?;
    let ours = ours.into_iter().filter(|container| selected(&container.labels.clone().unwrap_or_default()));
    let removing = ours.filter_map(|container| container.id).map(|id| async move {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let what = format!("the removal of the container `{id}`");
        let removing = async { unless_gone(docker.remove_container(&id, Some(options)).await) };
        within(REMOVE_ONE_WITHIN, &what, removing).await.err()
    });
    let mut leftovers: Vec<EngineError> = join_all(removing).await.into_iter().flatten().collect();
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let options = ListNetworksOptionsBuilder::new().filters(&filters).build();
    let networks = answer("the list of networks", docker.list_networks(Some(options))).await?;
    let ours = networks.into_iter().filter(|network| selected(&network.labels.clone().unwrap_or_default()));
    for id in ours.filter_map(|network| network.id) {
        let what = format!("the removal of the network `{id}`");
        let removed = answer(&what, async { unless_gone(docker.remove_network(&id).await) }).await;
        let is_silent = removed.as_ref().is_err_and(EngineError::is_silence);
        leftovers.extend(removed.err());
        if is_silent {
            break;
        }
    }
    Ok(leftovers)
}

/// Lists the containers with this label, whether they run or not.
async fn listed(docker: &Docker, label: &str) -> Result<Vec<ContainerSummary>, EngineError> {
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let all = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    answer("the list of containers", docker.list_containers(Some(all))).await
}

/// Accepts what another process has removed: 404 is gone, 409 is being removed.
fn unless_gone(removed: Result<(), DockerError>) -> Result<(), DockerError> {
    match removed {
        Err(DockerError::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
        removed => removed,
    }
}

/// Removes everything of the run; returns why the rest could not be removed.
pub(super) async fn run(docker: &Docker, run: &str) -> Vec<String> {
    match by_label(docker, &label_of(run), |_| true).await {
        Ok(leftovers) => lines(&leftovers),
        Err(error) => lines(&[error]),
    }
}

/// Lists the containers of the run.
pub(super) async fn containers_of_run(
    docker: &Docker,
    run: &str,
) -> Result<Vec<ContainerSummary>, EngineError> {
    listed(docker, &label_of(run)).await
}

fn label_of(run: &str) -> String {
    format!("{RUN}={run}")
}

fn lines(errors: &[EngineError]) -> Vec<String> {
    errors.iter().map(|error| error_chain::one_line(error)).collect()
}

/// Returns whether the process that made it still runs; `None` where this machine cannot see that.
fn owner_runs(labels: &HashMap<String, String>, here: &ProcessIdentity) -> Option<bool> {
    ProcessIdentity::parse(labels.get(OWNER)?)?.runs(here)
}

/// Removes what runs whose process is gone have left, as after SIGKILL; what was kept on purpose stays. Returns why the
/// rest could not be removed; the next start tries again.
pub(super) async fn sweep(docker: &Docker) -> Result<Vec<String>, EngineError> {
    let here = ProcessIdentity::here();
    let errors = by_label(docker, RUN, |labels: &HashMap<String, String>| {
        owner_runs(labels, &here) == Some(false) && !labels.contains_key(KEPT)
    });
    Ok(lines(&errors.await?))
}

/// Removes what `--keep` and dead runs have left; returns the number of containers found, and why some stayed.
pub(super) async fn clean() -> Result<(usize, Vec<String>), EngineError> {
    let docker = &connection::connect().await?;
    let here = ProcessIdentity::here();
    // A run with `--keep` may still be under way.
    let is_leftover = |labels: &HashMap<String, String>| {
        owner_runs(labels, &here).map_or_else(|| labels.contains_key(KEPT), |runs| !runs)
    };
    let containers = listed(docker, RUN).await?;
    let count = containers.iter().filter(|one| is_leftover(&one.labels.clone().unwrap_or_default())).count();
    Ok((count, lines(&by_label(docker, RUN, is_leftover).await?)))
}
