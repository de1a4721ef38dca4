//! How a collection's records are asked for, for those who build on them: each route with its names filled in, who may use it, and a request to copy
//! or to run. Both clients show it.

use serde_json::{Map, Value, json};

use crate::{
    access::{AccessRules, Action, Rule},
    collection::Collection,
    endpoint::{Access, Endpoint},
    endpoints::{records, tokens},
    field::{Field, FieldType},
    id::RecordId,
    snippet::{Sent, Snippet, shell},
};

/// Fields that an example has beside those that must be there.
const OTHERS: usize = 3;

/// A route of a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiRoute {
    /// The method.
    pub method: String,
    /// The path, with the collection's name and an id in it, and an example's query.
    pub path: String,
    /// What it does.
    pub summary: &'static str,
    /// Who may use it, as the collection's rules say.
    pub who: String,
    /// An example of its body.
    pub body: Option<Value>,
}

/// The routes of a collection's records. `id`: one of its records, where there is one.
pub fn routes(collection: &Collection, id: Option<RecordId>) -> Vec<ApiRoute> {
    let id = id.map_or_else(|| "ID".to_owned(), |id| id.to_string());
    let one = example(collection);
    let change = one.as_object().and_then(|one| one.iter().next()).map(|(name, value)| json!({name: value}));
    let page = Page { collection, id: &id };
    let filter = collection.fields.iter().find(|field| field.kind.indexable());
    let query = filter.map_or_else(String::new, |field| format!("?ordering=-{}&page_size=5", field.name));
    let group =
        collection.fields.iter().find(|field| matches!(field.kind, FieldType::Choice { .. } | FieldType::Boolean));
    let group =
        group.map_or_else(|| "?measures=count".to_owned(), |field| format!("?group_by={}&measures=count", field.name));
    vec![
        page.route::<records::List>(&query, None),
        page.route::<records::Create>("", Some(one.clone())),
        page.route::<records::Get>("", None),
        page.route::<records::Update>("", change),
        page.route::<records::Replace>("", Some(one)),
        page.route::<records::Delete>("", None),
        page.route::<records::Aggregate>(&group, None),
        page.route::<records::History>("", None),
        page.route::<records::Trash>("", None),
        page.route::<records::Export>("?format=csv", None),
        page.route::<records::Describe>("", None),
    ]
}

struct Page<'a> {
    collection: &'a Collection,
    id: &'a str,
}

impl Page<'_> {
    fn route<E: Endpoint>(&self, query: &str, body: Option<Value>) -> ApiRoute {
        let path = E::PATH.replace("{collection}", self.collection.name.as_str()).replace("{id}", self.id);
        let who = match E::ACCESS {
            Access::Rules(actions) => who(&self.collection.access, actions),
            _ => "whoever is signed in".to_owned(),
        };
        ApiRoute { method: E::METHOD.to_string(), path: format!("{path}{query}"), summary: E::SUMMARY, who, body }
    }
}

/// A record as one could send it: what must be there, and a few others.
pub fn example(collection: &Collection) -> Value {
    let mut others = 0;
    let wanted = collection.fields.iter().filter(|field| {
        let is_simple = !matches!(field.kind, FieldType::Reference { .. } | FieldType::Json { .. });
        others += usize::from(!field.required && is_simple);
        field.required || (is_simple && others <= OTHERS)
    });
    Value::Object(wanted.map(|field| (field.name.to_string(), value(field))).collect::<Map<_, _>>())
}

fn value(field: &Field) -> Value {
    match &field.kind {
        FieldType::Integer { .. } => json!(1),
        FieldType::Decimal { .. } => json!("1.50"),
        FieldType::Boolean => json!(true),
        FieldType::Date => json!("2026-11-29"),
        FieldType::Datetime => json!("2026-11-29T15:00:00Z"),
        FieldType::Email => json!("ada@example.org"),
        FieldType::Url => json!("https://example.org/"),
        FieldType::Choice { choices, many } => {
            let first = choices.first().cloned().unwrap_or_default();
            if *many { json!([first]) } else { json!(first) }
        }
        FieldType::Reference { many, .. } => {
            if *many {
                json!(["ID"])
            } else {
                json!("ID")
            }
        }
        FieldType::Json { .. } => json!({}),
        FieldType::Text { .. } => json!("text"),
    }
}

