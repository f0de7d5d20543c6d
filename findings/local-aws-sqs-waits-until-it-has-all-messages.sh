#!/bin/sh
# local-aws-sqs 2.0.2 (npm) doesn't end a long poll for up to ten messages when there is one: it waits for all ten.
#
# Seen: a receive of at most ten messages that may wait 6 seconds takes 6, though a message was sent after one. Of at
# most one message, it takes one second.
# Expected: one second or so for either. SQS API reference, ReceiveMessage, WaitTimeSeconds: "If a message is available,
# the call returns sooner than WaitTimeSeconds."
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
const { QueueUrl } = await client.createQueue({ QueueName: "orders" })

async function secondsToReceive(MaxNumberOfMessages) {
    const started = performance.now()
    const receiving = client.receiveMessage({ QueueUrl, MaxNumberOfMessages, WaitTimeSeconds: 6 })
    await new Promise((woken) => setTimeout(woken, 1000))
    await client.sendMessage({ QueueUrl, MessageBody: "order" })
    const { Messages } = await receiving
    const seconds = (performance.now() - started) / 1000
    console.log(`of at most ${MaxNumberOfMessages}: received ${Messages.length} after ${seconds.toFixed(1)} s`)
    return seconds
}

process.exit((await secondsToReceive(1)) < 5 && (await secondsToReceive(10)) > 5 ? 0 : 1)
JS
node --no-warnings receive.mjs
