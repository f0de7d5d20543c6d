//! A write as an update of the record that stands there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::{operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};

use super::{
    attribute::{
        EXPIRES_AT_S, HAS_OVERFLOW, INLINE_PREFIX, Item, OVERFLOW_PREFIX, PK, RECORD, SK, VERSION, number, text,
        text_of,
    },
    index,
};

/// The overflow that may stand beside the record that an update changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    /// Any.
    Any,
    /// Nothing: the update is refused where anything does.
    None,
}

/// The attributes that an update sets and removes; what it doesn't name stays. A table's write is paid by the item, and
/// an index is written only where its attributes change: setting what is there already costs nothing.
#[derive(Debug, PartialEq)]
pub(super) struct UpdateExpression {
    set: BTreeMap<String, AttributeValue>,
    remove: BTreeSet<String>,
}

impl UpdateExpression {
    /// The update that makes the record what a write's item says. Payloads that the item doesn't bring stay, and so does
    /// the expiry of a record that stands beside another, which is that one's to move.
    pub(super) fn of(mut item: Item) -> Self {
        let is_owned = text_of(&item, SK) != Some(RECORD);
        for name in [PK, SK].into_iter().chain(is_owned.then_some(EXPIRES_AT_S)) {
            item.remove(name);
        }
        let set: BTreeMap<_, _> = item.into_iter().collect();
        let other_place = set.keys().filter_map(|name| {
            let moved = |from, to| name.strip_prefix(from).map(|slot| format!("{to}{slot}"));
            moved(INLINE_PREFIX, OVERFLOW_PREFIX).or_else(|| moved(OVERFLOW_PREFIX, INLINE_PREFIX))
        });
        let left = index::names().chain((!is_owned).then_some(EXPIRES_AT_S)).filter(|name| !set.contains_key(*name));
        let remove = other_place.chain(left.map(str::to_owned)).collect();
        Self { set, remove }
    }

    /// Writes it into an update, on the condition that the record has the version that was seen and has not expired.
    /// A record that isn't there has no version, so no update makes one.
    pub(super) fn apply(
        self,
        update: UpdateItemFluentBuilder,
        seen: String,
        now_s: i64,
        overflow: Overflow,
    ) -> UpdateItemFluentBuilder {
        let (expression, mut names, mut values) = self.expression();
        let mut condition = "#version = :seen AND (attribute_not_exists(#expiresAtS) OR #expiresAtS > :now)".to_owned();
        if overflow == Overflow::None {
            condition += " AND attribute_not_exists(#overflow)";
            names.insert("#overflow".to_owned(), HAS_OVERFLOW.to_owned());
        }
        values.insert(":seen".to_owned(), text(seen));
        values.insert(":now".to_owned(), number(now_s));
        update
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
    }

    /// The expression, the names in it, and the values in it. Names are never written plainly, since the service
    /// reserves 573 words, and a placeholder has no dot.
    fn expression(self) -> (String, HashMap<String, String>, HashMap<String, AttributeValue>) {
        let word = |name: &String| name.replace('.', "_");
        let placed = |name: &String| (format!("#{}", word(name)), name.clone());
        let mut names: HashMap<String, String> = self.set.keys().chain(&self.remove).map(placed).collect();
        names.extend([placed(&VERSION.to_owned()), placed(&EXPIRES_AT_S.to_owned())]);

        let sets: Vec<String> = self.set.keys().map(word).map(|word| format!("#{word} = :{word}")).collect();
        let removes: Vec<String> = self.remove.iter().map(word).map(|word| format!("#{word}")).collect();
        let clauses = [("SET", sets), ("REMOVE", removes)].into_iter().filter(|(_, parts)| !parts.is_empty());
        let expression: Vec<String> = clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect();

        let values = self.set.into_iter().map(|(name, value)| (format!(":{}", word(&name)), value)).collect();
        (expression.join(" "), names, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::attribute::key;

    #[test]
    fn update_removes_index_entries_and_expiry_that_the_write_does_not_have() {
        let mut item = key("sheep/dolly", "record");
        for (name, value) in [("version", "07"), ("doc", "{}"), ("list", "flock/03"), ("listSort", "dolly")] {
            item.insert(name.to_owned(), text(value));
        }
        let (expression, names, values) = UpdateExpression::of(item).expression();
        assert_eq!(
            expression,
            "SET #doc = :doc, #list = :list, #listSort = :listSort, #version = :version REMOVE #due, #dueSort, \
             #expiresAtS, #failed, #failedSort, #parent, #parentSort, #reconcile, #reconcileSort, #tag, #tagSort"
        );
        assert_eq!((names.len(), values.len()), (15, 4));
    }

    #[test]
    fn update_of_a_record_beside_another_leaves_its_expiry() {
        let mut item = key("sheep/dolly", "record/lamb/1");
        item.insert("doc".to_owned(), text("{}"));
        item.insert("expiresAtS".to_owned(), number(7));
        let (expression, ..) = UpdateExpression::of(item).expression();
        assert_eq!(
            expression,
            "SET #doc = :doc REMOVE #due, #dueSort, #failed, #failedSort, #list, #listSort, #parent, #parentSort, \
             #reconcile, #reconcileSort, #tag, #tagSort"
        );
    }

    #[test]
    fn payload_that_moves_inline_or_apart_leaves_its_former_place() {
        let mut item = key("sheep/dolly", "record");
        item.insert("p.input".to_owned(), text("1"));
        item.insert("a.result".to_owned(), text("payload/result/07"));
        let (expression, names, _) = UpdateExpression::of(item).expression();
        assert!(
            expression.starts_with("SET #a_result = :a_result, #p_input = :p_input REMOVE #a_input, "),
            "{expression}"
        );
        assert!(expression.contains(", #p_result, #parent, #parentSort, #reconcile, #reconcileSort, "), "{expression}");
        assert_eq!(names["#a_input"], "a.input");
        assert_eq!(names["#version"], "version", "and those of the condition");
    }
}
