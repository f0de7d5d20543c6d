"""Lets LocalStack run without Docker and without a JVM.

- `process`: a Lambda function's `bootstrap` as a process, behind the Lambda Runtime API
- `executor`: what LocalStack asks of a runtime executor, by way of that process
- `mapping`: event source mappings that poll and scale more like AWS's
- `executions`: Step Functions executions that say why they were stopped
- `dynamodb`: DynamoDB in memory, one request at a time
- `plugins`: the entry points by which LocalStack finds all of this
"""
