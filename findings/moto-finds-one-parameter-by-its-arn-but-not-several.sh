#!/bin/sh
# moto 5.1.22 (PyPI), asked for a parameter of SSM by its ARN, gives it to GetParameter and calls it invalid in
# GetParameters.
#
# Seen: GetParameter with the ARN returns the value; GetParameters with the same ARN returns no parameter, and the ARN
# among InvalidParameters. By its name the parameter is found by both.
# Expected: the parameter from both. The API reference says of Names in GetParameters: "The names or Amazon Resource Names
# (ARNs) of the parameters that you want to query."
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check 'moto[ssm]==5.1.22'

AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=eu-west-1 env/bin/python - <<'PYTHON'
import sys

import boto3
from moto import mock_aws

with mock_aws():
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/shop/api-key", Value="key-7", Type="String")
    arn = ssm.get_parameter(Name="/shop/api-key")["Parameter"]["ARN"]
    one = ssm.get_parameter(Name=arn)["Parameter"]["Value"]
    several = ssm.get_parameters(Names=[arn])
    named = ssm.get_parameters(Names=["/shop/api-key"])["Parameters"]
print("GetParameter by ARN: ", one)
print("GetParameters by ARN:", several["Parameters"], "invalid:", several["InvalidParameters"])
seen = (one, several["Parameters"], several["InvalidParameters"], named[0]["Value"])
sys.exit(0 if seen == ("key-7", [], [arn], "key-7") else 1)
PYTHON
