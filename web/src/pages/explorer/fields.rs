//! The members that a body may have, written into the body's text: the form and the text are one. Secrets alone are kept beside it.

use common::snippet::is_secret;
use serde_json::{Map, Value};

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) help: String,
    pub(super) is_required: bool,
    pub(super) kind: MemberKind,
}

impl Member {
    /// It is a password or a token, which stands in no text that can be seen or copied.
    pub(super) fn is_secret(&self) -> bool {
        self.kind == MemberKind::Text && is_secret(&self.name)
    }
}

/// How a member is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// As it is.
    Text,
    /// A number, where it is one.
    Number,
    Boolean,
    /// One of these values.
    Choice(Vec<(String, String)>),
    /// JSON.
    Json,
}

/// The members that an answer to OPTIONS tells of a method.
pub(super) fn members(options: &Value, method: &str) -> Vec<Member> {
    let actions = &options["actions"];
    // What can be changed in part can be changed whole.
    let action = if method == "PATCH" && actions["PATCH"].is_null() { &actions["PUT"] } else { &actions[method] };
    let Some(fields) = action.as_object() else { return Vec::new() };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |(name, field): (&String, &Value)| {
        if field["read_only"] == true {
            return None;
        }
        let choices = field["choices"].as_array().into_iter().flatten();
        let choices: Vec<_> = choices
            .map(|choice| match choice["value"].as_str() {
                Some(value) => (value.to_owned(), text(&choice["display_name"])),
                None => (choice["value"].to_string(), text(&choice["display_name"])),
            })
            .collect();
        let kind = match field["type"].as_str().unwrap_or_default() {
            _ if !choices.is_empty() => MemberKind::Choice(choices),
            "boolean" => MemberKind::Boolean,
            "integer" | "float" => MemberKind::Number,
            "list" | "nested object" | "multiple choice" | "field" => MemberKind::Json,
            _ => MemberKind::Text,
        };
        let label = Some(text(&field["label"])).filter(|label| !label.is_empty()).unwrap_or_else(|| name.clone());
        let is_required = field["required"] == true && method != "PATCH";
        Some(Member { name: name.clone(), label, help: text(&field["help_text"]), is_required, kind })
    };
    fields.iter().filter_map(of).collect()
}

/// The body, where it is an object, or nothing yet.
pub(super) fn object(body: &str) -> Option<Map<String, Value>> {
    if body.trim().is_empty() {
        return Some(Map::new());
    }
    match serde_json::from_str(body) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// What a member is in a body, as it is typed.
pub(super) fn typed(body: &Map<String, Value>, name: &str) -> String {
    match body.get(name) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The body that is sent: with the secrets, which are not in its text. `None`: it cannot have them, since it is no object.
pub(super) fn with_secrets(body: &str, secrets: &[(String, String)]) -> Option<String> {
    if secrets.is_empty() {
        return Some(body.trim().to_owned());
    }
    let mut members = object(body)?;
    for (name, secret) in secrets {
        members.insert(name.clone(), secret.as_str().into());
    }
    Some(Value::Object(members).to_string())
}

/// The body that writes again what was read: the members that may be written.
pub(super) fn of_record(read: &str, members: &[Member]) -> Option<String> {
    let Ok(Value::Object(mut read)) = serde_json::from_str(read) else { return None };
    read.retain(|name, _| members.iter().any(|member| member.name == *name));
    (!read.is_empty()).then(|| serde_json::to_string_pretty(&read).unwrap_or_default())
}

/// The body with what was typed for a member; typed nothing, it is left out.
pub(super) fn with(mut body: Map<String, Value>, member: &Member, typed: &str) -> String {
    let parsed = || serde_json::from_str::<Value>(typed).unwrap_or_else(|_| typed.into());
    let value = match member.kind {
        MemberKind::Text | MemberKind::Choice(_) => typed.into(),
        MemberKind::Number | MemberKind::Boolean | MemberKind::Json => parsed(),
    };
    if typed.is_empty() {
        body.remove(&member.name);
    } else {
        body.insert(member.name.clone(), value);
    }
    if body.is_empty() { String::new() } else { serde_json::to_string_pretty(&body).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_typed_stands_in_the_body_and_back() {
        let options = json!({"actions": {
            "POST": {"id": {"type": "string", "read_only": true}, "title": {"type": "string", "required": true, "label": "Title"},
                "n": {"type": "integer"}, "ok": {"type": "boolean"}, "tags": {"type": "list"},
                "kind": {"type": "choice", "choices": [{"value": "a", "display_name": "A"}]}},
            "PUT": {"title": {"type": "string", "required": true}}}});
        let members = members(&options, "POST");
        let names: Vec<_> = members.iter().map(|member| (member.name.as_str(), member.is_required)).collect();
        assert_eq!(names, [("title", true), ("n", false), ("ok", false), ("tags", false), ("kind", false)]);
        let mut body = String::new();
        for (name, text) in [("title", "12"), ("n", "3"), ("ok", "true"), ("tags", "[1]"), ("kind", "a")] {
            let member = members.iter().find(|member| member.name == name).unwrap();
            body = with(object(&body).unwrap(), member, text);
            assert_eq!(typed(&object(&body).unwrap(), name), text);
        }
        let read: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read, json!({"title": "12", "n": 3, "ok": true, "tags": [1], "kind": "a"}));
        let title = members.iter().find(|member| member.name == "title").unwrap();
        assert!(object(&with(object(&body).unwrap(), title, "")).unwrap().get("title").is_none());
        // What is half typed stays what it is.
        let n = members.iter().find(|member| member.name == "n").unwrap();
        assert_eq!(typed(&object(&with(Map::new(), n, "3x")).unwrap(), "n"), "3x");
        assert_eq!(object("[1]"), None);
        assert!(super::members(&options, "PATCH").iter().all(|member| !member.is_required));
        assert!(super::members(&options, "DELETE").is_empty());
    }

    #[test]
    fn secrets_are_sent_and_stand_in_no_text() {
        let secret = |name: &str| Member {
            name: name.to_owned(),
            label: String::new(),
            help: String::new(),
            is_required: true,
            kind: MemberKind::Text,
        };
        assert!(secret("password2").is_secret() && !secret("title").is_secret());
        let secrets = [("password".to_owned(), "otters \"x\"".to_owned())];
        let sent = with_secrets(r#"{"username": "ada"}"#, &secrets).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&sent).unwrap(),
            json!({"username": "ada", "password": "otters \"x\""})
        );
        assert_eq!(with_secrets("", &secrets).unwrap(), r#"{"password":"otters \"x\""}"#);
        assert_eq!(with_secrets("[1]", &secrets), None);
        assert_eq!(with_secrets(" [1] ", &[]).as_deref(), Some("[1]"));
    }

    #[test]
    fn what_was_read_is_written_again_without_what_the_server_sets() {
        let options = json!({"actions": {"PUT": {"id": {"read_only": true}, "title": {"type": "string"}, "n": {"type": "integer"}}}});
        let members = members(&options, "PUT");
        let body = of_record(r#"{"id": "1", "title": "a", "n": 1, "revision": 3}"#, &members).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), json!({"title": "a", "n": 1}));
        assert_eq!(of_record("[]", &members), None);
        assert_eq!(of_record(r#"{"id": "1"}"#, &members), None);
    }
}
