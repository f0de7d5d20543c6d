//! The requirements of functions, and the app's own resources, as the template has them.

use dacapo_domain::{
    FileSystem, FunctionEntry, Manifest, Policy, Requirements, Right, SecretSource, TaskEntry, Vpc, ssm,
};
use dacapo_infra::{OwnResources, TemplateError, parameters, template, warnings};
use serde_json::{Value, json};

const OWN: &str = "
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Sender: { Type: String }
  Colour: { Type: String, Default: blue }
  Subnets: { Type: 'List<AWS::EC2::Subnet::Id>', Default: subnet-1 }
Conditions:
  IsBlue: !Equals [!Ref Colour, blue]
Resources:
  Invoices:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub '${App}-${Stage}-invoices'
      Tags: [{ Key: owner, Value: !GetAtt Other.Arn }]
  Password: { Type: AWS::SecretsManager::Secret }
Outputs:
  Bucket: { Value: !Ref Invoices }
";

fn own() -> OwnResources {
    OwnResources::read(OWN).unwrap()
}

fn manifest(requires: Requirements) -> Manifest {
    let task = TaskEntry {
        name: "mail".to_owned(),
        policy: Policy::default(),
        private: false,
        may_continue: true,
        schedules: vec![],
    };
    let function = FunctionEntry::task("mail", 256, task).requiring(requires);
    Manifest::new("shop", vec![function, FunctionEntry::conductor()]).unwrap()
}

fn written(requires: Requirements) -> Value {
    serde_json::from_str(&template(&manifest(requires), &own()).unwrap().to_text()).unwrap()
}

fn refused(requires: Requirements) -> String {
    template(&manifest(requires), &own()).unwrap_err().to_string()
}

fn right(action: &str, resource: &str) -> Requirements {
    Requirements {
        allow: vec![Right { action: action.to_owned(), resource: resource.to_owned() }],
        ..Requirements::default()
    }
}

fn statements(template: &Value) -> &Value {
    &template["Resources"]["MailRole"]["Properties"]["Policies"][1]["PolicyDocument"]["Statement"]
}

#[test]
fn own_resources_are_part_of_the_template_with_their_short_forms_written_out() {
    let template = written(Requirements::default());
    let bucket = &template["Resources"]["Invoices"];
    assert_eq!(bucket["Type"], "AWS::S3::Bucket");
    assert_eq!(bucket["Properties"]["BucketName"], json!({ "Fn::Sub": "${App}-${Stage}-invoices" }));
    assert_eq!(bucket["Properties"]["Tags"][0]["Value"], json!({ "Fn::GetAtt": ["Other", "Arn"] }));
    assert_eq!(template["Parameters"]["Sender"], json!({ "Type": "String" }));
    assert_eq!(template["Conditions"]["IsBlue"], json!({ "Fn::Equals": [{ "Ref": "Colour" }, "blue"] }));
    assert_eq!(template["Outputs"]["Bucket"]["Value"], json!({ "Ref": "Invoices" }));
    assert_eq!(template["Resources"]["MailRole"]["Properties"]["Policies"].as_array().unwrap().len(), 1);
}

#[test]
fn rights_are_of_the_functions_own_role_alone() {
    let template = written(right("s3:GetObject", "${Invoices.Arn}/*"));
    let expected = json!([{
        "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": { "Fn::Sub": "${Invoices.Arn}/*" },
    }]);
    assert_eq!(statements(&template), &expected);
    assert_eq!(template["Resources"]["ConductorRole"]["Properties"]["Policies"].as_array().unwrap().len(), 1);
}

