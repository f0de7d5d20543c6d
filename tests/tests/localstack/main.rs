//! The sample app on LocalStack, from the deployed template: what AWS itself must carry.
