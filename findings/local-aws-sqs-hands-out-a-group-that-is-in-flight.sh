#!/bin/sh
# local-aws-sqs 2.0.2 (npm) hands out the second message of a FIFO queue's group while the first one is in flight.
#
# Seen: one message is received and kept; the next receive gives the other two messages of its group.
# Expected: none, until the first is deleted or visible again. SQS developer guide on FIFO queues: "When you receive a
# message with a message group ID, no more messages for the same message group ID are returned unless you delete the
# message or it becomes visible."
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --ignore-scripts local-aws-sqs@2.0.2 @aws-sdk/client-sqs@3.1169.0

cat <<'JS' >receive.mjs
import { SQS } from "@aws-sdk/client-sqs"
import { createServer } from "node:net"
import { createSqsServer } from "local-aws-sqs"

const port = await new Promise((found) => {
    const free = createServer().listen(0, "127.0.0.1", () => {
        const { port } = free.address()
        free.close(() => found(port))
    })
})
await createSqsServer({ port, hostname: "127.0.0.1" })

const credentials = { accessKeyId: "any", secretAccessKey: "any" }
const client = new SQS({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials })
const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" }
const { QueueUrl } = await client.createQueue({ QueueName: "orders.fifo", Attributes })
for (const MessageBody of ["first", "second", "third"])
    await client.sendMessage({ QueueUrl, MessageBody, MessageGroupId: "orders" })
for (const MaxNumberOfMessages of [1, 10]) {
    const { Messages = [] } = await client.receiveMessage({ QueueUrl, MaxNumberOfMessages, VisibilityTimeout: 600 })
    console.log("received", ...Messages.map((message) => message.Body))
}
process.exit()
JS
node --no-warnings receive.mjs >seen

cat <<'TEXT' >stated
received first
received second third
TEXT

cat seen
diff stated seen
