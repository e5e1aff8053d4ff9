//! Connects to the container engine.

use testcontainers::bollard::Docker;
use testcontainers::core::client::docker_client_instance;

use super::error::EngineError;
use super::time_limit::answer;

/// Returns a connection to the engine, if one answers.
pub(super) async fn connect() -> Result<Docker, EngineError> {
    let docker = docker_client_instance().await.map_err(EngineError::of_address)?;
    answer("a ping", docker.ping()).await?;
    Ok(docker)
}
