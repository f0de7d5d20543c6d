#!/bin/sh
# json-merge-patch 0.3.0 (PyPI) makes an empty patch of a change from 1 to true, or from 0 to false.
#
# Seen: create_patch({"enabled": 1}, {"enabled": True}) is {}; merged into the source it leaves the 1. The same holds in
# lists. Python's 1 == True decides.
# Expected: {"enabled": true}. RFC 7396 (section 1): a merge patch describes the changes to be made to the target, and
# in JSON (RFC 8259, section 3) true and 1 are two values.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv env
env/bin/pip install --quiet --no-compile --disable-pip-version-check json-merge-patch==0.3.0

env/bin/python - <<'PYTHON' >seen
import json
from json_merge_patch import create_patch, merge

for source, target in (("1", "true"), ("0", "false"), ("[1, 0]", "[true, false]"), ("1", '"1"')):
    source, target = ({"enabled": json.loads(value)} for value in (source, target))
    patch = create_patch(source, target)
    print(json.dumps(source), json.dumps(target), "patch", json.dumps(patch), end=" ")
    print("merged", json.dumps(merge(source, patch)))
PYTHON

cat <<'TEXT' >stated
{"enabled": 1} {"enabled": true} patch {} merged {"enabled": 1}
{"enabled": 0} {"enabled": false} patch {} merged {"enabled": 0}
{"enabled": [1, 0]} {"enabled": [true, false]} patch {} merged {"enabled": [1, 0]}
{"enabled": 1} {"enabled": "1"} patch {"enabled": "1"} merged {"enabled": "1"}
TEXT

cat seen
diff stated seen
