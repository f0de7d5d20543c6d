"""Event source mappings from SQS. LocalStack's handle one batch at a time and look for the next up to ten seconds
after an empty poll; AWS's poll all the time and start with five batches at once. Order is kept on FIFO queues.
"""

import logging
import threading

from localstack.services.lambda_.event_source_mapping.pollers.poller import EmptyPollResultsException
from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller
from localstack.utils.patch import patch

LOG = logging.getLogger("localstack.lambda.mapping")
BATCHES_AT_ONCE = 5
# Short, since a mapping that is being deleted or disabled still takes what its last poll finds.
LONG_POLL_SECONDS = 1


@patch(SqsPoller._register_client_hooks)
def poll_long(register, self):
    register(self)

    def wait(params, **_):
        params["WaitTimeSeconds"] = params.get("WaitTimeSeconds") or LONG_POLL_SECONDS

    self.source_client.meta.events.register("provide-client-params.sqs.ReceiveMessage", wait)


@patch(SqsPoller.poll_events)
def poll_again_at_once(poll, self):
    """A long poll needs no pause after it."""
    try:
        poll(self)
    except EmptyPollResultsException:
        pass


@patch(SqsPoller.handle_messages)
def handle_beside_others(handle, self, messages):
    if self.is_fifo_queue:
        return handle(self, messages)
    slots = self.__dict__.setdefault("slots", threading.Semaphore(BATCHES_AT_ONCE))

    def work():
        try:
            handle(self, messages)
        except Exception as error:  # the messages come back after their visibility timeout
            LOG.info("batch from %s failed: %s", self.source_arn, error)
        finally:
            slots.release()

    slots.acquire()
    threading.Thread(target=work, daemon=True).start()
