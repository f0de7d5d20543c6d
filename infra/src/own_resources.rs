//! The app's own part of the template: `infra/resources.yaml`, with a bucket, a table, a parameter of its own.

use serde_json::{Map, Value, json};

use crate::resource::TemplateError;

/// The sections that the file may have.
const SECTIONS: [&str; 5] = ["Parameters", "Mappings", "Conditions", "Resources", "Outputs"];
/// The only version of templates that there is.
const VERSION: &str = "2010-09-09";
/// Parameters of ours that texts of functions may use as well.
const SHARED: [&str; 2] = ["App", "Stage"];

/// The app's own CloudFormation resources, parameters and what belongs to them, by section.
#[derive(Clone, Debug, Default)]
pub struct OwnResources(Map<String, Value>);

impl OwnResources {
    /// Reads the text of `infra/resources.yaml`: CloudFormation's YAML, short forms as `!Ref` included, or its JSON.
    ///
    /// # Errors
    /// If it is no YAML, has another section than those of a template that are allowed here, or a section is no map.
    pub fn read(text: &str) -> Result<Self, TemplateError> {
        let odd = |problem: String| TemplateError::OwnResources(problem);
        let yaml: yaml_serde::Value = yaml_serde::from_str(text).map_err(|error| odd(error.to_string()))?;
        let mut sections = match json_of(yaml).map_err(odd)? {
            Value::Object(sections) => sections,
            Value::Null => Map::new(),
            other => return Err(odd(format!("it holds {} (a map of sections is expected)", kind(&other)))),
        };
        if let Some(version) = sections.remove("AWSTemplateFormatVersion").filter(|version| version != VERSION) {
            return Err(odd(format!("AWSTemplateFormatVersion {version} (allowed: {VERSION:?})")));
        }
        for (section, content) in &sections {
            if !SECTIONS.contains(&section.as_str()) {
                return Err(odd(format!("section {section:?} (allowed: {})", SECTIONS.join(", "))));
            }
            let Value::Object(content) = content else {
                return Err(odd(format!("section {section:?} holds {} (a map is expected)", kind(content))));
            };
            let odd_one = content.iter().find(|(_, it)| !it.is_object()).filter(|_| section != "Conditions");
            if let Some((name, it)) = odd_one {
                return Err(odd(format!("{name} in {section:?} is {} (a map is expected)", kind(it))));
            }
        }
        Ok(Self(sections))
    }

    /// What a section holds, by name.
    pub(crate) fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.0.get(name).and_then(Value::as_object).into_iter().flatten()
    }

    fn has(&self, section: &str, name: &str) -> bool {
        self.section(section).any(|(known, _)| known == name)
    }

    /// A function's text as the template has it: with `Fn::Sub` where it names something.
    ///
    /// # Errors
    /// If it names what is neither in the file nor one of CloudFormation's own parameters.
    pub(crate) fn text(&self, function: &str, text: &str) -> Result<Value, TemplateError> {
        let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.trim());
        for name in names.filter(|name| !name.starts_with('!')) {
            let (thing, attribute) = name.split_once('.').map_or((name, None), |(thing, it)| (thing, Some(it)));
            let is_known = match attribute {
                Some(_) => self.has("Resources", thing),
                None => {
                    name.starts_with("AWS::")
                        || SHARED.contains(&name)
                        || self.has("Resources", name)
                        || self.has("Parameters", name)
                }
            };
            if !is_known {
                let known: Vec<&str> = ["Parameters", "Resources"]
                    .iter()
                    .flat_map(|section| self.section(section).map(|(name, _)| name.as_str()))
                    .collect();
                let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
                return Err(TemplateError::Unknown { function: function.to_owned(), name: name.to_owned(), known });
            }
        }
        Ok(if text.contains("${") { json!({ "Fn::Sub": text }) } else { json!(text) })
    }
}

/// YAML as JSON, CloudFormation's short forms as its long ones.
fn json_of(yaml: yaml_serde::Value) -> Result<Value, String> {
    use yaml_serde::Value as Yaml;
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(it) => it.into(),
        Yaml::Number(it) => serde_json::to_value(it).map_err(|error| error.to_string())?,
        Yaml::String(it) => it.into(),
        Yaml::Sequence(items) => items.into_iter().map(json_of).collect::<Result<_, _>>()?,
        Yaml::Mapping(map) => {
            let entry = |(key, value)| match key {
                Yaml::String(key) => Ok((key, json_of(value)?)),
                Yaml::Number(key) => Ok((key.to_string(), json_of(value)?)),
                other => Err(format!("a key {other:?} (a text is expected)")),
            };
            Value::Object(map.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let (name, value) = (name.trim_start_matches('!').to_owned(), json_of(tagged.value)?);
            match (name.as_str(), value) {
                ("Ref" | "Condition", value) => json!({ name: value }),
                ("GetAtt", Value::String(path)) => {
                    let (resource, attribute) =
                        path.split_once('.').ok_or_else(|| format!("!GetAtt {path} (expected as Name.Attribute)"))?;
                    json!({ "Fn::GetAtt": [resource, attribute] })
                }
                (_, value) => json!({ format!("Fn::{name}"): value }),
            }
        }
    })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
