//! What steps touch: branches that touch the same are not merged.

use common::name::FieldName;
use serde_json::Value;

use crate::domain::migrations::Step;

/// What a step touches, each part by a name: two branches may not touch the same.
pub(super) fn touches(step: &Step) -> Vec<String> {
    let mut parts = Vec::new();
    match step {
        Step::Create(name, _) | Step::Delete(name) => parts.push(format!("{name} as a whole")),
        Step::Update(name, change) => {
            let set = change.set.keys().map(String::as_str);
            let others = change.copy.keys().chain(change.convert.keys()).chain(&change.clear);
            let split = change.split.iter().flat_map(|split| &split.into);
            let named = set.chain(others.chain(split).map(FieldName::as_str));
            parts.extend(named.map(|field| format!("{name}.{field}")));
        }
        Step::DeleteRecords(name, _) => parts.push(format!("the records of {name}")),
        Step::Publish(path, _) | Step::Republish(path, _) | Step::Unpublish(path) => {
            parts.push(format!("the path {path}"));
        }
        Step::Change(name, change) => {
            let mut push = |part: String| parts.push(format!("{name}.{part}"));
            for (old, new) in &change.rename {
                push(old.to_string());
                push(new.to_string());
            }
            for field in &change.drop {
                push(field.to_string());
            }
            for field in change.add.iter().filter_map(|field| field.get("name").and_then(Value::as_str)) {
                push(field.to_owned());
            }
            for (field, members) in &change.alter {
                // Choices come and go one by one.
                for (member, value) in members {
                    let choices: Vec<&str> = match (member.as_str(), value) {
                        ("add_choices" | "drop_choices", Value::Array(items)) => {
                            items.iter().filter_map(Value::as_str).collect()
                        }
                        ("rename_choices", Value::Object(names)) => {
                            names.iter().flat_map(|(old, new)| [Some(old.as_str()), new.as_str()]).flatten().collect()
                        }
                        _ => {
                            push(field.to_string());
                            continue;
                        }
                    };
                    for choice in choices {
                        push(format!("{field}: the choice {choice}"));
                    }
                }
            }
            for action in change.access.keys() {
                push(format!("access to {action}"));
            }
            for index in change.add_indexes.iter().chain(&change.drop_indexes) {
                push(format!("the index of {index}"));
            }
            for (is_so, part) in [
                (change.name.is_some(), "name"),
                (change.description.is_some(), "description"),
                (change.ids.is_some(), "ids"),
                (change.history.is_some(), "history"),
                (!change.order.is_empty(), "order of fields"),
            ] {
                if is_so {
                    push(part.to_owned());
                }
            }
        }
    }
    parts
}
