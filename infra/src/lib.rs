//! An app as AWS gets it: its manifest, made by asking every function, and the CloudFormation template that is written
//! from it. Pure but for [`collect()`], which runs the functions' binaries, and [`main()`], the program of an app's `infra`.

mod alarms;
mod collect;
mod dashboard;
mod functions;
mod kms;
mod names;
mod own_resources;
mod parameters;
mod policy;
mod program;
mod requires;
mod resource;
mod roles;
mod schedules;
mod script;
mod settings;
mod state_machine;
mod table;
mod template;
mod token_url;

pub use collect::{CollectError, collect};
pub use names::code_parameter;
pub use own_resources::OwnResources;
pub use parameters::{ParametersError, parameters};
pub use program::main;
pub use requires::warnings;
pub use resource::TemplateError;
pub use state_machine::WAIT_LOOP;
pub use template::{Template, template};