#[test]
fn variables_are_the_lambdas_and_of_secrets_the_template_has_names_alone() {
    let requires = Requirements {
        environment: [("SENDER", "${Sender}"), ("COLOUR", "blue")].map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        secrets: [("PASSWORD".to_owned(), SecretSource::from("shop/smtp")), ("KEY".to_owned(), ssm("/shop/key"))]
            .into(),
        ..Requirements::default()
    };
    let template = written(requires);
    let variables = &template["Resources"]["MailFunction"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["SENDER"], json!({ "Fn::Sub": "${Sender}" }));
    assert_eq!(variables["COLOUR"], "blue");
    assert_eq!(variables["DACAPO_SECRETS"], r#"{"KEY":{"ssm":"/shop/key"},"PASSWORD":{"secretsManager":"shop/smtp"}}"#);
    let arn = |service: &str, rest: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}") });
    let expected = json!([
        { "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [arn("secretsmanager", "secret:shop/smtp-??????")] },
        { "Effect": "Allow", "Action": ["ssm:GetParameters"], "Resource": [arn("ssm", "parameter/shop/key")] },
    ]);
    assert_eq!(statements(&template), &expected);
}

#[test]
fn network_storage_layers_and_logs_are_properties_of_the_lambda() {
    let requires = Requirements {
        layers: vec!["arn:aws:lambda:eu-west-1:111122223333:layer:fonts:3".to_owned()],
        vpc: Some(Vpc { subnets: vec!["subnet-1".to_owned()], security_groups: vec!["sg-1".to_owned()] }),
        ephemeral_storage_mb: Some(1_024),
        tracing: true,
        log_level: Some("debug".to_owned()),
        ..Requirements::default()
    };
    let template = written(requires);
    let lambda = &template["Resources"]["MailFunction"]["Properties"];
    assert_eq!(lambda["Layers"][0], "arn:aws:lambda:eu-west-1:111122223333:layer:fonts:3");
    assert_eq!(lambda["VpcConfig"], json!({ "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"] }));
    assert_eq!(lambda["EphemeralStorage"], json!({ "Size": 1_024 }));
    assert_eq!(lambda["TracingConfig"], json!({ "Mode": "Active" }));
    assert_eq!(lambda["LoggingConfig"]["ApplicationLogLevel"], "DEBUG");
    let actions = statements(&template).to_string();
    assert!(actions.contains("ec2:CreateNetworkInterface") && actions.contains("xray:PutTraceSegments"), "{actions}");
}

#[test]
fn name_that_leads_nowhere_is_refused_with_what_there_is() {
    let error = refused(right("s3:GetObject", "${Invoice.Arn}/*"));
    assert_eq!(
        error,
        "mail: ${Invoice.Arn} names nothing (infra/resources.yaml has Sender, Colour, Subnets, Invoices, Password; Dacapo's \
        are App and Stage; a literal begins with ${!)"
    );
    for (text, wanted) in [
        ("${Sender.Arn}", "${Sender.Arn} names nothing"),
        ("${AWS::Acount}", "${AWS::Acount} names nothing"),
        ("arn:${Invoices", "mail: ${Invoices has no end ("),
        ("arn:${Subnets}", "${Subnets} is a list, and can only be the whole of `vpc`'s lists"),
    ] {
        assert!(refused(right("s3:GetObject", text)).contains(wanted), "{text}");
    }
    assert_eq!(
        statements(&written(right("s3:GetObject", "arn:${!x}")))[0]["Resource"],
        json!({ "Fn::Sub": "arn:${!x}" })
    );
}

#[test]
fn right_to_what_is_named_by_no_arn_is_refused_with_the_arn() {
    let error = refused(right("s3:GetObject", "${Invoices}/*"));
    assert_eq!(error, "mail: the right \"s3:GetObject\" is on ${Invoices}, which is no ARN (write ${Invoices.Arn})");
}

#[test]
fn rights_to_one_resource_are_one_statement_and_more_than_a_role_holds_are_refused() {
    let right =
        |action: &str, n: u32| Right { action: action.to_owned(), resource: format!("arn:aws:s3:::bucket-{n}/*") };
    let both = vec![right("s3:GetObject", 1), right("s3:PutObject", 1)];
    let template = written(Requirements { allow: both, ..Requirements::default() });
    assert_eq!(statements(&template)[0]["Action"], json!(["s3:GetObject", "s3:PutObject"]));
    assert_eq!(statements(&template).as_array().unwrap().len(), 1);

    let many = (0..100).map(|n| right("s3:GetObject", n)).collect();
    let error = refused(Requirements { allow: many, ..Requirements::default() });
    assert!(
        error.starts_with("mail: its rights are about ")
            && error.contains("(its role has room for 8000 of the 10,240 that IAM allows; "),
        "{error}"
    );
}

