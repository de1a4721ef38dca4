//! Two stores with the same collections, rules, users and visible records. The second one has other hidden ones: more, fewer, with other
//! values, that refer to what is visible, in collections that are not there for the callers either.

use std::collections::BTreeMap;

use common::{
    access::{AccessRules, Action, Caller, Decision},
    id::UserId,
};
use serde_json::{Value, json};

use super::{asked::Asked, random::Random};
use crate::{
    security::{
        NEW_PASSWORD,
        held::{Held, Settings},
        tokens, try_obtain, user,
    },
    support::{Answer, Client, PASSWORD, text},
};

/// The sets of rules that an action may have.
const RULES: [&[&str]; 9] = [
    &["nobody"],
    &["nobody"],
    &["anyone"],
    &["signed_in"],
    &["signed_in"],
    &["owner"],
    &["owner", "role:reader"],
    &["role:reader"],
    &["role:writer", "owner"],
];
pub(super) const COLLECTIONS: usize = 5;
/// The name of the caller who is signed in.
const CALLER: &str = "carol";
const ON_DELETE: [&str; 3] = ["restrict", "cascade", "set_null"];

/// One of the two stores.
pub(super) struct Store {
    /// It ends with the value.
    _held: Held,
    pub base: String,
    admin: Client,
    /// A user with rights of her own, and nobody.
    pub callers: [Client; 2],
    /// Another user, whose records the caller may not see where a rule says `owner`.
    other: Client,
}

/// A record that is known to both stores, or to one alone; then its other id is nobody's.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub collection: usize,
    pub ids: [String; 2],
    pub revisions: Vec<[u64; 2]>,
}

pub(super) struct World {
    pub stores: [Store; 2],
    /// Every name: visible, hidden, in the second store only, and in none.
    pub names: Vec<String>,
    pub records: Vec<Known>,
    pub users: Vec<[String; 2]>,
    /// Sessions: the caller's, some of which ended, and the other user's.
    pub sessions: Vec<[String; 2]>,
    /// The refresh tokens of the caller's own sessions.
    pub refresh: [String; 2],
    /// The caller's password.
    pub password: &'static str,
    /// Pages beside those that were answered, and the caller to whom.
    pub links: Vec<(usize, [String; 2])>,
    /// Addresses below which records are published: of each the collection, and what stands behind it.
    pub published: Vec<(usize, &'static str)>,
    /// What was done by requests.
    pub operations: Vec<[String; 2]>,
    /// For who has to understand a difference.
    pub definitions: BTreeMap<String, Value>,
}

/// A record while the stores are furnished.
struct Made {
    known: Known,
    /// Owned by the caller, by the other user, by an admin, by nobody.
    owner: usize,
    refers: Option<usize>,
}

fn field_list(target: &str, on_delete: &str) -> Value {
    json!([
        {"name": "title", "type": "text", "indexed": true},
        {"name": "code", "type": "text", "unique": true, "nullable": true},
        {"name": "n", "type": "integer", "indexed": true, "nullable": true},
        {"name": "price", "type": "decimal", "places": 2, "nullable": true},
        {"name": "about", "type": "reference", "collection": target, "on_delete": on_delete, "nullable": true},
        {"name": "many", "type": "reference", "many": true, "collection": target, "on_delete": "set_null"},
        {"name": "data", "type": "json", "nullable": true}])
}

impl World {
    /// Furnishes both.
    pub(super) async fn make(random: &mut Random) -> Self {
        let is_reader = random.one_in(2);
        let stores = [store(is_reader).await, store(is_reader).await];
        let mut world = Self {
            stores,
            names: Vec::new(),
            records: Vec::new(),
            users: Vec::new(),
            sessions: Vec::new(),
            refresh: [String::new(), String::new()],
            password: PASSWORD,
            links: Vec::new(),
            published: Vec::new(),
            operations: Vec::new(),
            definitions: BTreeMap::new(),
        };
        for who in [|store: &Store| store.callers[0].id.clone(), |store: &Store| store.other.id.clone()] {
            world.users.push([who(&world.stores[0]), who(&world.stores[1])]);
        }
        world.sign_in().await;
        let others = world.both(async |store, _| store.other.get("/api/sessions/").await.is(200)).await;
        world.sessions.push(others.map(|page| text(&page["results"][0], "id")));
        let rules = world.define(random).await;
        let made = world.fill(random).await;
        for (n, access) in rules.iter().enumerate() {
            let access = json!({"access": access});
            world
                .both(async |store, _| store.admin.patch(&format!("/api/collections/c{n}/"), &access).await.is(200))
                .await;
        }
        world.publish().await;
        world.differ(random, &rules, &made).await;
        world.records.extend(made.into_iter().map(|made| made.known));
        world.names.extend(["secret0", "nowhere", "users", "Not-A-Name"].map(str::to_owned));
        world
    }

