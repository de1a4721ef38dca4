//! The cases as they are written in `token_cases.json`; `README.md` beside it says what each member means. A member that is
//! not known here stops the run, so that nothing wanted is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(rename = "about")]
    _about: String,
    pub cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub name: String,
    #[serde(rename = "source")]
    _source: String,
    pub rules: Vec<String>,
    #[serde(rename = "why")]
    _why: Option<String>,
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    #[serde(default)]
    pub login: BTreeMap<String, String>,
    pub steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub method: String,
    pub path: Value,
    pub headers: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    pub json: Option<Value>,
    pub raw: Option<Value>,
    #[serde(default = "one")]
    pub parallel: usize,
    pub expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub status: Value,
    pub json: Option<Value>,
    pub headers: Option<Value>,
    pub claims: Option<BTreeMap<String, Value>>,
    pub counts: Option<BTreeMap<String, usize>>,
    pub same_as: Option<usize>,
    #[serde(default)]
    pub absent: Vec<String>,
    pub body: Option<String>,
    #[serde(default)]
    pub may_close: bool,
}

impl Case {
    /// Whether the case is meant for a server with this rotation. `on` is what strict was called.
    pub(crate) fn is_for(&self, rotation: &str) -> bool {
        let wanted = self.when.get("rotation").map(|wanted| if wanted == "on" { "strict" } else { wanted });
        wanted.is_none_or(|wanted| wanted == rotation)
    }

    /// The sessions that its steps use.
    pub(crate) fn sessions(&self) -> Vec<String> {
        let mut names: Vec<String> = self.login.keys().cloned().collect();
        for step in &self.steps {
            let parts = [Some(&step.path), step.headers.as_ref(), step.json.as_ref(), step.raw.as_ref()];
            for part in parts.into_iter().flatten() {
                collect_sessions(part, &mut names);
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

fn collect_sessions(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(token) = members.get("$token") {
                names.push(token["session"].as_str().unwrap_or("a").to_owned());
            }
            members.values().for_each(|member| collect_sessions(member, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_sessions(item, names)),
        _ => {}
    }
}

/// Tells `"json": null`, which is a body, from no `json` at all.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn one() -> usize {
    1
}
