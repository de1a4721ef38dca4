//! A problem as Django REST Framework tells it: messages under each field's name, or `detail` and `code`.

use common::{Problem, problem::FieldError};
use serde_json::{Map, Value};

/// Items of a nested list at most, so that a name that looks like a number makes no long list.
const MAX_NESTED: usize = 1000;

/// The body: an object of fields, a list of such objects where the request was an array, or `detail` and `code`.
pub(super) fn body(problem: &Problem) -> Value {
    let errors = &problem.errors;
    // A conflict is told under its fields where it is about a value that was sent; what else is in the way is said in words.
    let is_of_fields = problem.status == 400 || problem.code == "unique";
    if errors.is_empty() || !is_of_fields {
        let mut members = Map::new();
        members.insert("detail".to_owned(), problem.detail.as_str().into());
        members.insert("code".to_owned(), problem.code.as_ref().into());
        members.extend(problem.extra.iter().map(|(name, value)| (name.clone(), value.clone())));
        return members.into();
    }
    let Some(items) = errors.items() else {
        let mut members = Map::new();
        for (name, errors) in &errors.0 {
            insert(&mut members, name, messages(errors));
        }
        return members.into();
    };
    // Up to the last that is told, where others are left out: those after it may be right or wrong.
    let place = |name: &str| name.split_once('.').and_then(|(item, _)| item.parse::<usize>().ok());
    let told = errors.0.keys().filter_map(|name| place(name)).max().map_or(0, |last| last + 1);
    let length = if errors.omitted() > 0 { told } else { items.max(told) };
    let mut list = vec![Map::new(); length];
    for (name, errors) in &errors.0 {
        if let Some((item, (_, name))) = place(name).and_then(|item| list.get_mut(item)).zip(name.split_once('.')) {
            insert(item, name, messages(errors));
        }
    }
    list.into_iter().map(Value::Object).collect()
}

fn messages(errors: &[FieldError]) -> Value {
    errors.iter().map(|error| Value::from(error.message.as_str())).collect()
}

/// Puts messages where a path such as `fields.2.name` or `access.list` leads. What stands there already is not replaced: a name
/// with dots in it that a client made up then stands as it is.
fn insert(members: &mut Map<String, Value>, path: &str, messages: Value) {
    let mut parts = path.splitn(3, '.');
    let steps = (parts.next(), parts.next(), parts.next());
    let inner = match steps {
        (Some(list), Some(item), Some(name)) => item
            .parse()
            .ok()
            .filter(|item| *item < MAX_NESTED)
            .and_then(|item| in_list(members, list, item))
            .map(|members| (members, name)),
        (Some(object), Some(name), None) => in_object(members, object).map(|members| (members, name)),
        _ => None,
    };
    match inner {
        Some((members, name)) => members.insert(name.to_owned(), messages),
        None => members.insert(path.to_owned(), messages),
    };
}

fn in_list<'a>(members: &'a mut Map<String, Value>, name: &str, item: usize) -> Option<&'a mut Map<String, Value>> {
    let list = members.entry(name).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
    if !list.iter().all(Value::is_object) {
        return None;
    }
    let length = list.len().max(item + 1);
    list.resize(length, Value::Object(Map::new()));
    list[item].as_object_mut()
}

fn in_object<'a>(members: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    members.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}

#[cfg(test)]
mod tests {
    use common::problem::{FieldErrors, NON_FIELD};
    use serde_json::json;

    use super::*;

    fn errors(names: &[&str]) -> FieldErrors {
        let mut errors = FieldErrors::new();
        for name in names {
            errors.push(*name, FieldError::new("invalid", format!("{name}.")));
        }
        errors
    }

    fn told(names: &[&str]) -> Value {
        body(&Problem::validation(errors(names)))
    }

    #[test]
    fn fields_have_their_messages_and_nothing_else_has_a_name() {
        assert_eq!(told(&["title", "status"]), json!({"title": ["title."], "status": ["status."]}));
        assert_eq!(told(&[NON_FIELD]), json!({"non_field_errors": ["non_field_errors."]}));
        let taken = Problem::taken(errors(&["title"])).with("count", 1);
        assert_eq!(body(&taken), json!({"title": ["title."]}));
        let absent = Problem::not_found("Not found.");
        assert_eq!(body(&absent), json!({"detail": "Not found.", "code": "not_found"}));
    }

    #[test]
    fn nested_values_are_nested() {
        assert_eq!(
            told(&["fields.2.name", "fields.0.type", "access.list"]),
            json!({"fields": [{"type": ["fields.0.type."]}, {}, {"name": ["fields.2.name."]}], "access": {"list": ["access.list."]}})
        );
    }

    #[test]
    fn names_that_only_look_like_paths_break_nothing() {
        for name in ["a.999999999999.b", "a.1000.b", "..", ".", "", "a.", ".a", "a..b", "a.b.c.d", "0.1.2"] {
            let body = told(&[name, "a", "a.b"]);
            let text = body.to_string();
            assert!(text.len() < 400 && text.contains(&format!("{name}.")), "{name}: {text}");
        }
        let deep = "a.".repeat(100_000);
        assert!(told(&[&deep]).as_object().unwrap().len() == 1);
    }

    #[test]
    fn an_array_has_an_object_for_each_item_up_to_the_last_fault_that_is_told() {
        let mut few = FieldErrors::of_items(4);
        few.nest("2", errors(&["n"]));
        assert_eq!(body(&Problem::validation(few)), json!([{}, {}, {"n": ["n."]}, {}]));
        let mut many = FieldErrors::of_items(1000);
        for item in 0..1000 {
            if item % 2 == 1 {
                many.nest(&item.to_string(), errors(&["n"]));
            }
        }
        let list = body(&Problem::validation(many));
        assert_eq!(list.as_array().unwrap().len(), 200);
        assert_eq!((&list[198], &list[199]), (&json!({}), &json!({"n": ["n."]})));
    }
}