    async fn both(&self, act: impl AsyncFn(&Store, usize) -> Value) -> [Value; 2] {
        [act(&self.stores[0], 0).await, act(&self.stores[1], 1).await]
    }

    /// Collections that refer to each other, open for now, and the rules that they are to have.
    async fn define(&mut self, random: &mut Random) -> Vec<AccessRules> {
        let open: Value = Action::ALL.iter().map(|action| (action.name().to_owned(), json!(["anyone"]))).collect();
        let mut rules = Vec::new();
        for n in 0..COLLECTIONS {
            let (target, on_delete) = (format!("c{}", random.below(n + 1)), *random.pick(&ON_DELETE));
            let body = json!({"name": format!("c{n}"), "fields": field_list(&target, on_delete), "access": open});
            self.both(async |store, _| store.admin.post("/api/collections/", &body).await.is(201)).await;
            let access: Value =
                Action::ALL.iter().map(|action| (action.name().to_owned(), json!(random.pick(&RULES)))).collect();
            self.definitions.insert(format!("c{n}"), json!([target, on_delete, access]));
            rules.push(serde_json::from_value(access).unwrap());
            self.names.push(format!("c{n}"));
        }
        rules
    }

    /// Records that both stores have, of four owners.
    async fn fill(&self, random: &mut Random) -> Vec<Made> {
        let mut made: Vec<Made> = Vec::new();
        for n in 0..COLLECTIONS * 7 {
            let (collection, owner) = (n % COLLECTIONS, random.below(4));
            let target =
                self.definitions[&format!("c{collection}")][0].as_str().unwrap()[1..].parse::<usize>().unwrap();
            let targets: Vec<usize> = (0..made.len()).filter(|at| made[*at].known.collection == target).collect();
            let refers = (!targets.is_empty() && random.one_in(2)).then(|| *random.pick(&targets));
            let (title, number) = (format!("word{} base{n}", random.below(3)), random.below(5));
            let values = self.both(async |store, side| {
                let about = refers.map(|at| made[at].known.ids[side].clone());
                let body =
                    json!({"title": title, "code": format!("base{n}"), "n": number, "price": "1.50", "about": about});
                store.owner(owner).record(&format!("c{collection}"), body).await
            });
            made.push(Made { known: known(collection, &values.await), owner, refers });
        }
        made
    }

    /// Publishes every collection: by a value of its own, under its owner's name, under the record that it refers to, and for one method.
    async fn publish(&mut self) {
        for n in 0..COLLECTIONS {
            let name = format!("c{n}");
            let paths = [
                ("code", json!({"path": format!("/v1/{name}/"), "collection": name, "lookup": "code"})),
                (
                    "owner",
                    json!({"path": format!("/v1/of/{{name}}/{name}/"), "collection": name, "where": {"owner.username": "{name}"}, "lookup": "code"}),
                ),
                (
                    "about",
                    json!({"path": format!("/v1/about/{{code}}/{name}/"), "collection": name, "where": {"about.code": "{code}"}}),
                ),
                (
                    "one",
                    json!({"path": format!("/v1/end/{{code}}/{name}/"), "collection": name, "lookup": "code", "method": "POST", "actions": ["delete"]}),
                ),
            ];
            for (kind, path) in paths {
                self.both(async |store, _| store.admin.post("/api/paths/", &path).await.is(201)).await;
                self.published.push((n, kind));
            }
        }
    }

