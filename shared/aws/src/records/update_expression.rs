//! The difference between two records, as an update.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::{operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};

use super::{
    Item,
    item::{TTL, VERSION, number, text},
};

/// What an update sets and removes. Attributes that stay are not sent, and indexes that hold none of what is changed
/// are not written.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    set: BTreeMap<String, AttributeValue>,
    remove: BTreeSet<String>,
}

impl Difference {
    /// What makes one item another.
    pub(super) fn between(seen: &Item, next: &Item) -> Self {
        let changed = next.iter().filter(|(name, value)| seen.get(*name) != Some(value));
        let set = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        let remove = seen.keys().filter(|name| !next.contains_key(*name)).cloned().collect();
        Self { set, remove }
    }

    /// Sets an attribute too.
    pub(super) fn set(&mut self, name: &str, value: AttributeValue) {
        self.remove.remove(name);
        self.set.insert(name.to_owned(), value);
    }

    /// Removes an attribute too.
    pub(super) fn remove(&mut self, name: &str) {
        self.set.remove(name);
        self.remove.insert(name.to_owned());
    }

    /// Writes it into an update, on the condition that the item has the version that was seen and has not expired.
    /// An item that isn't there has no version, so no update makes one.
    pub(super) fn apply(self, update: UpdateItemFluentBuilder, seen: &str, now_s: i64) -> UpdateItemFluentBuilder {
        let (expression, names, mut values) = self.expression();
        values.insert(":seen".to_owned(), text(seen));
        values.insert(":now".to_owned(), number(now_s));
        update
            .update_expression(expression)
            .condition_expression("#version = :seen AND (attribute_not_exists(#ttl) OR #ttl > :now)")
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
    }

    /// The expression, the names in it, and the values in it. Names are never written plainly, since the service
    /// reserves 573 words.
    fn expression(self) -> (String, HashMap<String, String>, HashMap<String, AttributeValue>) {
        let placed = |name: &String| (format!("#{name}"), name.clone());
        let mut names: HashMap<String, String> = self.set.keys().chain(&self.remove).map(placed).collect();
        names.extend([placed(&VERSION.to_owned()), placed(&TTL.to_owned())]);

        let sets: Vec<String> = self.set.keys().map(|name| format!("#{name} = :{name}")).collect();
        let removes: Vec<String> = self.remove.iter().map(|name| format!("#{name}")).collect();
        let clauses = [("SET", sets), ("REMOVE", removes)].into_iter().filter(|(_, parts)| !parts.is_empty());
        let expression: Vec<String> = clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect();

        let values = self.set.into_iter().map(|(name, value)| (format!(":{name}"), value)).collect();
        (expression.join(" "), names, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{item::of_run, samples};

    fn expression(seen: &dacapo_domain::Run, next: &dacapo_domain::Run) -> String {
        Difference::between(&of_run(seen).unwrap(), &of_run(next).unwrap()).expression().0
    }

    #[test]
    fn a_start_touches_no_index() {
        assert_eq!(
            expression(&samples::run(), &samples::running()),
            "SET #lease = :lease, #startedAt = :startedAt, #state = :state, #version = :version"
        );
    }

    #[test]
    fn an_end_leaves_the_index_of_what_somebody_must_look_at() {
        assert_eq!(
            expression(&samples::running(), &samples::failed()),
            "SET #endedAt = :endedAt, #error = :error, #failed = :failed, #state = :state, #ttl = :ttl, \
             #version = :version REMOVE #lease, #watch, #watchAt, #watchMs"
        );
    }

    #[test]
    fn every_name_in_an_expression_is_told() {
        let mut difference = Difference::default();
        difference.set("result", text("1"));
        difference.remove("resultAt");
        let (expression, names, values) = difference.expression();
        assert_eq!(expression, "SET #result = :result REMOVE #resultAt");
        assert_eq!(names.len(), 4, "{names:?}"); // and those of the condition
        assert_eq!(values.len(), 1);
    }
}
