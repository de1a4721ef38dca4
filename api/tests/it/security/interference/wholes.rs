//! Requests about many records at once, and about what was done: batches, files in and out, changes of a selection, aggregates and conditions, the undoing of
//! an operation and its progress, streams of events, migrations.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    asked::{Asked, Both},
    random::Random,
    requests::{FIELDS, Requests, WORDS, joined, same},
    world::{COLLECTIONS, World, nobodys},
};

const OPERATORS: [&str; 8] = ["=", "!=", "<", ">", ">=", "~", "!~", "is"];

impl Requests<'_> {
    /// One of them.
    pub(super) fn whole(&mut self) -> Asked {
        let name = if self.random.one_in(6) {
            self.random.pick(&self.world.names).clone()
        } else {
            format!("c{}", self.random.below(COLLECTIONS))
        };
        let collection = name.strip_prefix('c').and_then(|n| n.parse().ok());
        match self.random.below(20) {
            0..=3 => self.batch(),
            4..=6 => self.export(&name),
            7..=9 => self.import(&name),
            10..=11 => self.aggregate(&name),
            12..=13 => self.selection(&name, collection),
            14..=16 => self.undo(),
            17 => self.events(&name),
            18 => self.added(collection),
            _ => self.elsewhere(),
        }
    }

    fn asked(&mut self, method: Method, path: Both, body: Option<Both>) -> Asked {
        let (caller, is_plain) = (usize::from(self.random.one_in(8)), self.random.one_in(3));
        Asked { caller, method, path, headers: vec![("x-coffer", same("1"))], body, is_plain, writes: None }
    }

    /// The id of a record, mostly of one that both stores have.
    fn id(&mut self) -> Both {
        self.random.pick(&self.world.records).ids.clone()
    }

    fn batch(&mut self) -> Asked {
        let mut items: Vec<[Value; 2]> = Vec::new();
        for n in 0..=self.random.below(3) {
            let known = self.random.pick(&self.world.records).clone();
            let action = *self.random.pick(&["create", "update", "update", "upsert", "upsert", "delete"]);
            let name = if self.random.one_in(6) {
                self.random.pick(&self.world.names).clone()
            } else {
                format!("c{}", known.collection)
            };
            let row = self.row(Some(known.collection));
            let mut item = [Map::new(), Map::new()];
            for side in [0, 1] {
                let item = &mut item[side];
                item.insert("action".to_owned(), json!(action));
                item.insert("collection".to_owned(), json!(name));
                if ["update", "delete"].contains(&action) {
                    item.insert("id".to_owned(), json!(known.ids[side]));
                }
                if action != "delete" {
                    let mut record = row[side].clone();
                    if n > 0 && record.get("about").is_some() {
                        record["about"] = json!({"$ref": 0});
                    }
                    item.insert("record".to_owned(), record);
                }
            }
            if action == "upsert" {
                let key = *self.random.pick(&["code", "code", "code", "title", "id", "nothing"]);
                let code = format!("{}{}", self.random.pick(&["base", "base", "mine"]), self.random.below(35));
                for item in &mut item {
                    item.insert("key".to_owned(), json!(key));
                    item["record"]["code"] = json!(code);
                }
            }
            items.push(item.map(Value::Object));
        }
        let body = [0, 1]
            .map(|side| json!({"items": items.iter().map(|item| item[side].clone()).collect::<Value>()}).to_string());
        let query = *self.random.pick(&["", "", "?dry_run=true", "?expand=about"]);
        self.asked(Method::POST, same(format!("/api/batch/{query}")), Some(body))
    }

    fn export(&mut self, name: &str) -> Asked {
        let format = *self.random.pick(&["csv", "tsv", "json", "ndjson"]);
        let mut path = same(format!("/api/records/{name}/export/?format={format}"));
        for _ in 0..self.random.below(3) {
            let parameter = match self.random.below(4) {
                0 => same(format!("fields={},about.title", self.random.pick(&FIELDS))),
                1 => same(format!("fields=about.code,{}", self.random.pick(&FIELDS))),
                2 => self.condition(),
                _ => self.parameter(),
            };
            let is_page =
                ["page", "limit", "cursor", "left_join", "expand"].iter().any(|start| parameter[0].starts_with(start));
            if !is_page {
                path = joined(&path, "&", &parameter);
            }
        }
        self.asked(Method::GET, path, None)
    }

    fn import(&mut self, name: &str) -> Asked {
        let columns = ["title", "n", "code", "about", "about.code", "id", "price"];
        let chosen: Vec<&str> = (0..=self.random.below(3)).map(|_| *self.random.pick(&columns)).collect();
        let mut body = same(chosen.join(","));
        for _ in 0..=self.random.below(2) {
            let mut row = same("");
            for (n, column) in chosen.iter().enumerate() {
                let value = match *column {
                    "about" | "id" if self.random.one_in(3) => same(""),
                    "about" | "id" => self.id(),
                    "n" => same(self.random.below(5).to_string()),
                    "price" => same("2.50"),
                    "code" | "about.code" => {
                        same(format!("{}{}", self.random.pick(&["base", "mine"]), self.random.below(35)))
                    }
                    _ => same(format!("word{}", self.random.below(3))),
                };
                row = if n == 0 { value } else { joined(&row, ",", &value) };
            }
            body = joined(&body, "\n", &row);
        }
        let query = *self.random.pick(&[
            "dry_run=true",
            "dry_run=true&key=code&on_conflict=update",
            "key=code&on_conflict=update",
            "key=code&on_conflict=skip",
            "key=id&on_conflict=update",
            "key=title",
            "on_error=skip",
            "key=code&on_conflict=update&on_error=skip",
            "",
        ]);
        let mut asked = self.asked(Method::POST, same(format!("/api/records/{name}/import/?{query}")), Some(body));
        asked.headers.push(("content-type", same("text/csv")));
        asked
    }

    fn aggregate(&mut self, name: &str) -> Asked {
        let mut path = same(format!("/api/records/{name}/aggregate/?"));
        let field = |random: &mut Random| {
            let field = *random.pick(&FIELDS);
            if random.one_in(3) { format!("about__{field}") } else { field.to_owned() }
        };
        for _ in 0..=self.random.below(3) {
            let parameter = match self.random.below(7) {
                0 | 1 => same(format!("group_by={}", field(self.random))),
                2 => same(format!(
                    "{}={}",
                    self.random.pick(&["sum", "avg", "min", "max", "distinct"]),
                    field(self.random)
                )),
                3 => same(format!("count={}", field(self.random))),
                4 => same("having=count%20%3E%201"),
                5 => self.condition(),
                _ => self.parameter(),
            };
            path = joined(&path, "&", &parameter);
        }
        self.asked(Method::GET, path, None)
    }

    /// A condition in words.
    fn condition(&mut self) -> Both {
        let two = if self.random.one_in(3) { "about.about." } else { "about." };
        let through = if self.random.one_in(2) { two } else { "" };
        let (field, word) = (*self.random.pick(&FIELDS), *self.random.pick(&WORDS));
        let operator = *self.random.pick(&OPERATORS);
        let one = match operator {
            "is" => format!("{through}{field} is null"),
            operator => format!("{through}{field} {operator} \"{word}\""),
        };
        let all = match self.random.below(4) {
            0 => format!("not ({one})"),
            1 => format!("{one} or owner = me"),
            2 => format!("{one} and not about.owner = me"),
            _ => one,
        };
        same(format!(
            "filter={}",
            all.replace('%', "%25").replace(' ', "%20").replace('"', "%22").replace('&', "%26").replace('+', "%2B")
        ))
    }

    /// A change or a deletion of all that is found.
    fn selection(&mut self, name: &str, collection: Option<usize>) -> Asked {
        let which = self.condition();
        let rest = *self.random.pick(&["&max=2&dry_run=true", "&max=2", "&max=1000&dry_run=true", "&max=0", ""]);
        let path = joined(&joined(&same(format!("/api/records/{name}/?")), "", &which), "", &same(rest));
        if self.random.one_in(3) {
            return self.asked(Method::DELETE, path, None);
        }
        let body = match self.random.below(3) {
            0 => same(json!({"n": {"$add": 1}}).to_string()),
            _ => self.row(collection).map(|row| row.to_string()),
        };
        self.asked(Method::PATCH, path, Some(body))
    }

    /// What an operation did, undoing it, and how far that is.
    fn undo(&mut self) -> Asked {
        // An id of long ago is told as such.
        let operation = if self.world.operations.is_empty() || self.random.one_in(10) {
            same(nobodys(997))
        } else {
            self.random.pick(&self.world.operations).clone()
        };
        let rest = *self.random.pick(&[
            "/",
            "/revert/",
            "/revert/?dry_run=true",
            "/revert/?changed=skip",
            "/revert/?changed=overwrite",
            "/revert/?changed=overwrite",
        ]);
        let start = same("/api/changes/");
        let path = joined(&joined(&start, "", &operation), "", &same(rest));
        match rest {
            "/" if self.random.one_in(3) => {
                let path = joined(&joined(&same("/api/operations/"), "", &operation), "", &same("/"));
                self.asked(Method::GET, path, None)
            }
            "/" => self.asked(Method::GET, path, None),
            _ => self.asked(Method::POST, path, Some(same("{}"))),
        }
    }

    /// The first events of a stream: what there is at once ends with `live`, which the tests' client waits for in no other way.
    fn events(&mut self, name: &str) -> Asked {
        // A stream stays open. What is refused is told at once.
        let query = match self.random.below(3) {
            0 => format!("collection={name}&filter=nothing%20%3D%201"),
            1 => "collection=nowhere".to_owned(),
            _ => format!("collection={name}&since=x"),
        };
        self.asked(Method::GET, same(format!("/api/events/?{query}")), None)
    }

    /// A number that is added to.
    fn added(&mut self, collection: Option<usize>) -> Asked {
        let known = self.random.pick(&self.world.records).clone();
        let name = format!("c{}", collection.filter(|_| self.random.one_in(6)).unwrap_or(known.collection));
        let path = [0, 1].map(|side| format!("/api/records/{name}/{}/", known.ids[side]));
        let field = *self.random.pick(&["n", "n", "price", "title", "about", "secret"]);
        let by = self.random.below(9);
        let mut asked = self.asked(Method::PATCH, path, Some(same(json!({field: {"$add": by}}).to_string())));
        asked.writes = name.strip_prefix('c').and_then(|n| n.parse().ok());
        if self.random.one_in(4) {
            asked.headers.push(("idempotency-key", same(format!("key-{}", self.random.below(9)))));
        }
        asked
    }

    /// What is an admin's, and lists of what was done.
    fn elsewhere(&mut self) -> Asked {
        let path = *self.random.pick(&[
            "/api/migrations/",
            "/api/migrations/0001/",
            "/api/operations/",
            "/api/paths/",
            "/api/schema/",
            "/api/collections/",
            "/api/records/",
            "/api/changes/?limit=3",
            "/api/changes/?action=delete",
            "/api/users/me/",
            "/api/log/",
            "/metrics",
        ]);
        let method = self.random.pick(&[Method::GET, Method::GET, Method::OPTIONS, Method::POST]).clone();
        let body = (method == Method::POST).then(|| same("{}"));
        self.asked(method, same(path), body)
    }
}

impl World {
    /// Remembers the operations of who asks.
    pub(super) fn learn_operations(&mut self, operations: [String; 2]) {
        if operations.iter().all(|operation| !operation.is_empty()) && self.operations.len() < 200 {
            self.operations.push(operations);
        }
    }
}
