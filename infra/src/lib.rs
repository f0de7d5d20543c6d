//! Writes the CloudFormation template from the manifest.
