#!/bin/sh
# moto 5.2.5 (PyPI) forgets a deduplication id of an SQS FIFO queue once its message is deleted.
#
# Seen: a message that is sent, received and deleted, and sent again at once with the same deduplication id, is received
# again. While the first one is in the queue, the second isn't delivered.
# Expected: not delivered. SQS developer guide, "Using the message deduplication ID": "Amazon SQS continues to keep
# track of the message deduplication ID even after the message is received and deleted", for five minutes.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check 'moto[sqs]==5.2.5' boto3==1.44.8

env/bin/python - <<'PYTHON' >seen
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("sqs", "us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    queue = client.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def send():
        message = {"MessageBody": "order 1", "MessageGroupId": "orders", "MessageDeduplicationId": "order-1"}
        client.send_message(QueueUrl=queue, **message)

    def receive_and_delete():
        messages = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    send()
    send()
    print("sent twice, received:", receive_and_delete())
    send()
    print("sent again after the deletion, received:", receive_and_delete())
PYTHON

cat <<'TEXT' >stated
sent twice, received: ['order 1']
sent again after the deletion, received: ['order 1']
TEXT

cat seen
diff stated seen
