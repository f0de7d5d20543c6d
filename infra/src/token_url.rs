//! The address at which tokens are completed over HTTPS: a function URL in front of the conductor, where the stack is
//! asked for one. A token's text is all that it asks for.

use dacapo_domain::CONDUCTOR;
use serde_json::json;

use crate::{
    names::{HAS_TOKEN_URL, id},
    resource::{Named, Resource},
};

pub(crate) fn add(resources: &mut Named<Resource>) {
    let function = json!({ "Ref": id(CONDUCTOR, "Function") });
    let target = json!({ "Fn::GetAtt": [id(CONDUCTOR, "Function"), "Arn"] });
    let add = |resources: &mut Named<Resource>, name: &str, kind, properties| {
        resources.add(name, Resource::conditional(kind, HAS_TOKEN_URL, properties));
    };
    let url = json!({ "AuthType": "NONE", "TargetFunctionArn": target });
    add(resources, "TokenUrlEndpoint", "AWS::Lambda::Url", url);
    // Function URLs need both since October 2025.
    let by_url = json!({
        "Action": "lambda:InvokeFunctionUrl", "FunctionName": function, "Principal": "*", "FunctionUrlAuthType": "NONE",
    });
    add(resources, "TokenUrlIsOpen", "AWS::Lambda::Permission", by_url);
    let via_url = json!({
        "Action": "lambda:InvokeFunction", "FunctionName": function, "Principal": "*", "InvokedViaFunctionUrl": true,
    });
    add(resources, "TokenUrlInvokes", "AWS::Lambda::Permission", via_url);
}
