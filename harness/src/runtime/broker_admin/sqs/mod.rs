//! Creates the queues of SQS, and holds the client that the harness itself uses.
//!
//! A queue that exists already is used if it does not differ in what is declared; it is not changed. Requests are
//! signed with made-up credentials, which stand-ins and emulators accept; over HTTP only. API:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName;

use crate::error_chain;
use crate::plan::BrokerPlan;
use crate::plan::broker::Queue;

/// The suffix of the names of FIFO queues.
pub const FIFO: &str = ".fifo";

/// Returns a client of the API at this URL. It does not retry, and sets no limit on a long poll.
pub fn client(endpoint: &str) -> Client {
    let region = std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty());
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new("unbroken", "unbroken", None, None, "unbroken"))
        .region(Region::new(region.unwrap_or_else(|| "us-east-1".to_owned())))
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

/// The reason why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum SqsError {
    /// The service rejected it: its code and message.
    #[error("{0}")]
    Rejected(String),
    /// There is no answer, or one that cannot be read.
    #[error("{0}")]
    Unanswered(String),
}

impl<E, R> From<SdkError<E, R>> for SqsError
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        match (error.code(), error.message()) {
            (Some(code), Some(message)) => SqsError::Rejected(format!("{code}: {message}")),
            (Some(code), None) => SqsError::Rejected(code.to_owned()),
            (None, _) => SqsError::Unanswered(error_chain::root_cause(&error).to_string()),
        }
    }
}

/// Returns the URL of a queue.
pub async fn queue_url(client: &Client, queue: &str) -> Result<String, SqsError> {
    let found = client.get_queue_url().queue_name(queue).send().await?;
    found.queue_url.ok_or_else(|| SqsError::Unanswered("the answer has no URL".to_owned()))
}

#[derive(Debug, thiserror::Error)]
#[error("cannot create the queue `{name}`")]
struct DeclarationError {
    name: String,
    source: SqsError,
}

/// Creates every queue of the plan; a queue comes after the one to which it moves messages.
pub async fn declare(address: &str, plan: &BrokerPlan) -> Result<(), Box<dyn Error + Send + Sync>> {
    let client = client(address);
    let mut urls: HashMap<&str, String> = HashMap::new();
    let mut left: Vec<&Queue> = plan.queues.iter().collect();
    while !left.is_empty() {
        let later: Vec<&Queue> = left.iter().copied().filter(|queue| waits(queue, &left)).collect();
        if later.len() == left.len() {
            return Err(format!("the queue `{}` moves its messages in a circle", later[0].name).into());
        }
        for queue in left.iter().filter(|queue| !waits(queue, &left)) {
            let url = make(&client, queue, &urls).await;
            let url = url.map_err(|source| DeclarationError { name: queue.name.clone(), source })?;
            urls.insert(&queue.name, url);
        }
        left = later;
    }
    Ok(())
}

/// Returns whether the queue moves messages to one of those that do not exist yet.
fn waits(queue: &Queue, left: &[&Queue]) -> bool {
    queue.moves_to.as_deref().is_some_and(|target| left.iter().any(|other| other.name == target))
}

/// Deletes the queues of the plan that still exist.
pub async fn delete(address: &str, plan: &BrokerPlan) -> Result<(), Box<dyn Error + Send + Sync>> {
    let client = client(address);
    for queue in &plan.queues {
        if let Ok(url) = queue_url(&client, &queue.name).await {
            client.delete_queue().queue_url(url).send().await.map_err(SqsError::from)?;
        }
    }
    Ok(())
}

async fn make(client: &Client, queue: &Queue, urls: &HashMap<&str, String>) -> Result<String, SqsError> {
    let mut making = client.create_queue().queue_name(&queue.name);
    if queue.name.ends_with(FIFO) {
        making = making.attributes(QueueAttributeName::FifoQueue, "true");
        making = making.attributes(QueueAttributeName::ContentBasedDeduplication, "true");
    }
    if let Some(target) = &queue.moves_to {
        let url = match urls.get(target.as_str()) {
            Some(url) => url.clone(),
            None => queue_url(client, target).await?,
        };
        let arn = QueueAttributeName::QueueArn;
        let asked = client.get_queue_attributes().queue_url(url).attribute_names(arn.clone()).send().await?;
        let attributes = asked.attributes.unwrap_or_default();
        let Some(arn) = attributes.get(&arn) else {
            let missing = format!("`{target}`, to which it moves messages, has no ARN");
            return Err(SqsError::Unanswered(missing));
        };
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"1"}}"#);
        making = making.attributes(QueueAttributeName::RedrivePolicy, policy);
    }
    let made = making.send().await?;
    made.queue_url.ok_or_else(|| SqsError::Unanswered("the answer has no URL".to_owned()))
}

#[cfg(test)]
mod tests;
