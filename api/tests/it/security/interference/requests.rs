//! Requests of every endpoint, with every parameter, made of what is there in both stores, in one of them, and in none.

use common::{ENDPOINTS, endpoint::EndpointInfo};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{
    asked::{Asked, Both},
    random::Random,
    world::{Known, World, nobodys},
};

pub(super) const FIELDS: [&str; 15] = [
    "title",
    "code",
    "n",
    "price",
    "about",
    "data",
    "id",
    "owner",
    "created_at",
    "updated_at",
    "revision",
    "secret",
    "nothing",
    "many",
    "serial",
];
const LOOKUPS: [&str; 21] = [
    "",
    "",
    "",
    "__exact",
    "__ne",
    "__gt",
    "__gte",
    "__lt",
    "__lte",
    "__in",
    "__range",
    "__contains",
    "__icontains",
    "__startswith",
    "__istartswith",
    "__endswith",
    "__iexact",
    "__isnull",
    "__year",
    "__regex",
    "__date",
];
pub(super) const WORDS: [&str; 14] = [
    "word0",
    "word1",
    "base7",
    "hidden",
    "hidden1",
    "more0",
    "0",
    "1",
    "3",
    "1,3",
    "true",
    "1.50",
    "2027-01-15T08:00:00Z",
    "",
];

pub(super) fn same(text: impl Into<String>) -> Both {
    let text = text.into();
    [text.clone(), text]
}

pub(super) fn joined(a: &Both, between: &str, b: &Both) -> Both {
    [0, 1].map(|side| format!("{}{between}{}", a[side], b[side]))
}

pub(super) struct Requests<'a> {
    pub random: &'a mut Random,
    pub world: &'a World,
}