/// Who may do all of these, in words.
pub fn who(rules: &AccessRules, actions: &[Action]) -> String {
    if actions.is_empty() {
        return "whoever may do anything here".to_owned();
    }
    let of = |action: &Action| format!("{}: {}", action.name(), said(rules_of(rules, *action)));
    actions.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// The rules of an action.
pub fn rules_of(rules: &AccessRules, action: Action) -> &[Rule] {
    match action {
        Action::List => &rules.list,
        Action::View => &rules.view,
        Action::Create => &rules.create,
        Action::Update => &rules.update,
        Action::Delete => &rules.delete,
    }
}

/// Rules in words, beside admins, who may always.
pub fn said(rules: &[Rule]) -> String {
    let word = |rule: &Rule| match rule {
        Rule::Anyone => "anyone".to_owned(),
        Rule::SignedIn => "signed in".to_owned(),
        Rule::Owner => "owner".to_owned(),
        Rule::Role(role) => role.to_string(),
        Rule::Nobody => "admins".to_owned(),
    };
    if rules.is_empty() { "admins".to_owned() } else { rules.iter().map(word).collect::<Vec<_>>().join(", ") }
}

/// How one signs in for these requests, with each program.
pub fn sign_in(origin: &str, user: &str) -> [Snippet; 3] {
    let path = tokens::Obtain::PATH;
    let read = r#"python3 -c 'import json, sys; print(json.load(sys.stdin)["access"])'"#;
    let body = shell(&json!({"username": user, "password": "…"}).to_string());
    [
        Snippet {
            name: "HTTPie",
            text: format!(
                "ACCESS=$(http -b POST {origin}{path} {} password=… | {read})",
                shell(&format!("username={user}"))
            ),
        },
        Snippet {
            name: "curl",
            text: format!("ACCESS=$(curl -s {origin}{path} -H 'Content-Type: application/json' -d {body} | {read})"),
        },
        Snippet {
            name: "fetch",
            text: format!(
                "const {{access}} = await (await fetch('{origin}{path}', {{method: 'POST', headers: {{'Content-Type': 'application/json'}},\n  body: JSON.stringify({})}})).json()",
                json!({"username": user, "password": "…"})
            ),
        },
    ]
}

impl ApiRoute {
    /// The request for HTTPie, curl and a page's own script. The token is in `ACCESS`, or `access`.
    pub fn snippets(&self, origin: &str) -> [Snippet; 3] {
        let address = format!("{origin}{}", self.path);
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        Sent { method: &self.method, address: &address, body: &body, is_signed_in: true }.snippets()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "description": "", "fields": [
                {"name": "title", "type": "text", "required": true},
                {"name": "price", "type": "integer"},
                {"name": "kind", "type": "choice", "choices": ["it's sweet", "hot"]},
                {"name": "maker", "type": "reference", "collection": "makers", "on_delete": "restrict"}
            ],
            "access": {"list": ["anyone"], "view": ["anyone"], "create": ["role:cook"], "update": ["owner"], "delete": []},
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "revision": 1
        }))
        .unwrap()
    }

    #[test]
    fn each_route_has_its_names_its_rules_and_requests_to_copy() {
        let routes = routes(&collection(), None);
        let list = &routes[0];
        assert_eq!(
            (list.method.as_str(), list.path.as_str()),
            ("GET", "/api/records/snacks/?ordering=-title&page_size=5")
        );
        assert_eq!(list.who, "list: anyone");
        let create = &routes[1];
        assert_eq!((create.path.as_str(), create.who.as_str()), ("/api/records/snacks/", "create: cook"));
        let texts = create.snippets("http://x:8000").map(|snippet| snippet.text);
        assert_eq!(
            texts[0],
            r#"http -A bearer -a "$ACCESS" POST http://x:8000/api/records/snacks/ title=text price:=1 'kind=it'\''s sweet'"#
        );
        assert_eq!(
            texts[1],
            r#"curl -X POST http://x:8000/api/records/snacks/ -H "Authorization: Bearer $ACCESS" -H 'Content-Type: application/json' --data-raw '{"title":"text","price":1,"kind":"it'\''s sweet"}'"#
        );
        assert!(
            texts[2].contains(r#"body: JSON.stringify({"title":"text","price":1,"kind":"it's sweet"})"#),
            "{}",
            texts[2]
        );
        assert!(routes.iter().any(|route| route.path.ends_with("/trash/") && route.who == "list: anyone"));
        let delete = routes.iter().find(|route| route.method == "DELETE").unwrap();
        assert_eq!(
            (delete.path.as_str(), delete.who.as_str()),
            ("/api/records/snacks/ID/", "view: anyone; delete: admins")
        );
        let texts = list.snippets("http://x").map(|snippet| snippet.text);
        assert!(
            texts[1].starts_with("curl 'http://x/api/records/snacks/?ordering=-title&page_size=5' -H"),
            "{}",
            texts[1]
        );
        assert!(sign_in("http://x", "ada").iter().all(|snippet| snippet.text.contains("/api/token/")));
    }
}
