//! A stub that receives every message of a queue of SQS and deletes it.
//!
//! It requests all attributes, waits by long polls, and pauses after an error.

use std::error::Error;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::runtime::broker_admin::sqs::{SqsError, client, queue_url};

/// The most messages of one call, and how long it waits for the first; the service's own limits.
const AT_MOST: i32 = 10;
const WAIT_SECONDS: i32 = 20;
/// After an error, or an empty answer that came too soon; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A reader of one queue; it ends when it is dropped.
#[derive(Debug)]
pub struct SqsStub {
    task: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read the queue `{queue}`")]
struct ReadError {
    queue: String,
    source: SqsError,
}

impl SqsStub {
    /// Finds the queue, and starts to read it.
    pub async fn start(endpoint: &str, queue: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let client = client(endpoint);
        let url = queue_url(&client, queue).await;
        let url = url.map_err(|source| ReadError { queue: queue.to_owned(), source })?;
        Ok(Self { task: tokio::spawn(read(client, url)) })
    }
}

impl Drop for SqsStub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read(client: Client, url: String) {
    let mut backoff = Backoff::default();
    loop {
        let asked = Instant::now();
        let received = receive(&client, &url).await;
        let messages = received.as_deref().unwrap_or_default();
        join_all(messages.iter().map(|message| delete(&client, &url, message))).await;
        if !messages.is_empty() || (received.is_ok() && asked.elapsed() >= LONGEST_PAUSE) {
            backoff = Backoff::default();
        } else {
            tokio::time::sleep_until(Instant::now() + backoff.next()).await;
        }
    }
}

/// The pause after an error.
struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Backoff(FIRST_PAUSE)
    }
}

impl Backoff {
    fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

async fn receive(client: &Client, url: &str) -> Result<Vec<Message>, SqsError> {
    let asking = client.receive_message().queue_url(url).max_number_of_messages(AT_MOST);
    let asking = asking.wait_time_seconds(WAIT_SECONDS).message_attribute_names("All");
    let asking = asking.message_system_attribute_names(MessageSystemAttributeName::All);
    Ok(asking.send().await?.messages.unwrap_or_default())
}

/// Deletes a message; one that cannot be deleted is delivered again.
async fn delete(client: &Client, url: &str, message: &Message) {
    let deleting = client.delete_message().queue_url(url);
    let _ = deleting.set_receipt_handle(message.receipt_handle.clone()).send().await;
}

#[cfg(test)]
mod tests;
