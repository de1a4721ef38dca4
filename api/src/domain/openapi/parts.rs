//! What all operations of a document have in common.

use serde_json::{Map, Value, json};

/// The paths of a document, by address.
pub(super) type Paths = Map<String, Value>;

/// An operation, with what all have in common.
pub(super) fn operation(id: &str, tag: &str, summary: &str, needs_token: bool) -> Map<String, Value> {
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), id.into());
    operation.insert("tags".to_owned(), json!([tag]));
    operation.insert("summary".to_owned(), summary.into());
    if !needs_token {
        operation.insert("security".to_owned(), json!([{}, {"bearer": []}]));
    }
    operation
}

/// The answers of an operation: to success, and to everything else.
pub(super) fn responses(status: u16, description: &str, content: Option<Value>) -> Value {
    let mut success = json!({"description": description});
    if let Some(content) = content {
        success["content"] = content;
    }
    let problem = json!({"$ref": "#/components/responses/Problem"});
    // Not 4XX and 5XX: generators of clients write such a range down as a number.
    json!({status.to_string(): success, "default": problem})
}

/// Puts an operation into a path.
pub(super) fn put(paths: &mut Paths, path: &str, method: &str, operation: Map<String, Value>) {
    let item = paths.entry(path.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(item) = item {
        item.insert(method.to_lowercase(), Value::Object(operation));
    }
}
