//! Random requests and reverts, by two users, beside a model that does the same over a plain map: after each step the server has what the
//! model has, and refuses what it refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{operation, reference, revert};
use crate::{
    random::Random,
    support::{Client, Coffer, id},
};

const COLLECTIONS: [&str; 3] = ["orders", "lines", "notes"];
const STEPS: usize = 400;

/// Which record: its collection and id.
type Key = (&'static str, String);
/// The values of its fields.
type Values = BTreeMap<&'static str, Value>;
type State = BTreeMap<Key, Values>;
/// What an operation did: before and after, by record.
type Changes = BTreeMap<Key, (Option<Values>, Option<Values>)>;

#[derive(Default)]
struct Model {
    state: State,
    done: Vec<(String, Changes)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Refuse,
    Skip,
    Overwrite,
}

impl Model {
    fn ids(&self, collection: &str) -> Vec<String> {
        self.state.keys().filter(|(of, _)| *of == collection).map(|(_, id)| id.clone()).collect()
    }

    fn apply(&mut self, operation: String, changes: Changes) {
        for (key, (_, after)) in &changes {
            match after {
                Some(after) => self.state.insert(key.clone(), after.clone()),
                None => self.state.remove(key),
            };
        }
        self.done.push((operation, changes));
    }

    fn is_taken(&self, number: &Value, but: Option<&str>) -> bool {
        !number.is_null()
            && self
                .state
                .iter()
                .any(|((of, id), values)| *of == "orders" && but != Some(id.as_str()) && values["number"] == *number)
    }

    /// What deleting a record comes to.
    fn deletion(&self, key: &Key) -> Changes {
        let mut going = BTreeSet::from([key.clone()]);
        loop {
            let more: Vec<Key> = (self.state.iter())
                .filter(|(key, values)| key.0 == "lines" && !going.contains(*key) && refers(values, &going))
                .map(|(key, _)| key.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            going.extend(more);
        }
        let mut changes: Changes =
            going.iter().map(|key| (key.clone(), (Some(self.state[key].clone()), None))).collect();
        for (key, values) in self.state.iter().filter(|(key, values)| key.0 == "notes" && refers(values, &going)) {
            let mut after = values.clone();
            after.insert("order", Value::Null);
            changes.insert(key.clone(), (Some(values.clone()), Some(after)));
        }
        changes
    }

    /// What undoing an operation comes to; `None` where it is refused.
    fn reversal(&self, changes: &Changes, mode: Mode) -> Option<Changes> {
        let mut active: BTreeMap<&Key, Option<&Values>> = BTreeMap::new();
        for (key, (before, after)) in changes {
            let is_unchanged = self.state.get(key) == after.as_ref();
            match mode {
                Mode::Refuse if !is_unchanged => return None,
                Mode::Skip if !is_unchanged => {}
                _ => drop(active.insert(key, before.as_ref())),
            }
        }
        loop {
            let stuck: Vec<&Key> = active
                .iter()
                .filter(|(key, target)| self.is_stuck(key, **target, &active))
                .map(|(key, _)| *key)
                .collect();
            if stuck.is_empty() {
                break;
            }
            if mode != Mode::Skip {
                return None;
            }
            for key in stuck {
                active.remove(key);
            }
        }
        let reversal =
            active.into_iter().map(|(key, target)| (key.clone(), (self.state.get(key).cloned(), target.cloned())));
        Some(reversal.filter(|(_, (before, after))| before.is_some() || after.is_some()).collect())
    }

    fn is_stuck(&self, key: &Key, target: Option<&Values>, active: &BTreeMap<&Key, Option<&Values>>) -> bool {
        // As everything would be.
        let later = |key: &Key| match active.get(key) {
            Some(target) => *target,
            None => self.state.get(key),
        };
        let now = self.state.get(key);
        let Some(target) = target else {
            // Something else would lose what it refers to.
            return now.is_some()
                && key.0 == "orders"
                && self
                    .state
                    .keys()
                    .any(|other| later(other).is_some_and(|values| values.get("order") == Some(&json!(key.1))));
        };
        if key.0 == "orders" {
            let number = &target["number"];
            let is_other = now.is_none_or(|now| now["number"] != *number);
            // One that gives its number up in the same operation is in nobody's way.
            return is_other
                && !number.is_null()
                && self.state.iter().any(|(other, values)| {
                    other.0 == "orders"
                        && other != key
                        && values["number"] == *number
                        && later(other).is_some_and(|values| values["number"] == *number)
                });
        }
        let order = &target["order"];
        let is_other = now.is_none_or(|now| now["order"] != *order);
        is_other && order.as_str().is_some_and(|order| later(&("orders", order.to_owned())).is_none())
    }
}

fn refers(values: &Values, to: &BTreeSet<Key>) -> bool {
    values.get("order").and_then(Value::as_str).is_some_and(|order| to.contains(&("orders", order.to_owned())))
}

async fn state(client: &Client) -> State {
    let mut state = State::new();
    for collection in COLLECTIONS {
        let page = client.get(&format!("/api/records/{collection}/?page_size=1000")).await.is(200);
        for record in page["results"].as_array().unwrap() {
            let members = if collection == "orders" { &["number"][..] } else { &["text", "order"] };
            let as_sent = |name: &str| match &record[name] {
                // Numbers are sent as texts too.
                Value::Number(id) if name == "order" => id.to_string().into(),
                value => value.clone(),
            };
            let values = members.iter().map(|name| (*name, as_sent(name))).collect();
            state.insert((collection, id(record)), values);
        }
    }
    state
}

#[tokio::test]
async fn random_operations_and_reverts_are_what_a_model_says() {
    runs("uuid", &[1, 2]).await;
}

/// All three collections have records of the same numbers.
#[tokio::test]
async fn random_operations_and_reverts_are_so_where_records_have_numbers() {
    runs("integer", &[3, 4]).await;
}

async fn runs(ids: &str, seeds: &[u64]) {
    let (coffer, admin) = Coffer::with_admin().await;
    let all = json!(["signed_in"]);
    let access = json!({"list": all, "view": all, "create": all, "update": all, "delete": all});
    let number = json!([{"name": "number", "type": "integer", "unique": true, "nullable": true}]);
    let with = |on_delete: &str| json!([{"name": "text", "type": "text"}, reference("order", "orders", on_delete)]);
    for (name, fields) in [("orders", number), ("lines", with("cascade")), ("notes", with("set_null"))] {
        let definition = json!({"name": name, "ids": ids, "fields": fields, "access": access});
        admin.post("/api/collections/", &definition).await.is(201);
    }
    let users = [coffer.user(&admin, "ulla", json!({})).await, coffer.user(&admin, "otto", json!({})).await];
    for &seed in seeds {
        let mut random = Random::new(seed);
        let mut model = Model { state: state(&admin).await, done: Vec::new() };
        for step in 0..STEPS {
            let client = &users[random.below(2)];
            let kind = random.below(10);
            let said = match kind {
                0..=3 => create(client, &mut model, &mut random).await,
                4 | 5 => update(client, &mut model, &mut random).await,
                6 => delete(client, &mut model, &mut random).await,
                _ => undo(client, &mut model, &mut random).await,
            };
            if step % 5 == 0 || kind >= 6 {
                assert_eq!(state(&admin).await, model.state, "seed {seed}, step {step}: {said}");
            }
        }
    }
}

fn pick(random: &mut Random, from: &[String]) -> Option<String> {
    (!from.is_empty()).then(|| from[random.below(from.len())].clone())
}

/// Values for a record, mostly ones that fit.
fn values(model: &Model, random: &mut Random, collection: &str) -> Values {
    if collection == "orders" {
        let number = if random.below(3) == 0 { Value::Null } else { json!(random.below(12)) };
        return Values::from([("number", number)]);
    }
    let order = if random.below(4) == 0 { None } else { pick(random, &model.ids("orders")) };
    Values::from([("text", json!(format!("{}", random.below(3)))), ("order", json!(order))])
}

async fn create(client: &Client, model: &mut Model, random: &mut Random) -> String {
    let collection = COLLECTIONS[random.below(3)];
    let values = values(model, random, collection);
    let answer = client.post(&format!("/api/records/{collection}/"), &json!(values)).await;
    if collection == "orders" && model.is_taken(&values["number"], None) {
        answer.refused(409);
        return "create refused".to_owned();
    }
    let done = operation(&answer);
    let made = answer.is(201);
    model.apply(done, Changes::from([((collection, id(&made)), (None, Some(values)))]));
    "create".to_owned()
}

async fn update(client: &Client, model: &mut Model, random: &mut Random) -> String {
    let collection = COLLECTIONS[random.below(3)];
    let Some(id) = pick(random, &model.ids(collection)) else { return "nothing".to_owned() };
    let values = values(model, random, collection);
    let key = (collection, id.clone());
    let answer = client.patch(&format!("/api/records/{collection}/{id}/"), &json!(values)).await;
    if model.state[&key] == values {
        assert!(answer.header("operation").is_empty());
        answer.is(200);
        return "no change".to_owned();
    }
    if collection == "orders" && model.is_taken(&values["number"], Some(&id)) {
        answer.refused(409);
        return "update refused".to_owned();
    }
    let done = operation(&answer);
    answer.is(200);
    let before = model.state[&key].clone();
    model.apply(done, Changes::from([(key, (Some(before), Some(values)))]));
    "update".to_owned()
}

async fn delete(client: &Client, model: &mut Model, random: &mut Random) -> String {
    let collection = COLLECTIONS[random.below(2)];
    let Some(id) = pick(random, &model.ids(collection)) else { return "nothing".to_owned() };
    let place = format!("/api/records/{collection}/{id}/");
    let changes = model.deletion(&(collection, id));
    let told = client.delete(&format!("{place}?dry_run=true")).await.is(200);
    assert_eq!(told["count"], changes.len());
    let answer = client.delete(&place).await;
    let done = operation(&answer);
    answer.is(204);
    let did = client.get(&format!("/api/changes/{done}/")).await.is(200);
    assert_eq!(did["count"], changes.len());
    model.apply(done, changes);
    "delete".to_owned()
}

async fn undo(client: &Client, model: &mut Model, random: &mut Random) -> String {
    if model.done.is_empty() {
        return "nothing".to_owned();
    }
    // Mostly what was done lately.
    let reach = if random.below(3) == 0 { 1000 } else { 4 };
    let back = random.below(model.done.len().min(reach));
    let (id, changes) = model.done[model.done.len() - 1 - back].clone();
    let (mode, query) =
        [(Mode::Refuse, ""), (Mode::Skip, "?changed=skip"), (Mode::Overwrite, "?changed=overwrite")][random.below(3)];
    let answer = revert(client, &id, query).await;
    let said = format!("undo {back} {query} {changes:?}: {}", answer.text());
    match model.reversal(&changes, mode) {
        None => {
            assert_eq!(answer.status, 409, "{said}");
        }
        Some(reversal) => {
            assert_eq!(answer.status, 200, "{said}");
            if !reversal.is_empty() {
                model.apply(operation(&answer), reversal);
            }
        }
    }
    said
}
