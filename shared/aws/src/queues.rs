//! The functions' queues, over SQS.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{
        MessageSystemAttributeNameForSends, MessageSystemAttributeValue, QueueAttributeName,
        SendMessageBatchRequestEntry,
    },
};
use dacapo_core::port::{PortError, PortErrorKind, PortResult};
use dacapo_domain::{APP_DLQ, Message, limits};
use futures::future::join_all;
use tokio::sync::RwLock;

use crate::{
    error::Operation,
    stack::{Service, Stack},
};

/// Messages of one request, at most.
const BATCH: usize = 10;
/// Requests that are made at once.
const AT_ONCE: usize = 8;

/// The functions' queues, and their dead-letter queues.
#[derive(Debug)]
pub(crate) struct Queues {
    client: Client,
    stack: Arc<Stack>,
    /// Queue URLs that were asked for, by queue name.
    urls: RwLock<HashMap<String, String>>,
}

impl Queues {
    pub(crate) fn new(client: Client, stack: Arc<Stack>) -> Self {
        Self { client, stack, urls: RwLock::default() }
    }

    /// Sends a message to a function's queue, which holds it back for the delay.
    pub(crate) async fn send(&self, function: &str, message: &str, delay: Duration) -> PortResult<()> {
        if delay > limits::MAX_QUEUE_DELAY {
            let text = format!("failed to send with a delay of {delay:?} (allowed: 15 minutes)");
            return Err(PortError::new(PortErrorKind::Refused, text));
        }
        self.put(&self.stack.queue(function), message, whole_seconds(delay)).await
    }

    /// Sends messages to a function's queue, ten in a request as far as they fit. One that is not taken is sent again
    /// alone; what fails then is logged, and left to the conductor.
    pub(crate) async fn send_all(&self, function: &str, messages: &[(&str, Duration)]) {
        for some in batches(messages).chunks(AT_ONCE) {
            join_all(some.iter().map(|batch| self.send_ten(function, batch))).await;
        }
    }

    async fn send_ten(&self, function: &str, messages: &[(&str, Duration)]) {
        let left = self.send_batch(function, messages).await.unwrap_or_else(|error| {
            tracing::warn!(function, %error, "a batch of messages is sent one by one");
            messages.to_vec()
        });
        for (message, delay) in left {
            if let Err(error) = self.send(function, message, delay).await {
                tracing::warn!(function, bytes = message.len(), %error, "a message is left to the conductor");
            }
        }
    }

    /// Sends messages in one request, and gives those that the queue has not taken.
    async fn send_batch<'a>(
        &self,
        function: &str,
        messages: &[(&'a str, Duration)],
    ) -> PortResult<Vec<(&'a str, Duration)>> {
        if let [message] = messages {
            return Ok(vec![*message]);
        }
        let queue = self.stack.queue(function);
        let mut send = self.client.send_message_batch().queue_url(self.url(&queue).await?);
        for (id, (message, delay)) in messages.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(*message);
            let entry = entry.set_message_system_attributes(attributes(message));
            let entry = entry.delay_seconds(whole_seconds(*delay)).build().map_err(|error| {
                PortError::new(PortErrorKind::Refused, "failed to describe a batch of messages").caused_by(error)
            })?;
            send = send.entries(entry);
        }
        let operation = Operation::of("send to the queue", &queue);
        let reply = send.send().await.map_err(|error| self.stack.errors(Service::Sqs).port(operation, error))?;
        let failed = reply.failed().iter().filter_map(|failed| messages.get(failed.id().parse::<usize>().ok()?));
        Ok(failed.copied().collect())
    }

    /// Keeps a text in the function's own dead-letter queue where it has one, else in the app's.
    pub(crate) async fn send_to_dlq(&self, function: &str, text: &str) -> PortResult<()> {
        match self.put(&self.stack.dead_letter_queue(function), text, 0).await {
            // A queue that a role doesn't name is as good as none: the service doesn't tell them apart.
            Err(error) if matches!(error.kind(), PortErrorKind::NotDeployed | PortErrorKind::Denied) => {
                self.put(&self.stack.queue(APP_DLQ), text, 0).await
            }
            put => put,
        }
    }

