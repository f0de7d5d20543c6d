"""Shows that the LocalStack of `run` does what Dacapo needs of AWS. It takes about half a minute:

    target/localstack-venv/bin/python tests/localstack/smoke.py http://127.0.0.1:4566
"""

import io
import json
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import boto3

ENDPOINT = sys.argv[1]
# For all that is waited for, on a machine that may be busy.
PATIENCE_SECONDS = 300
ACCOUNT = "eu-west-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/any"
RUN = f"smoke-{time.time_ns()}"

# Does what its event says. Of messages, it fails those that say so the first time they come.
BOOTSTRAP = f"#!{sys.executable}" + """
import http.client, json, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
count = 0
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    response = api.getresponse()
    request_id, event = response.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(response.read())
    count += 1
    print(json.dumps(event), flush=True)
    began = time.time()
    time.sleep(event.get("sleep", 0))
    if "exit" in event:
        os._exit(event["exit"])
    failed = [r["messageId"] for r in event.get("Records", []) if r["body"] == "fail" and r["attributes"]["ApproximateReceiveCount"] == "1"]
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    answer = {"count": count, "began": began, "ended": time.time(), "next": "wait" if count < 3 else "handover" if count == 3 else "stop", "until": soon,
              "batchItemFailures": [{"itemIdentifier": id} for id in failed]}
    # In two chunks, as runtimes may.
    body = json.dumps(answer).encode()
    api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", iter([body[:9], body[9:]]),
                {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    api.getresponse().read()
"""

LOOP = {
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "TimestampPath": "$.until", "Next": "Invoke"},
        "Invoke": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName.$": "$.function", "Payload": {"run.$": "$.run"}},
            "ResultSelector": {"next.$": "$.Payload.next", "until.$": "$.Payload.until"},
            "ResultPath": "$.answer",
            "Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1, "MaxAttempts": 3}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Stop"}],
            "Next": "Choice",
        },
        "Choice": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.answer.next", "StringEquals": "wait", "Next": "Again"},
                {"Variable": "$.answer.next", "StringEquals": "handover", "Next": "Handover"},
            ],
            "Default": "Stop",
        },
        "Again": {
            "Type": "Pass",
            "Parameters": {"function.$": "$.function", "run.$": "$.run", "until.$": "$.answer.until"},
            "Next": "Wait",
        },
        "Handover": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution",
            "Parameters": {
                "StateMachineArn.$": "$$.StateMachine.Id",
                "Name.$": "States.Format('{}-2', $.run)",
                "Input": {"function.$": "$.function", "run.$": "$.run", "until.$": "$.answer.until"},
            },
            "End": True,
        },
        "Stop": {"Type": "Succeed"},
    },
}


def aws(service: str):
    return boto3.client(service, "eu-west-1", endpoint_url=ENDPOINT, aws_access_key_id="x", aws_secret_access_key="x")


lambdas, queues, machines, tables = aws("lambda"), aws("sqs"), aws("stepfunctions"), aws("dynamodb")


def check(what: str, found, wanted) -> None:
    if found != wanted:
        sys.exit(f"{what}: {found!r} instead of {wanted!r}")
    print(f"ok  {what}")


def function(name: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zip:
        zip.writestr("bootstrap", BOOTSTRAP)
    lambdas.create_function(FunctionName=name, Runtime="provided.al2023", Handler="bootstrap", Role=ROLE, Timeout=2,
                            Architectures=["arm64"], Code={"ZipFile": archive.getvalue()})
    lambdas.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return f"arn:aws:lambda:{ACCOUNT}:function:{name}"


def invoke(name: str, event: dict) -> dict:
    return json.load(lambdas.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"])


def ended(execution: str) -> dict:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := machines.describe_execution(executionArn=execution))["status"] != "RUNNING":
            return found
        time.sleep(0.1)
    sys.exit(f"{execution} has not ended within {PATIENCE_SECONDS} s: {found}")


name = f"{RUN}-direct"
function(name)
check("a process serves one invocation after another", [invoke(name, {})["count"] for _ in range(3)], [1, 2, 3])
with ThreadPoolExecutor(3) as pool:
    calls = list(pool.map(lambda _: invoke(name, {"sleep": 1}), range(3)))
check("three invocations run at once", max(c["began"] for c in calls) < min(c["ended"] for c in calls), True)
check("a time-out is AWS's error", invoke(name, {"sleep": 9})["errorType"], "Sandbox.Timedout")
check("an exit is AWS's error", invoke(name, {"exit": 7})["errorMessage"].split("Error: ")[1],
      "Runtime exited with error: exit status 7")
check("a new process serves the next", invoke(name, {})["count"], 1)

name, dead = f"{RUN}-mapped", f"{RUN}-dead"
function(name)
url = queues.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
lambdas.create_event_source_mapping(EventSourceArn=f"arn:aws:sqs:{ACCOUNT}:{name}", FunctionName=name, BatchSize=10,
                                    FunctionResponseTypes=["ReportBatchItemFailures"])
queues.send_message_batch(QueueUrl=url, Entries=[{"Id": body, "MessageBody": body} for body in ("fine", "fail")])
logs, deadline, seen = aws("logs"), time.monotonic() + PATIENCE_SECONDS, []
while time.monotonic() < deadline and len(seen) < 3:
    time.sleep(0.5)
    try:
        lines = [event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]]
        seen = [record["body"] for line in lines if line.startswith("{") for record in json.loads(line)["Records"]]
    except logs.exceptions.ResourceNotFoundException:
        pass
check("of a batch only the failed message comes again", sorted(seen), ["fail", "fail", "fine"])

arn = function(f"{RUN}-looped")
machine = machines.create_state_machine(name=RUN, definition=json.dumps(LOOP), roleArn=ROLE)["stateMachineArn"]
start = {"function": arn, "run": RUN, "until": "2020-01-01T00:00:00Z"}
first = machines.start_execution(stateMachineArn=machine, name=f"{RUN}-1", input=json.dumps(start))["executionArn"]
successor = json.loads(ended(first)["output"])["ExecutionArn"]
check("the loop hands over to a successor", successor.endswith(f":{RUN}-2"), True)
check("the successor stops", ended(successor)["status"], "SUCCEEDED")
far = machines.start_execution(stateMachineArn=machine, input=json.dumps(start | {"until": "2199-01-01T00:00:00Z"}))
machines.stop_execution(executionArn=far["executionArn"], error="E", cause="why")
check("a stopped execution says why", ended(far["executionArn"]).get("cause"), "why")

tables.create_table(TableName=RUN, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}])
item = {"pk": {"S": "1"}, "who": {"S": "first"}}
put = {"TableName": RUN, "Item": item, "ConditionExpression": "attribute_not_exists(pk)",
       "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
tables.put_item(**put)
try:
    tables.put_item(**put)
except tables.exceptions.ConditionalCheckFailedException as error:
    check("a lost race returns the item", error.response.get("Item"), item)
try:
    tables.transact_write_items(TransactItems=[{"Put": put}])
except tables.exceptions.TransactionCanceledException as error:
    check("so does a transaction", error.response["CancellationReasons"][0].get("Item"), item)
add = {"TableName": RUN, "Key": {"pk": {"S": "n"}}, "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
for _ in range(2):
    tables.transact_write_items(ClientRequestToken=RUN[-36:], TransactItems=[{"Update": add}])
check("a transaction sent twice is carried out once", tables.get_item(TableName=RUN, Key=add["Key"])["Item"]["n"], {"N": "1"})
