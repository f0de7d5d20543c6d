//! Dacapo's ports over DynamoDB, SQS, EventBridge Scheduler and Step Functions.
