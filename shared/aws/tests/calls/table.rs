//! A table as DynamoDB keeps one, as far as the records ask it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::wire::Answer;

pub type Item = Map<String, Value>;

/// Items by their keys.
#[derive(Default)]
pub struct Table {
    pub items: BTreeMap<(String, String), Item>,
}

impl Table {
    /// The answer to a call.
    pub fn answer(&mut self, operation: &str, input: &Value) -> Answer {
        let answer = match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => return self.write(operation, input),
            "TransactWriteItems" => return self.transact(input),
            "BatchWriteItem" => {
                for request in input["RequestItems"]["shop-dev"].as_array().unwrap() {
                    match &request["PutRequest"] {
                        Value::Null => self.items.remove(&key(&request["DeleteRequest"]["Key"])),
                        put => self.items.insert(key(&put["Item"]), item(&put["Item"])),
                    };
                }
                json!({})
            }
            "GetItem" => json!({ "Item": self.items.get(&key(&input["Key"])) }),
            "BatchGetItem" => {
                let keys = input["RequestItems"]["shop-dev"]["Keys"].as_array().unwrap();
                let found: Vec<&Item> = keys.iter().filter_map(|of| self.items.get(&key(of))).collect();
                json!({ "Responses": { "shop-dev": found } })
            }
            "Query" => self.query(input),
            "GetQueueUrl" => json!({ "QueueUrl": format!("https://sqs/{}", input["QueueName"].as_str().unwrap()) }),
            "DescribeTable" => {
                json!({ "Table": { "TableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-dev" } })
            }
            _ => json!({}),
        };
        (200, answer)
    }

    /// A record by its key.
    pub fn record(&self, key: &str) -> &Item {
        &self.items[&(key.to_owned(), "record".to_owned())]
    }

    fn write(&mut self, operation: &str, input: &Value) -> Answer {
        let key = key(if operation == "PutItem" { &input["Item"] } else { &input["Key"] });
        let before = self.items.get(&key).cloned();
        if !holds(input, before.as_ref()) {
            let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            return (400, json!({ "__type": kind, "message": "The conditional request failed", "Item": before }));
        }
        let after = match operation {
            "PutItem" => Some(item(&input["Item"])),
            "UpdateItem" => Some(updated(before.clone().unwrap_or_else(|| item(&input["Key"])), input)),
            _ => None,
        };
        match &after {
            Some(after) => self.items.insert(key, after.clone()),
            None => self.items.remove(&key),
        };
        (200, json!({ "Attributes": after.or(before) }))
    }

    fn transact(&mut self, input: &Value) -> Answer {
        let puts: Vec<&Value> = input["TransactItems"].as_array().unwrap().iter().map(|of| &of["Put"]).collect();
        let reasons: Vec<Value> = puts
            .iter()
            .map(|put| match self.items.get(&key(&put["Item"])) {
                found if holds(put, found) => json!({ "Code": "None" }),
                found => json!({ "Code": "ConditionalCheckFailed", "Item": found }),
            })
            .collect();
        if reasons.iter().any(|reason| reason["Code"] != "None") {
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            return (400, json!({ "__type": kind, "message": "cancelled", "CancellationReasons": reasons }));
        }
        for put in puts {
            self.items.insert(key(&put["Item"]), item(&put["Item"]));
        }
        (200, json!({}))
    }

    /// The service names a last key wherever the limit was reached, whether more follows or not.
    fn query(&self, input: &Value) -> Value {
        let condition = input["KeyConditionExpression"].as_str().unwrap();
        let sort = if condition.contains("#sort") {
            input["ExpressionAttributeNames"]["#sort"].as_str().unwrap().to_owned()
        } else {
            input["IndexName"].as_str().map_or("sk".to_owned(), |index| format!("{index}Sort"))
        };
        let mut found: Vec<&Item> = self.items.values().filter(|item| in_range(item, input, condition)).collect();
        found.sort_by_key(|item| (text(&item[&sort]).to_owned(), text(&item["pk"]).to_owned()));
        if input["ScanIndexForward"] == false {
            found.reverse();
        }
        if let Some(start) = input["ExclusiveStartKey"].as_object() {
            let at = found.iter().position(|item| item["pk"] == start["pk"] && item["sk"] == start["sk"]).unwrap();
            found.drain(..=at);
        }
        let limit = input["Limit"].as_u64().map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
        found.truncate(limit);
        let last =
            (found.len() == limit).then(|| json!({ "pk": found[limit - 1]["pk"], "sk": found[limit - 1]["sk"] }));
        json!({ "Items": found, "LastEvaluatedKey": last })
    }
}

