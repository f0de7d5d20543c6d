#!/bin/sh
# dynalite 4.0.0 (npm) removes another element of a list than the one that is named beside a first one.
#
# Seen: of Chisel, Hammer, Nails, Screwdriver, Hacksaw, "REMOVE RelatedItems[1], RelatedItems[2]" removes Hammer and
# Screwdriver: after the first removal, the second counts anew.
# Expected: Hammer and Nails. It is the example of the DynamoDB developer guide ("Update expressions", "Removing
# elements from a list"), whose list then holds Chisel, Screwdriver and Hacksaw.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

npm install --silent --no-audit --no-fund --ignore-scripts dynalite@4.0.0 @aws-sdk/client-dynamodb@3.1169.0

node --no-warnings - <<'JS' >seen
const { DynamoDB } = require("@aws-sdk/client-dynamodb")

async function update(port) {
    const credentials = { accessKeyId: "any", secretAccessKey: "any" }
    const client = new DynamoDB({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials })
    const TableName = "ProductCatalog"
    await client.createTable({
        TableName,
        AttributeDefinitions: [{ AttributeName: "Id", AttributeType: "N" }],
        KeySchema: [{ AttributeName: "Id", KeyType: "HASH" }],
        BillingMode: "PAY_PER_REQUEST",
    })
    while ((await client.describeTable({ TableName })).Table.TableStatus !== "ACTIVE");
    const Key = { Id: { N: "789" } }
    const items = ["Chisel", "Hammer", "Nails", "Screwdriver", "Hacksaw"].map((S) => ({ S }))
    await client.putItem({ TableName, Item: { ...Key, RelatedItems: { L: items } } })
    const UpdateExpression = "REMOVE RelatedItems[1], RelatedItems[2]"
    const updated = await client.updateItem({ TableName, Key, UpdateExpression, ReturnValues: "ALL_NEW" })
    console.log(updated.Attributes.RelatedItems.L.map(({ S }) => S).join(" "))
    client.destroy()
}

const server = require("dynalite")({ createTableMs: 0 })
server.listen(0, "127.0.0.1", () => update(server.address().port).finally(() => server.close()))
JS

cat <<'TEXT' >stated
Chisel Nails Hacksaw
TEXT

cat seen
diff stated seen
