#!/bin/sh
# ministack 1.5.33 (PyPI) reads the JSON that goes into a Lambda function, and the one that comes out, into Python's
# numbers and writes it anew.
#
# Seen: a function of the runtime provided.al2023 that answers with the payload it was given is invoked with a fraction of
# 25 digits, 1.10, and 1e2. It is given 17 of the digits, 1.1 and 100.0, and so is the caller; spaces come between.
# Expected: the bytes of both. AWS API reference, Invoke, Payload: "The response from the function"; the Runtime API hands
# a runtime the event, and takes its response, as a body that nobody between has to understand.
set -eu

dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" && wait "$server"; } || true; rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check ministack==1.5.33 boto3==1.43.106

cat <<PYTHON >bootstrap
#!$dir/env/bin/python
import os
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
while True:
    with urlopen(f"{api}/next") as asked:
        request, payload = asked.headers["Lambda-Runtime-Aws-Request-Id"], asked.read()
    urlopen(Request(f"{api}/{request}/response", data=b'{"given":' + payload + b'}')).close()
PYTHON
chmod +x bootstrap

port=$(env/bin/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" SERVICES=lambda,iam,logs,s3 IOT_MTLS_ENABLED=0 SFTP_ENABLED=0
export HOME="$dir" TMPDIR="$dir"
env/bin/ministack >log 2>&1 &
server=$!

env/bin/python - <<'PYTHON' >seen
import io
import os
import zipfile

import boto3
from botocore.config import Config

code = io.BytesIO()
with zipfile.ZipFile(code, "w") as archive:
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    archive.writestr(entry, open("bootstrap").read())
client = boto3.client(
    "lambda",
    "us-east-1",
    endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
    aws_access_key_id="any",
    aws_secret_access_key="any",
    config=Config(retries={"max_attempts": 10, "mode": "standard"}),
)
client.create_function(
    FunctionName="echo",
    Runtime="provided.al2023",
    Handler="bootstrap",
    Role="arn:aws:iam::000000000000:role/echo",
    Code={"ZipFile": code.getvalue()},
)
client.get_waiter("function_active_v2").wait(FunctionName="echo")
reply = client.invoke(FunctionName="echo", Payload='{"a":0.1234567890123456789012345,"b":1.10,"c":1e2}')
print(reply["Payload"].read().decode())
PYTHON

cat <<'TEXT' >stated
{"given": {"a": 0.12345678901234568, "b": 1.1, "c": 100.0}}
TEXT

cat seen
diff stated seen