impl Requests<'_> {
    /// The next request. Those about records are most of them.
    pub(super) fn next(&mut self, n: usize) -> Asked {
        if n % 8 == 7 && !self.world.links.is_empty() {
            let (caller, path) = self.random.pick(&self.world.links).clone();
            return Asked {
                caller,
                method: Method::GET,
                path,
                headers: Vec::new(),
                body: None,
                is_plain: false,
                writes: None,
            };
        }
        if n % 4 == 2 {
            return self.published();
        }
        if n % 4 == 1 {
            return self.whole();
        }
        let info = self.endpoint(n);
        let known = self.random.pick(&self.world.records).clone();
        let (path, collection) = self.path(info, &known);
        let method =
            if info.method == Method::GET && self.random.one_in(8) { Method::HEAD } else { info.method.clone() };
        let writes =
            (info.path.starts_with("/api/records/") && info.method != Method::GET).then_some(collection).flatten();
        let mut headers = vec![("x-coffer", same("1"))];
        if self.random.one_in(8) {
            let name = *self.random.pick(&["if-match", "if-none-match"]);
            let tag = [0, 1].map(|side| format!("\"{}\"", known.revisions[0][side]));
            headers.push((name, if self.random.one_in(4) { same("*") } else { tag }));
        }
        let body = (![Method::GET, Method::DELETE, Method::OPTIONS].contains(&info.method))
            .then(|| self.body(info, collection));
        let query = self.query(info);
        let (caller, is_plain) = (usize::from(self.random.one_in(4)), self.random.one_in(3));
        Asked { caller, method, path: joined(&path, "", &query), headers, body, is_plain, writes }
    }

    /// Each once, and then those about records most of the time.
    fn endpoint(&mut self, n: usize) -> &'static EndpointInfo {
        let start = match self.random.below(40) {
            0..=1 => "/",
            2..=3 => "/api/collections/",
            4..=8 => "/api/changes/",
            9 => "/api/sessions/",
            10 => "/api/users/me/",
            11 => "/api/token/blacklist/",
            12..=13 => "/api/views/",
            _ => "/api/records/",
        };
        let of: Vec<&EndpointInfo> = ENDPOINTS.iter().filter(|info| info.path.starts_with(start)).collect();
        ENDPOINTS.get(n).unwrap_or_else(|| *self.random.pick(&of))
    }

    fn path(&mut self, info: &EndpointInfo, known: &Known) -> (Both, Option<usize>) {
        let name = if self.random.one_in(4) {
            self.random.pick(&self.world.names).clone()
        } else {
            format!("c{}", known.collection)
        };
        let id = match info.path.split('/').nth(2) {
            Some("users") => self.random.pick(&self.world.users).clone(),
            Some("sessions") if !self.random.one_in(4) => self.random.pick(&self.world.sessions).clone(),
            _ if self.random.one_in(8) => same(nobodys(999)),
            _ => known.ids.clone(),
        };
        let revision = self.random.pick(&known.revisions).map(|revision| revision.to_string());
        let revision = if self.random.one_in(6) { same("1") } else { revision };
        let path = [0, 1].map(|side| {
            let path = info.path.replace("{collection}", &name).replace("{id}", &id[side]);
            path.replace("{revision}", &revision[side])
        });
        (path, name.strip_prefix('c').and_then(|n| n.parse().ok()))
    }

    fn query(&mut self, info: &EndpointInfo) -> Both {
        let mut pairs: Vec<Both> = Vec::new();
        let lists = info.method == Method::GET
            && (info.path.starts_with("/api/records/") || info.path.starts_with("/api/changes/"));
        for _ in 0..if lists { self.random.below(4) } else { usize::from(self.random.one_in(10)) } {
            pairs.push(self.parameter());
        }
        // Of many records a request says which, and how many these may be.
        if info.path.ends_with("{collection}/") && [Method::PATCH, Method::DELETE].contains(&info.method) {
            pairs.push(same(format!("max={}", 1 + self.random.below(3))));
            let value = *self.random.pick(&WORDS);
            pairs.push(same(format!("{}={value}", self.random.pick(&["title", "code", "n", "owner__username"]))));
            pairs.extend(self.random.one_in(3).then(|| same("dry_run=true")));
        }
        pairs.iter().enumerate().fold(same(""), |query, (n, pair)| joined(&query, if n == 0 { "?" } else { "&" }, pair))
    }

    /// Something under a published path, with any method, parameter and kind of body.
    fn published(&mut self) -> Asked {
        let (collection, kind) = *self.random.pick(&self.world.published);
        let known = self.random.pick(&self.world.records).clone();
        let user = *self.random.pick(&["carol", "dave", "erin", "nobody-at-all", "Not A Name"]);
        let code = |random: &mut Random| match random.below(8) {
            0 => format!("hidden{}", random.below(35)),
            1 => format!("more{}", random.below(4)),
            2 => format!("nothing{}", random.below(3)),
            _ => format!("base{}", random.below(35)),
        };
        let (one, other) = (code(self.random), code(self.random));
        let of_one = !self.random.one_in(3);
        let caller = usize::from(self.random.one_in(4));
        let path = match kind {
            _ if caller == 0 && self.random.one_in(12) => {
                let id = if of_one { joined(&same(""), "", &joined(&known.ids, "/", &same(""))) } else { same("") };
                joined(&same("/v1/secret0/"), "", &id)
            }
            "owner" if of_one => same(format!("/v1/of/{user}/c{collection}/{one}/")),
            "owner" => same(format!("/v1/of/{user}/c{collection}/")),
            "about" if of_one => {
                joined(&same(format!("/v1/about/{other}/c{collection}")), "/", &joined(&known.ids, "/", &same("")))
            }
            "about" => same(format!("/v1/about/{other}/c{collection}/")),
            "one" => same(format!("/v1/end/{one}/c{collection}/")),
            _ if of_one => same(format!("/v1/c{collection}/{one}/")),
            _ => same(format!("/v1/c{collection}/")),
        };
        let methods = ["GET", "GET", "HEAD", "PATCH", "PUT", "DELETE", "POST", "OPTIONS", "PROPFIND"];
        let method = Method::from_bytes(self.random.pick(&methods).as_bytes()).unwrap();
        let query = match self.random.below(6) {
            0 => self.parameter(),
            1 => same(*self.random.pick(&[
                "foo=1",
                "dry_run=true",
                "explain=true",
                "fields=nope",
                "expand=about",
                "page=9",
            ])),
            _ => same(""),
        };
        let path = if query[0].is_empty() { path } else { joined(&path, "?", &query) };
        let mut headers = Vec::new();
        if self.random.one_in(6) {
            headers.push((*self.random.pick(&["if-match", "if-none-match"]), same(*self.random.pick(&["*", "\"1\""]))));
        }
        if self.random.one_in(5) {
            headers.push((
                "content-type",
                same(*self.random.pick(&["text/plain", "application/xml", "multipart/form-data"])),
            ));
        }
        let writes = [Method::PATCH, Method::PUT, Method::POST].contains(&method);
        let body = (writes && !self.random.one_in(5)).then(|| match self.random.below(6) {
            0 => same("{\"zzz\":1}"),
            1 => same("{\"code\":[]}"),
            2 => same("not JSON"),
            _ => self.row(Some(collection)).map(|row| row.to_string()),
        });
        let is_plain = self.random.one_in(3);
        Asked { caller, method, path, headers, body, is_plain, writes: writes.then_some(collection) }
    }

    pub(super) fn parameter(&mut self) -> Both {
        let field = *self.random.pick(&FIELDS);
        let two = if self.random.one_in(3) { "about__about" } else { "about" };
        let through = format!("{two}__{}", self.random.pick(&FIELDS));
        let field = if self.random.one_in(4) { through } else { field.to_owned() };
        let sign = if self.random.one_in(2) { "-" } else { "" };
        match self.random.below(12) {
            0 => same(format!("ordering={sign}{field}")),
            1 => same(format!("ordering={sign}{field},{}", self.random.pick(&FIELDS))),
            2 => {
                let marks = if self.random.one_in(2) { "&highlight=true" } else { "" };
                same(format!("search={}{marks}", self.random.pick(&WORDS)))
            }
            3 if self.random.one_in(2) => same(format!("named=true&fields={field},{}", self.random.pick(&FIELDS))),
            3 => same(format!("fields={field},{}", self.random.pick(&FIELDS))),
            4 => {
                let (other, theirs) = (self.random.pick(&self.world.names).clone(), *self.random.pick(&FIELDS));
                same(format!("left_join={other}:{field}={theirs}"))
            }
            5 => same(format!("page_size={}&page={}", self.random.below(4), self.random.below(3))),
            6 => {
                let expand = *self.random.pick(&[
                    "about",
                    "owner",
                    "about.about",
                    "about,owner",
                    "c1_via_about",
                    "secret0_via_about",
                ]);
                same(format!("expand={expand}"))
            }
            7 => {
                let revision = self.random.pick(&self.world.records).revisions[0].map(|revision| revision.to_string());
                joined(&same(*self.random.pick(&["after=", "before="])), "", &revision)
            }
            8 => same(format!("collection={}", self.random.pick(&self.world.names))),
            9 => match self.random.below(4) {
                0 => same(format!("limit={}&offset={}", 1 + self.random.below(4), self.random.below(3))),
                1 => same("count=false"),
                2 => same("page=last&page_size=2"),
                _ => same(format!("cursor=&page_size={}", 1 + self.random.below(3))),
            },
            10 => same(format!("{field}{}={}", self.random.pick(&LOOKUPS), self.random.pick(&WORDS))),
            _ => {
                // Which of two ids is greater differs from store to store.
                let lookup = *self.random.pick(&["", "", "__exact", "__ne", "__in"]);
                let id = if self.random.one_in(4) {
                    self.random.pick(&self.world.users).clone()
                } else {
                    self.random.pick(&self.world.records).ids.clone()
                };
                joined(&same(format!("{field}{lookup}")), "=", &id)
            }
        }
    }

    fn body(&mut self, info: &EndpointInfo, collection: Option<usize>) -> Both {
        if info.path.ends_with("/password/") {
            return same(self.new_password().to_string());
        }
        if info.path == "/api/token/blacklist/" && self.random.one_in(2) {
            let name = *self.random.pick(&["refresh", "refresh_token"]);
            return self.world.refresh.each_ref().map(|token| json!({name: token}).to_string());
        }
        if info.path.starts_with("/api/views/") && self.random.one_in(2) {
            let field = *self.random.pick(&FIELDS);
            let leads = *self.random.pick(&["", "", "about.", "about.about."]);
            let view = json!({
                "name": "one", "collection": self.random.pick(&self.world.names), "shared": true, "ordering": field,
                "filter": format!("{leads}{field} = \"{}\"", self.random.pick(&WORDS)), "columns": [{"name": field}],
            });
            return same(view.to_string());
        }
        if !info.path.starts_with("/api/records/") {
            let bodies = [
                json!({}),
                json!({"username": "carol"}),
                json!({"token": "x"}),
                json!({"name": "c0", "fields": []}),
                json!([]),
            ];
            return same(self.random.pick(&bodies).to_string());
        }
        if info.path.ends_with("{collection}/") && self.random.one_in(4) {
            let rows: Vec<[Value; 2]> = (0..self.random.below(4)).map(|_| self.row(collection)).collect();
            return [0, 1].map(|side| rows.iter().map(|row| row[side].clone()).collect::<Value>().to_string());
        }
        self.row(collection).map(|row| row.to_string())
    }

    /// Changes of the password that succeed mostly: guesses are counted, and lock in the end.
    fn new_password(&mut self) -> Value {
        let current = &self.world.password;
        match self.random.below(6) {
            0 => json!({"current_password": "a wrong guess at it", "new_password": self.world.other_password()}),
            1 => json!({"current_password": current, "new_password": "password"}),
            2 => json!({"new_password": self.world.other_password()}),
            _ => json!({"current_password": current, "new_password": self.world.other_password()}),
        }
    }

    pub(super) fn row(&mut self, collection: Option<usize>) -> [Value; 2] {
        let mut row = [Map::new(), Map::new()];
        for _ in 0..=self.random.below(3) {
            let (name, values) = self.member(collection);
            for (row, value) in row.iter_mut().zip(values) {
                row.insert(name.to_owned(), value);
            }
        }
        row.map(Value::Object)
    }

    fn member(&mut self, collection: Option<usize>) -> (&'static str, [Value; 2]) {
        let text = |text: String| same(text).map(Value::from);
        match self.random.below(12) {
            0 => ("title", text(format!("word{}", self.random.below(3)))),
            // A value that a hidden record has is an unavoidable difference, after which the comparison begins anew.
            1 if self.random.one_in(30) => ("code", text(format!("hidden{}", self.random.below(30)))),
            1 => ("code", text(format!("mine{}", self.random.below(20)))),
            2 if self.random.one_in(3) => ("code", text(format!("base{}", self.random.below(35)))),
            3 => {
                let number = json!(self.random.below(5));
                ("n", [number.clone(), number])
            }
            4 => {
                let of =
                    collection.and_then(|n| self.world.definitions[&format!("c{n}")][0].as_str()?[1..].parse().ok());
                let fits = |known: &&Known| Some(known.collection) == of;
                let fitting: Vec<&Known> = self.world.records.iter().filter(fits).collect();
                let ids = if fitting.is_empty() { same(nobodys(998)) } else { self.random.pick(&fitting).ids.clone() };
                ("about", ids.map(Value::from))
            }
            5 if self.random.one_in(3) => ("about", self.random.pick(&self.world.records).ids.clone().map(Value::from)),
            6 if self.random.one_in(3) => {
                (*self.random.pick(&["price", "about", "code", "n", "title", "zzz"]), [Value::Null, Value::Null])
            }
            8 if self.random.one_in(2) => {
                let ids: Vec<Both> =
                    (0..self.random.below(3)).map(|_| self.random.pick(&self.world.records).ids.clone()).collect();
                ("many", [0, 1].map(|side| ids.iter().map(|id| json!(id[side])).collect::<Value>()))
            }
            7 if self.random.one_in(5) => {
                let known = self.random.pick(&self.world.records).revisions[0];
                ("revision", known.map(|revision| json!(revision)))
            }
            _ => ("data", [json!({"a": 1}), json!({"a": 1})]),
        }
    }
}