    /// Is true where the function's queue shows a visible message.
    pub(crate) async fn has_backlog(&self, function: &str) -> PortResult<bool> {
        let queue = self.stack.queue(function);
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        let ask = self.client.get_queue_attributes().queue_url(self.url(&queue).await?);
        let reply = ask.attribute_names(visible.clone()).send().await;
        let operation = Operation::of("look at the queue", &queue);
        let reply = reply.map_err(|error| self.stack.errors(Service::Sqs).port(operation, error))?;
        let count = reply.attributes().and_then(|attributes| attributes.get(&visible));
        Ok(count.is_some_and(|count| count != "0"))
    }

    async fn put(&self, queue: &str, text: &str, delay_s: i32) -> PortResult<()> {
        let url = self.url(queue).await?;
        let send = self.client.send_message().queue_url(url).message_body(text).delay_seconds(delay_s);
        let reply = send.set_message_system_attributes(attributes(text)).send().await;
        reply
            .map_err(|error| self.stack.errors(Service::Sqs).port(Operation::of("send to the queue", queue), error))?;
        Ok(())
    }

    async fn url(&self, queue: &str) -> PortResult<String> {
        if let Some(url) = self.stack.queue_url(queue) {
            return Ok(url);
        }
        if let Some(url) = self.urls.read().await.get(queue) {
            return Ok(url.clone());
        }
        let reply = self.client.get_queue_url().queue_name(queue).send().await;
        let reply = reply
            .map_err(|error| self.stack.errors(Service::Sqs).port(Operation::of("find the queue", queue), error))?;
        let url = reply.queue_url().unwrap_or_default().to_owned();
        self.urls.write().await.insert(queue.to_owned(), url.clone());
        Ok(url)
    }
}

/// The trace that a message belongs to, as X-Ray reads it.
fn attributes(message: &str) -> Option<HashMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue>> {
    let trace = Message::traceparent_in(message)?.to_xray();
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build().ok()?;
    Some([(MessageSystemAttributeNameForSends::AwsTraceHeader, value)].into())
}

/// Messages in the requests that take them: each up to ten, and all of it as large as one message may be.
fn batches<'a, 'b>(messages: &'b [(&'a str, Duration)]) -> Vec<&'b [(&'a str, Duration)]> {
    let (mut batches, mut begin, mut bytes) = (vec![], 0, 0);
    for (at, (message, _)) in messages.iter().enumerate() {
        if at > begin && (at - begin == BATCH || bytes + message.len() > limits::MESSAGE_BYTES) {
            batches.push(&messages[begin..at]);
            (begin, bytes) = (at, 0);
        }
        bytes += message.len();
    }
    batches.push(&messages[begin..]);
    batches
}

/// SQS holds messages back by whole seconds, and refuses more than 15 minutes: those are a schedule's.
fn whole_seconds(delay: Duration) -> i32 {
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_is_of_ten_messages_and_as_large_as_one_may_be() {
        let half = "x".repeat(limits::MESSAGE_BYTES / 2);
        let sizes = |messages: &[&str]| {
            let messages: Vec<_> = messages.iter().map(|message| (*message, Duration::ZERO)).collect();
            batches(&messages).into_iter().map(<[_]>::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&["x"; 25]), [10, 10, 5]);
        assert_eq!(sizes(&["x"; 10]), [10]);
        assert_eq!(sizes(&[&*half; 5]), [2, 2, 1]);
        assert_eq!(sizes(&["x", &half, &half]), [2, 1]);
    }

    #[test]
    fn delay_in_whole_seconds_is_rounded_up_and_never_cut() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_millis(899_001)), 900);
        assert_eq!(whole_seconds(Duration::from_secs(901)), 901);
    }
}
