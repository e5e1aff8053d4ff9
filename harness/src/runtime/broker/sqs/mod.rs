//! Queues of SQS, and the client that the harness itself uses.
//!
//! A queue that is there already is taken as it is if it does not differ in what is asked for; nothing is changed and
//! nothing deleted. Requests are signed with made-up credentials, which stand-ins and emulators take; over HTTP only.
//! API: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName;

use crate::plan::BrokerPlan;
use crate::plan::broker::Queue;

/// Names that end so are FIFO queues.
pub const FIFO: &str = ".fifo";

/// A client of the API at this URL. It tries once, and a long poll may take as long as it takes.
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

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The service said so.
    #[error("{0}")]
    Refused(String),
    /// There is no answer, or none that can be read.
    #[error("{0}")]
    Unanswered(String),
}

impl<E, R> From<SdkError<E, R>> for Failed
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    fn from(error: SdkError<E, R>) -> Self {
        match (error.code(), error.message()) {
            (Some(code), Some(message)) => Failed::Refused(format!("{code}: {message}")),
            (Some(code), None) => Failed::Refused(code.to_owned()),
            (None, _) => {
                let mut innermost: &dyn Error = &error;
                while let Some(source) = innermost.source() {
                    innermost = source;
                }
                Failed::Unanswered(innermost.to_string())
            }
        }
    }
}

/// The URL by which the service knows a queue.
pub async fn queue_url(client: &Client, queue: &str) -> Result<String, Failed> {
    let found = client.get_queue_url().queue_name(queue).send().await?;
    found.queue_url.ok_or_else(|| Failed::Unanswered("the answer names no URL".to_owned()))
}

#[derive(Debug, thiserror::Error)]
#[error("the queue `{name}` cannot be made")]
struct NotDeclared {
    name: String,
    source: Failed,
}

/// Makes every queue of the plan, those first that others move their messages to.
pub async fn declare(address: &str, plan: &BrokerPlan) -> Result<(), Box<dyn Error + Send + Sync>> {
    let client = client(address);
    let mut urls: HashMap<&str, String> = HashMap::new();
    let mut left: Vec<&Queue> = plan.queues.iter().collect();
    while !left.is_empty() {
        let waits = |queue: &&&Queue| {
            let target = queue.moves_to.as_deref();
            target.is_some_and(|target| left.iter().any(|other| other.name == target))
        };
        let (later, now): (Vec<&Queue>, Vec<&Queue>) = left.iter().partition(waits);
        if now.is_empty() {
            return Err(format!("the queue `{}` moves its messages in a circle", later[0].name).into());
        }
        for queue in now {
            let url = make(&client, queue, &urls).await;
            let url = url.map_err(|source| NotDeclared { name: queue.name.clone(), source })?;
            urls.insert(&queue.name, url);
        }
        left = later;
    }
    Ok(())
}

/// Deletes the queues of the plan; one that is not there any more is as good.
pub async fn forget(address: &str, plan: &BrokerPlan) -> Result<(), Box<dyn Error + Send + Sync>> {
    let client = client(address);
    for queue in &plan.queues {
        if let Ok(url) = queue_url(&client, &queue.name).await {
            client.delete_queue().queue_url(url).send().await.map_err(Failed::from)?;
        }
    }
    Ok(())
}

async fn make(client: &Client, queue: &Queue, urls: &HashMap<&str, String>) -> Result<String, Failed> {
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
        let missing = || Failed::Unanswered(format!("`{target}`, to which it moves messages, has no ARN"));
        let arn = attributes.get(&arn).ok_or_else(missing)?;
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"1"}}"#);
        making = making.attributes(QueueAttributeName::RedrivePolicy, policy);
    }
    let made = making.send().await?;
    made.queue_url.ok_or_else(|| Failed::Unanswered("the answer names no URL".to_owned()))
}

#[cfg(test)]
mod tests;
