#!/bin/sh
# ministack 1.5.33 (PyPI) finds an item of DynamoDB whose key is a number by one way of writing it alone.
#
# Seen: an item that was stored with the key 1E2 is found by 100 alone, and neither by 1E2 nor by 100.0.
# Expected: all three find it, since they are one number. DynamoDB API reference, AttributeValue, N: numbers are sent as
# strings "to maximize compatibility across languages and libraries. However, DynamoDB treats them as number type
# attributes".
set -eu

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server"; } || true; rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check ministack==1.5.33 boto3==1.43.106

port=$(env/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=dynamodb IOT_MTLS_ENABLED=0 SFTP_ENABLED=0
export HOME="$dir" TMPDIR="$dir"
env/bin/ministack >log 2>&1 &
server=$!

env/bin/python - <<'PYTHON' >seen
import os

import boto3
from botocore.config import Config

client = boto3.client(
    "dynamodb",
    "us-east-1",
    endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"max_attempts": 10, "mode": "standard"}),
)
client.create_table(
    TableName="numbers",
    AttributeDefinitions=[{"AttributeName": "number", "AttributeType": "N"}],
    KeySchema=[{"AttributeName": "number", "KeyType": "HASH"}],
    BillingMode="PAY_PER_REQUEST",
)
client.put_item(TableName="numbers", Item={"number": {"N": "1E2"}})
print("scan:", [item["number"]["N"] for item in client.scan(TableName="numbers")["Items"]])
for text in "1E2", "100", "100.0":
    print(f"{text}:", "Item" in client.get_item(TableName="numbers", Key={"number": {"N": text}}))
PYTHON

cat <<'TEXT' >stated
scan: ['100']
1E2: False
100: True
100.0: False
TEXT

cat seen
diff stated seen
