//! The app's own part of the template: `infra/resources.yaml`, with a bucket, a table, a parameter of its own.

use serde_json::{Map, Value, json};

use crate::resource::{Named, TemplateError};

/// The sections that the file may have.
const SECTIONS: [&str; 5] = ["Parameters", "Mappings", "Conditions", "Resources", "Outputs"];
/// The only version of templates that there is.
const VERSION: &str = "2010-09-09";
/// CloudFormation's own parameters.
const PSEUDO: [&str; 6] =
    ["AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix"];
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

    /// The contents of a section, by name.
    pub(crate) fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.0.get(name).and_then(Value::as_object).into_iter().flatten()
    }

    fn has(&self, section: &str, name: &str) -> bool {
        self.section(section).any(|(known, _)| known == name)
    }

    /// Refuses a resource that is named as a parameter: CloudFormation has one set of names for both.
    ///
    /// # Errors
    /// The first such name.
    pub(crate) fn check_apart(&self, parameters: &Named<Value>) -> Result<(), TemplateError> {
        let is_taken = |name: &String| parameters.has(name) || self.has("Parameters", name);
        match self.section("Resources").find(|(name, _)| is_taken(name)) {
            Some((name, _)) => Err(TemplateError::Taken { section: "Parameters".to_owned(), name: name.clone() }),
            None => Ok(()),
        }
    }

    /// The type of an own resource.
    pub(crate) fn type_of(&self, resource: &str) -> Option<&str> {
        let found = self.section("Resources").find(|(name, _)| *name == resource);
        found.and_then(|(_, resource)| resource["Type"].as_str())
    }

    /// The own resources of a type.
    pub(crate) fn of_type(&self, kind: &str) -> Vec<String> {
        let of_type = self.section("Resources").filter(|(_, resource)| resource["Type"] == kind);
        of_type.map(|(name, _)| name.clone()).collect()
    }

    /// A function's text as the template has it: with `Fn::Sub` where it names something.
    ///
    /// # Errors
    /// If it names what is neither in the file nor one of CloudFormation's own parameters, or a parameter that is a list.
    pub(crate) fn text(&self, function: &str, text: &str) -> Result<Value, TemplateError> {
        for rest in text.split("${").skip(1) {
            let no_end = || self.unknown(function, format!("${{{rest}"), "has no end");
            let (name, _) = rest.split_once('}').ok_or_else(no_end)?;
            let unknown = |problem| self.unknown(function, format!("${{{name}}}"), problem);
            if name.starts_with('!') {
                continue; // A literal.
            }
            if self.is_list(name) {
                return Err(unknown("is a list, and can only be the whole of `vpc`'s lists"));
            }
            let is_known = match name.split_once('.') {
                Some((resource, _)) => self.has("Resources", resource),
                None => {
                    let ours = PSEUDO.contains(&name) || SHARED.contains(&name);
                    ours || self.has("Resources", name) || self.has("Parameters", name)
                }
            };
            if !is_known {
                return Err(unknown("names nothing"));
            }
        }
        Ok(if text.contains("${") { json!({ "Fn::Sub": text }) } else { json!(text) })
    }

    /// Several texts; a single one that is a parameter of a list type is the whole list.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub(crate) fn texts(&self, function: &str, texts: &[String]) -> Result<Value, TemplateError> {
        if let [text] = texts
            && let Some(name) = placeholder(text).filter(|name| self.is_list(name))
        {
            return Ok(json!({ "Ref": name }));
        }
        texts.iter().map(|text| self.text(function, text)).collect()
    }

    fn is_list(&self, parameter: &str) -> bool {
        let found = self.section("Parameters").find(|(name, _)| *name == parameter);
        let kind = found.and_then(|(_, about)| about["Type"].as_str()).unwrap_or_default();
        kind.contains("List<") || kind == "CommaDelimitedList"
    }

    fn unknown(&self, function: &str, text: String, problem: &'static str) -> TemplateError {
        let sections = ["Parameters", "Resources"];
        let known = sections.iter().flat_map(|section| self.section(section)).map(|(name, _)| name.as_str());
        let known: Vec<&str> = known.collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        TemplateError::Unknown { function: function.to_owned(), text, problem, known }
    }
}

/// The name in a text that is one placeholder and nothing else: `${Name}` or `${Name.Attribute}`.
pub(crate) fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}').filter(|name| !name.contains(['$', '{', '}', '!']))
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