#[test]
fn secret_may_be_read_by_the_arn_that_its_name_or_its_reference_has() {
    let arn = |service: &str, rest: &str| {
        format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")
    };
    let own = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smtp-a1B2c3";
    for (source, resources) in [
        (SecretSource::from(own), vec![own.to_owned()]),
        (SecretSource::from("${Password}"), vec!["${Password}".to_owned()]),
        (SecretSource::from("${Password.Id}"), vec!["${Password.Id}".to_owned()]),
        (SecretSource::from("${Stage}/smtp"), vec![arn("secretsmanager", "secret:${Stage}/smtp-??????")]),
        (SecretSource::from("${Sender}"), vec![arn("secretsmanager", "secret:${Sender}-??????")]),
        (ssm("/${Stage}/key"), vec![arn("ssm", "parameter/${Stage}/key")]),
        (ssm("key"), vec![arn("ssm", "parameter/key")]),
        (ssm("/shop/key:3"), vec![arn("ssm", "parameter/shop/key")]),
        // With a slash at its beginning or without.
        (ssm("${Sender}"), vec![arn("ssm", "parameter/${Sender}"), arn("ssm", "parameter${Sender}")]),
    ] {
        let requires = Requirements { secrets: [("KEY".to_owned(), source.clone())].into(), ..Requirements::default() };
        let template = written(requires);
        let may = statements(&template)[0]["Resource"].as_array().unwrap();
        let may: Vec<&str> = may.iter().map(|it| it.as_str().or(it["Fn::Sub"].as_str()).unwrap()).collect();
        assert_eq!(may, resources, "{source}");
    }
}

#[test]
fn function_with_a_file_system_is_made_after_its_targets_and_may_mount_it_by_its_access_point_alone() {
    let requires = Requirements {
        vpc: Some(Vpc { subnets: vec!["${Subnets}".to_owned()], security_groups: vec!["sg-1".to_owned()] }),
        file_system: Some(FileSystem { access_point: "${Point.Arn}".to_owned(), path: "/mnt/files".to_owned() }),
        ..Requirements::default()
    };
    let own = OwnResources::read(
        "Parameters: { Subnets: { Type: 'List<AWS::EC2::Subnet::Id>' } }
Resources: { Point: { Type: AWS::EFS::AccessPoint }, Target: { Type: AWS::EFS::MountTarget } }",
    )
    .unwrap();
    let template: Value = serde_json::from_str(&template(&manifest(requires), &own).unwrap().to_text()).unwrap();
    let function = &template["Resources"]["MailFunction"];
    assert_eq!(function["DependsOn"], json!(["Target"]));
    assert_eq!(function["Properties"]["VpcConfig"]["SubnetIds"], json!({ "Ref": "Subnets" }), "the whole list");
    let mounted = json!([{ "Arn": { "Fn::Sub": "${Point.Arn}" }, "LocalMountPath": "/mnt/files" }]);
    assert_eq!(function["Properties"]["FileSystemConfigs"], mounted);
    let mount = statements(&template).as_array().unwrap().last().unwrap();
    assert_eq!(mount["Action"], json!(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]));
    let by = &mount["Condition"]["StringEquals"]["elasticfilesystem:AccessPointArn"];
    assert_eq!(by, &json!({ "Fn::Sub": "${Point.Arn}" }));
}

#[test]
fn right_of_an_unknown_service_is_refused() {
    let error = refused(right("s3x:GetObject", "arn:aws:s3:::a"));
    assert!(
        error.starts_with("mail: the right \"s3x:GetObject\" is of no service that IAM knows (such as s3; "),
        "{error}"
    );
}

#[test]
fn right_to_everything_is_told_of() {
    let manifest = manifest(right("s3:GetObject", "*"));
    assert_eq!(
        warnings(&manifest),
        ["mail: it may do s3:GetObject to * (name the action and the ARN, where AWS lets them be named)"]
    );
    assert!(warnings(&self::manifest(right("s3:GetObject", "arn:aws:s3:::a/*"))).is_empty());
}

#[test]
fn own_resource_that_is_named_as_one_of_dacapos_is_refused() {
    for (section, name) in [("Resources", "MailQueue"), ("Parameters", "Stage"), ("Outputs", "Table")] {
        let own = OwnResources::read(&format!("{section}:\n  {name}: {{ Type: x }}\n")).unwrap();
        let error = template(&manifest(Requirements::default()), &own).unwrap_err();
        assert_eq!(error, TemplateError::Taken { section: section.to_owned(), name: name.to_owned() });
    }
    // Parameters and resources have one set of names.
    let own = OwnResources::read("Resources: { Artifacts: { Type: x } }").unwrap();
    let error = template(&manifest(Requirements::default()), &own).unwrap_err().to_string();
    assert_eq!(
        error,
        "Artifacts of infra/resources.yaml is named as one of the stack's Parameters (give it another name)"
    );
}