fn in_range(item: &Item, input: &Value, condition: &str) -> bool {
    let bounds = |sort: &str, from: &str, to: &str| {
        let sort = input["ExpressionAttributeNames"][sort].as_str().unwrap();
        let value = |name: &str| text(&input["ExpressionAttributeValues"][name]);
        item.get(sort).is_some_and(|sort| (value(from)..=value(to)).contains(&text(sort)))
    };
    match condition.split_once(" BETWEEN ") {
        Some((before, range)) => {
            let (first, sort) = before.split_once(" AND ").unwrap();
            let (from, to) = range.split_once(" AND ").unwrap();
            is_true(first, input, Some(item)) && bounds(sort, from, to)
        }
        None => condition.split(" AND ").all(|term| is_true(term, input, Some(item))),
    }
}

/// Says whether an item meets a condition: alternatives in brackets, joined by AND.
fn holds(input: &Value, item: Option<&Item>) -> bool {
    let condition = input["ConditionExpression"].as_str().unwrap_or_default();
    let all =
        condition.split(" AND ").map(|all| all.strip_prefix('(').and_then(|all| all.strip_suffix(')')).unwrap_or(all));
    condition.is_empty() || all.into_iter().all(|any| any.split(" OR ").any(|term| is_true(term, input, item)))
}

fn is_true(term: &str, input: &Value, item: Option<&Item>) -> bool {
    let name = |word: &str| input["ExpressionAttributeNames"][word].as_str().unwrap_or(word).to_owned();
    let attribute = |word: &str| item.and_then(|item| item.get(&name(word)));
    if let Some(word) = term.strip_prefix("attribute_not_exists(") {
        return attribute(word.trim_end_matches(')')).is_none();
    }
    if let Some(word) = term.strip_prefix("attribute_exists(") {
        return attribute(word.trim_end_matches(')')).is_some();
    }
    let [word, operator, value] = term.split(' ').collect::<Vec<_>>()[..] else { panic!("{term}") };
    let (Some(left), right) = (attribute(word), &input["ExpressionAttributeValues"][value]) else { return false };
    match (operator, order(left).cmp(&order(right))) {
        ("=", order) => order.is_eq(),
        ("<", order) => order.is_lt(),
        ("<=", order) => order.is_le(),
        (">", order) => order.is_gt(),
        (">=", order) => order.is_ge(),
        _ => panic!("{term}"),
    }
}

fn updated(mut item: Item, input: &Value) -> Item {
    let expression = input["UpdateExpression"].as_str().unwrap();
    let (set, remove) = expression.split_once("REMOVE ").unwrap_or((expression, ""));
    let name = |word: &str| input["ExpressionAttributeNames"][word].as_str().unwrap().to_owned();
    if let Some((word, value)) = expression.strip_prefix("ADD ").and_then(|add| add.split_once(' ')) {
        let texts = |set: &Value| set["SS"].as_array().cloned().unwrap_or_default();
        let mut all = item.get(&name(word)).map(texts).unwrap_or_default();
        all.extend(texts(&input["ExpressionAttributeValues"][value]));
        item.insert(name(word), json!({ "SS": all }));
        return item;
    }
    for part in set.trim().strip_prefix("SET ").into_iter().flat_map(|set| set.split(", ")) {
        let (word, value) = part.split_once(" = ").unwrap();
        item.insert(name(word), input["ExpressionAttributeValues"][value].clone());
    }
    for word in remove.split(", ").filter(|word| !word.is_empty()) {
        item.remove(&name(word));
    }
    item
}

fn key(item: &Value) -> (String, String) {
    (text(&item["pk"]).to_owned(), text(&item["sk"]).to_owned())
}

fn item(value: &Value) -> Item {
    value.as_object().unwrap().clone()
}

/// A text attribute's value.
pub fn text(attribute: &Value) -> &str {
    attribute["S"].as_str().unwrap()
}

fn order(attribute: &Value) -> (i64, &str) {
    let number = attribute["N"].as_str().map_or(0, |number| number.parse().unwrap());
    (number, attribute["S"].as_str().unwrap_or_default())
}