    /// Changes what the callers may not see, in the second store.
    async fn differ(&mut self, random: &mut Random, rules: &[AccessRules], made: &[Made]) {
        let store = &self.stores[1];
        let caller =
            Caller::User { id: store.callers[0].id.parse().unwrap(), is_admin: false, roles: store.roles().await };
        let me = caller.user_id();
        let others: Option<UserId> = store.other.id.parse().ok();
        let hidden = |collection: usize, owner: usize| {
            let owner = if owner == 0 { me } else { others };
            let sees = |action| rules[collection].decide(action, &caller).covers(owner);
            !sees(Action::List) && !sees(Action::View)
        };
        let visible: Vec<&Made> = made.iter().filter(|made| !hidden(made.known.collection, made.owner)).collect();
        // What is referred to could take visible records with it.
        let referred: Vec<usize> = made.iter().filter_map(|made| made.refers).collect();
        for (n, record) in made.iter().enumerate().filter(|(_, made)| hidden(made.known.collection, made.owner)) {
            let at = format!("/api/records/c{}/{}/", record.known.collection, record.known.ids[1]);
            // What the caller owns counts for her quota.
            if record.owner == 0 {
                continue;
            }
            match random.below(3) {
                0 if !referred.contains(&n) => {
                    store.admin.delete(&at).await;
                }
                1 => {
                    let body = json!({"title": "hidden word1", "code": format!("hidden{n}"), "n": 3, "data": "x".repeat(5000)});
                    store.admin.patch(&at, &body).await.is(200);
                }
                _ => {}
            }
        }
        for (collection, rules) in rules.iter().enumerate().filter(|(collection, _)| hidden(*collection, 1)) {
            for n in 0..random.below(4) {
                let body = json!({"title": "hidden word2", "code": format!("more{n}"), "n": 2});
                let record = store.admin.record(&format!("c{collection}"), body).await;
                self.records
                    .push(known(collection, &[json!({"id": nobodys(n + collection * 10), "revision": 1}), record]));
            }
            let unknown = Action::ALL[..3].iter().all(|action| rules.decide(*action, &caller) == Decision::Denied);
            // A new field makes her own records there larger, which her quota tells.
            let hers = made.iter().any(|made| made.known.collection == collection && made.owner == 0);
            if unknown && !hers {
                let at = format!("/api/collections/c{collection}/");
                let mut fields = store.admin.get(&at).await.is(200)["fields"].clone();
                fields.as_array_mut().unwrap().push(json!({"name": "secret", "type": "text"}));
                let body = json!({"description": "Nobody may know.", "fields": fields});
                store.admin.patch(&format!("/api/collections/c{collection}/"), &body).await.is(200);
            }
        }
        self.secret(random, &visible).await;
        user(&self.stores[1].admin, "erin").await;
    }

    /// A collection that only the second store has, with records that refer to visible ones.
    async fn secret(&mut self, random: &mut Random, visible: &[&Made]) {
        let nobodys: Value = Action::ALL.iter().map(|action| (action.name().to_owned(), json!(["nobody"]))).collect();
        let admin = &self.stores[1].admin;
        let of: Vec<&&Made> = visible.iter().filter(|made| made.known.collection == 0).collect();
        // A deletion that is held back is an unavoidable difference, after which the comparison begins anew.
        let on_delete = if random.one_in(4) { "restrict" } else { *random.pick(&ON_DELETE[1..]) };
        let body = json!({"name": "secret0", "fields": field_list("c0", on_delete), "access": nobodys});
        admin.post("/api/collections/", &body).await.is(201);
        // That something is published where strangers may do nothing, they are told, and nobody else is.
        admin.post("/api/paths/", &json!({"path": "/v1/secret0/", "collection": "secret0"})).await.is(201);
        for n in 0..4 {
            let about = (!of.is_empty()).then(|| random.pick(&of).known.ids[1].clone());
            let body = json!({"title": "hidden", "code": format!("base{n}"), "about": about});
            admin.record("secret0", body).await;
        }
    }