#[test]
fn file_that_is_no_part_of_a_template_is_refused_with_what_is_allowed() {
    for (text, wanted) in [
        ("Transform: AWS::Serverless-2016-10-31", "section \"Transform\" (allowed: Parameters, Mappings, Conditions, "),
        ("Resources: [a]", "section \"Resources\" holds a list (a map is expected)"),
        ("Resources: { A: b }", "A in \"Resources\" is a text (a map is expected)"),
        ("- a", "it holds a list (a map of sections is expected)"),
        ("AWSTemplateFormatVersion: 2020-01-01", "AWSTemplateFormatVersion \"2020-01-01\" (allowed: \"2010-09-09\")"),
        ("Resources: { A: !GetAtt B }", "!GetAtt B (expected as Name.Attribute)"),
        ("Resources: {", "infra/resources.yaml: "),
    ] {
        let error = OwnResources::read(text).unwrap_err().to_string();
        assert!(error.starts_with("infra/resources.yaml: ") && error.contains(wanted), "{error}: {wanted}");
    }
    assert!(template(&manifest(Requirements::default()), &OwnResources::read("").unwrap()).is_ok());
}

#[test]
fn parameters_of_a_deploy_are_the_deploys_own_and_those_of_the_stages_file() {
    let template = written(Requirements::default());
    let set = || {
        let declared = template["Parameters"].as_object().unwrap().keys();
        declared
            .filter(|name| !["Sender", "Colour", "Subnets"].contains(&name.as_str()))
            .map(|name| (name.clone(), "x".to_owned()))
            .collect()
    };
    let values = |text: &str| serde_json::from_str(text).unwrap();
    let file = "infra/parameters.prod.json";
    let given = parameters(&template, &set(), file, &values(r#"{"Sender":"mail@shop.example"}"#)).unwrap();
    assert!(
        given.as_array().unwrap().contains(&json!({ "ParameterKey": "Sender", "ParameterValue": "mail@shop.example" }))
    );

    let error = parameters(&template, &set(), file, &values("{}")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "without a value: Sender (write it into infra/parameters.prod.json, as {\"Sender\": \"…\"})"
    );
    let error = parameters(&template, &set(), file, &values(r#"{"Sender":"a","Color":"red"}"#)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "infra/parameters.prod.json gives a value to Color, which the deploy sets itself, or is no parameter (there are Sender, Colour, Subnets)"
    );
}

#[test]
fn rule_of_the_apps_own_may_send_into_the_conductors_queue_where_that_is_its_target() {
    let own = "
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Uploaded:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: { source: [aws.s3], detail-type: [Object Created] }
      Targets: [{ Id: app, Arn: !GetAtt ConductorQueue.Arn }]
  InProd:
    Type: AWS::Events::Rule
    Condition: IsProd
    Properties:
      EventBusName: own
      ScheduleExpression: rate(1 day)
      Targets: [{ Id: app, Arn: { 'Fn::GetAtt': [ConductorQueue, Arn] } }]
  Elsewhere:
    Type: AWS::Events::Rule
    Properties: { ScheduleExpression: rate(1 day), Targets: [{ Id: topic, Arn: !Ref Topic }] }
  Topic: { Type: AWS::SNS::Topic }
";
    let template = template(&manifest(Requirements::default()), &OwnResources::read(own).unwrap()).unwrap();
    let template: Value = serde_json::from_str(&template.to_text()).unwrap();
    let policy = &template["Resources"]["RulesMaySend"]["Properties"]["PolicyDocument"]["Statement"][0];
    let arn = |rule: &str| json!({ "Fn::GetAtt": [rule, "Arn"] });
    let in_prod = json!({ "Fn::If": ["IsProd", arn("InProd"), { "Ref": "AWS::NoValue" }] });
    let mut rules = policy["Condition"]["ArnEquals"]["aws:SourceArn"].as_array().unwrap().clone();
    rules.sort_by_key(Value::to_string);
    let mut expected = vec![arn("RuleOfStopped"), arn("RuleOfFailed"), arn("Uploaded"), in_prod];
    expected.sort_by_key(Value::to_string);
    assert_eq!(rules, expected);
}
