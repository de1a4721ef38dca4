//! What is asked, of both servers alike: the same requests on as many connections. Only addresses differ.

use serde_json::{Value, json};

use super::{
    data::{PASSWORD, SHELVES},
    process::Process,
};

/// Readers beside whom others sign in.
const READERS: usize = 8;
/// Those others.
const SIGNING_IN: usize = 64;

/// One server, ready to be asked.
#[derive(Debug)]
pub(crate) struct Site {
    /// The server.
    pub process: Process,
    /// Where it listens.
    pub address: String,
    /// The path of the collection.
    pub books: &'static str,
    /// The path of the file.
    pub file: &'static str,
    /// An access token of an ordinary user.
    pub access: String,
    /// The ids of the records.
    pub ids: Vec<String>,
}

/// One kind of request.
#[derive(Debug)]
pub(crate) struct Workload {
    /// For `--only`.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// The same for the chart, which has little room.
    pub short: &'static str,
    kind: Kind,
    /// Connections that ask at once.
    pub connections: usize,
    /// What is to be reached.
    pub target: Target,
    /// Whether the bare route is asked in the same rounds.
    pub has_ceiling: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Get,
    List,
    Filter,
    Create,
    Update,
    SignIn,
    Refresh,
    File,
    ReadAlone,
    ReadBesideSignIns,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// So many times the requests per second of the reference.
    Times(f64),
    /// The same requests per second as the reference, or up to this share fewer.
    Equal(f64),
    /// A p99 of at most so many times the p99 of the workload before this one.
    P99(f64),
    /// Measured for another's sake.
    None,
}

/// The share of the bare route's requests per second that `get` is to reach.
pub(crate) const CEILING_SHARE: f64 = 0.65;

const fn workload(
    name: &'static str,
    title: &'static str,
    short: &'static str,
    kind: Kind,
    connections: usize,
    target: Target,
) -> Workload {
    Workload { name, title, short, kind, connections, target, has_ceiling: matches!(kind, Kind::Get) }
}

/// In this order: what adds records comes last.
pub(crate) const WORKLOADS: [Workload; 10] = [
    workload("get", "Get one record", "get one", Kind::Get, 64, Target::Times(60.0)),
    workload("list", "List 20 records", "list 20", Kind::List, 64, Target::Times(50.0)),
    workload(
        "filter",
        "List 20 of the 50 records with one value",
        "filtered list",
        Kind::Filter,
        64,
        Target::Times(40.0),
    ),
    workload("file", "Script of 200 KB, in brotli", "200 KB file", Kind::File, 64, Target::Times(8.0)),
    workload("login", "Sign in", "sign in", Kind::SignIn, 16, Target::Equal(0.2)),
    workload("read-alone", "Get one record, 8 readers", "", Kind::ReadAlone, READERS, Target::None),
    workload("read-beside", "The same beside 64 who sign in", "", Kind::ReadBesideSignIns, READERS, Target::P99(5.0)),
    workload("refresh", "Refresh a token", "refresh", Kind::Refresh, 64, Target::Times(8.0)),
    workload("update", "Change a record, durably", "update", Kind::Update, 64, Target::Times(25.0)),
    workload("create", "Create a record, durably", "create", Kind::Create, 64, Target::Times(25.0)),
];

impl Workload {
    /// The load generator's job for a server.
    pub(crate) fn job(&self, site: &Site) -> Value {
        let books = site.books;
        let one = format!("{books}{{pick}}/");
        let foreground = match self.kind {
            Kind::Get | Kind::ReadAlone | Kind::ReadBesideSignIns => site.stream("GET", &one, "", &site.ids),
            Kind::List => site.stream("GET", books, "", &[]),
            Kind::Filter => {
                let shelves: Vec<_> = (0..SHELVES).map(|n| format!("shelf-{n}")).collect();
                site.stream("GET", &format!("{books}?shelf={{pick}}"), "", &shelves)
            }
            Kind::Create => {
                let body = json!({
                    "title": "Another {n}", "author": "Ververta Quiin", "shelf": "shelf-new", "copies": 3,
                    "price": "12.50", "published": "2020-02-29", "lent": false,
                });
                site.stream("POST", books, &body.to_string(), &[])
            }
            Kind::Update => site.stream("PATCH", &one, r#"{"title": "Renamed {n}"}"#, &site.ids),
            Kind::SignIn => json!({"request": site.sign_in()}),
            Kind::Refresh => json!({
                "request": site.json_post("/api/token/refresh/", r#"{"refresh": "{chain}"}"#),
                "chain": {"start": site.sign_in(), "take": "refresh"},
            }),
            Kind::File => json!({"request": {
                "address": site.address, "method": "GET", "path": site.file, "headers": ["accept-encoding: gzip, br"],
            }}),
        };
        let mut job = json!({"foreground": foreground});
        job["foreground"]["connections"] = self.connections.into();
        if matches!(self.kind, Kind::ReadBesideSignIns) {
            job["background"] = json!({"request": site.sign_in(), "connections": SIGNING_IN});
        }
        job
    }
}

/// The job for the bare route, on as many connections as `beside`.
pub(crate) fn hello(site: &Site, beside: &Workload) -> Value {
    let request = json!({"address": site.address, "method": "GET", "path": "/hello/you"});
    json!({"foreground": {"request": request, "connections": beside.connections}})
}

impl Site {
    fn stream(&self, method: &str, path: &str, body: &str, picks: &[String]) -> Value {
        let headers = [format!("authorization: Bearer {}", self.access), "content-type: application/json".to_owned()];
        let headers = if body.is_empty() { &headers[..1] } else { &headers };
        let request =
            json!({"address": self.address, "method": method, "path": path, "headers": headers, "body": body});
        json!({"request": request, "picks": picks})
    }

    fn json_post(&self, path: &str, body: &str) -> Value {
        let headers = ["content-type: application/json"];
        json!({"address": self.address, "method": "POST", "path": path, "headers": headers, "body": body})
    }

    /// Each connection signs in as a user of its own.
    fn sign_in(&self) -> Value {
        let body = json!({"username": "user{connection}", "password": PASSWORD});
        self.json_post("/api/token/", &body.to_string())
    }
}