    /// Signs the caller in, in both stores.
    async fn sign_in(&mut self) {
        let mut sessions = Vec::new();
        for (side, store) in self.stores.iter_mut().enumerate() {
            let pair = tokens(&try_obtain(&store.callers[1], CALLER, self.password).await);
            store.callers[0].access = Some(pair.access);
            self.refresh[side] = pair.refresh;
            let page = store.callers[0].get("/api/sessions/").await.is(200);
            let current = page["results"].as_array().unwrap().iter().find(|session| session["current"] == true);
            sessions.push(text(current.unwrap(), "id"));
        }
        self.sessions.push(sessions.try_into().unwrap());
    }

    /// The password that the caller has not.
    pub(super) fn other_password(&self) -> &'static str {
        if self.password == PASSWORD { NEW_PASSWORD } else { PASSWORD }
    }

    /// Takes a new password in, and signs in again where the session is over: in both stores or in none.
    pub(super) async fn go_on(&mut self, asked: &Asked, status: u16) {
        if asked.path[0].starts_with("/api/users/me/password/") && status < 300 && asked.caller == 0 {
            self.password = self.other_password();
        }
        let ends = ["/api/sessions/", "/api/users/me/password/", "/api/token/blacklist/"];
        if ends.iter().any(|path| asked.path[0].starts_with(path)) {
            let [left, right] =
                self.both(async |store, _| store.callers[0].get("/api/users/me/").await.status.into()).await;
            assert_eq!(left, right, "the session is over in one store alone: {asked:?}");
            if left == 401 {
                self.sign_in().await;
            }
        }
    }

    /// Takes what an answer brought into the requests to come.
    pub(super) fn learn(&mut self, asked: &Asked, answers: [&Answer; 2]) {
        let bodies = answers.map(|answer| serde_json::from_slice::<Value>(&answer.body).unwrap_or(Value::Null));
        for name in ["next", "previous"] {
            let link =
                |side: usize| bodies[side][name].as_str()?.strip_prefix(&self.stores[side].base).map(str::to_owned);
            if let Some((a, b)) = link(0).zip(link(1)) {
                self.links.push((asked.caller, [a, b]));
            }
        }
        let operations = answers.map(|answer| answer.header("operation").to_owned());
        // Undoing what somebody else did is refused where it did something unseen, which docs/security.md lists.
        if asked.caller == 0 {
            self.learn_operations(operations);
        }
        let Some(collection) = asked.writes else { return };
        let revision = |side: usize| bodies[side]["revision"].as_u64();
        if let (Some(a), Some(b), Some(id)) = (revision(0), revision(1), bodies[0]["id"].as_str()) {
            match self.records.iter_mut().find(|known| known.ids[0] == id) {
                Some(known) => known.revisions.push([a, b]),
                None => self.records.push(known(collection, &bodies)),
            }
        }
    }
}

/// An id that nobody has.
pub(super) fn nobodys(n: usize) -> String {
    format!("01920000-0000-7000-8000-{n:012}")
}

fn known(collection: usize, values: &[Value; 2]) -> Known {
    let revisions = values.each_ref().map(|value| value["revision"].as_u64().unwrap());
    Known { collection, ids: values.each_ref().map(|value| text(value, "id")), revisions: vec![revisions] }
}

impl Store {
    fn owner(&self, owner: usize) -> &Client {
        [&self.callers[0], &self.other, &self.admin, &self.callers[1]][owner]
    }

    async fn roles(&self) -> Vec<common::name::RoleName> {
        let me = self.callers[0].get("/api/users/me/").await.is(200);
        serde_json::from_value(me["roles"].clone()).unwrap()
    }
}

async fn store(is_reader: bool) -> Store {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let (caller, _) = user(&admin, CALLER).await;
    let (other, _) = user(&admin, "dave").await;
    let roles = if is_reader { json!(["reader"]) } else { json!([]) };
    admin.patch(&format!("/api/users/{}/", caller.id), &json!({"roles": roles})).await.is(200);
    let nobody = held.stranger();
    Store { base: admin.base.clone(), callers: [caller, nobody], other, admin, _held: held }
}
