//! SQS through the AWS SDK: messages to the target, and a reader of what it sends, which deletes what it has read.

use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, MessageSystemAttributeNameForSends};
use tokio::task::JoinSet;

use super::names::{INWARD, OUTWARD};
use super::send_failure::SendFailure;
use crate::conform::listener::CallSink;
use crate::driver::sqs::{string, system_string};
use crate::error_chain::BoxedError;
use crate::evidence::RawFields;
use crate::runtime::broker_admin::sqs::{SqsError, client, queue_url};

/// The only system attribute that can be sent.
const TRACE_HEADER: &str = "AWSTraceHeader";
/// The time of a long poll.
const WAIT_SECONDS: i32 = 1;

pub(super) struct SqsClient {
    client: Client,
    inward: String,
    _reader: JoinSet<()>,
}

impl std::fmt::Debug for SqsClient {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SqsClient")
    }
}

impl SqsClient {
    pub async fn start(address: &str, sink: Arc<CallSink>) -> Result<SqsClient, BoxedError> {
        let client = client(address);
        let (inward, outward) = (queue_url(&client, INWARD).await?, queue_url(&client, OUTWARD).await?);
        let mut reader = JoinSet::new();
        reader.spawn(read(client.clone(), outward, sink));
        Ok(SqsClient { client, inward, _reader: reader })
    }

    pub async fn send(&self, fields: &RawFields, body: &str) -> Result<(), SendFailure> {
        let mut sending = self.client.send_message().queue_url(&self.inward).message_body(body);
        for (name, value) in fields {
            let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
            if name.eq_ignore_ascii_case(TRACE_HEADER) {
                let name = MessageSystemAttributeNameForSends::AwsTraceHeader;
                sending = sending.message_system_attributes(name, system_string(value.into_owned()));
                continue;
            }
            sending = sending.message_attributes(name, string(value.into_owned()));
        }
        sending.send().await.map(drop).map_err(|error| SendFailure(SqsError::from(error).to_string()))
    }
}

async fn read(client: Client, queue: String, sink: Arc<CallSink>) {
    loop {
        let received = client
            .receive_message()
            .queue_url(&queue)
            .max_number_of_messages(10)
            .wait_time_seconds(WAIT_SECONDS)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::AwsTraceHeader)
            .send()
            .await;
        let Ok(received) = received else { return };
        for message in received.messages() {
            sink.take(message.body().unwrap_or_default(), fields(message));
            if let Some(receipt) = message.receipt_handle() {
                let _ = client.delete_message().queue_url(&queue).receipt_handle(receipt).send().await;
            }
        }
    }
}

fn fields(message: &Message) -> RawFields {
    let attributes = message.message_attributes().into_iter().flatten();
    let mut fields: RawFields = attributes
        .map(|(name, value)| {
            let value = match (value.string_value(), value.binary_value()) {
                (Some(text), _) => text.as_bytes().to_vec(),
                (None, Some(bytes)) => bytes.as_ref().to_vec(),
                (None, None) => Vec::new(),
            };
            (name.as_bytes().to_vec(), value)
        })
        .collect();
    fields.sort();
    let system = message.attributes().and_then(|all| all.get(&MessageSystemAttributeName::AwsTraceHeader));
    fields.extend(system.map(|value| (TRACE_HEADER.as_bytes().to_vec(), value.as_bytes().to_vec())));
    fields
}
