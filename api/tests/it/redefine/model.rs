//! Definitions change at random, under writes, and the server is killed at random moments. What was acknowledged holds; what was not
//! happened whole or not at all, and goes on after a restart; and every record is what a model says, which knows nothing of steps,
//! versions and rewriting. `COFFER_REDEFINE_ROUNDS` sets the number of rounds; `COFFER_SEED` repeats a run's random choices.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    kill::assert_sound,
    random::{Random, seed},
    support::{ADMIN, Client, server::Server, text},
};

const ADDRESS: &str = "/api/collections/things/";
const UNLIMITED: &[&str] = &["--rate-limit", "off"];

#[derive(Debug, Clone, PartialEq)]
struct Field {
    name: String,
    is_text: bool,
}

/// What the collection is: fields by a number that the model gives them, and their values by record.
#[derive(Debug, Clone, PartialEq, Default)]
struct Model {
    fields: BTreeMap<u64, Field>,
    /// The order of the fields.
    order: Vec<u64>,
    records: BTreeMap<String, BTreeMap<u64, Value>>,
}

/// What is done, or may have been done.
#[derive(Debug, Clone)]
enum Step {
    Create(Value),
    Write(String, u64, Value),
    Delete(String),
    Add(u64, String, Value),
    Drop(u64),
    Rename(u64, String),
    ToText(u64),
    Index(u64, bool),
    /// A drop is undone: where the field stood, what it was, and the values that it had.
    Undrop(u64, usize, Field, BTreeMap<String, Value>),
    /// A retype is undone.
    ToInteger(u64),
}

impl Model {
    fn apply(&mut self, step: &Step, made: Option<&str>) {
        match step {
            Step::Create(value) => {
                let values = self.order.iter().map(|id| {
                    let field = &self.fields[id];
                    let value = value.get(field.name.as_str()).cloned().unwrap_or_default();
                    (*id, as_stored(field, value))
                });
                let values = values.collect();
                self.records.insert(made.unwrap_or("?").to_owned(), values);
            }
            Step::Write(id, field, value) => {
                let value = as_stored(&self.fields[field], value.clone());
                if let Some(record) = self.records.get_mut(id) {
                    record.insert(*field, value);
                }
            }
            Step::Delete(id) => drop(self.records.remove(id)),
            Step::Add(id, name, value) => {
                self.fields.insert(*id, Field { name: name.clone(), is_text: false });
                self.order.push(*id);
                for record in self.records.values_mut() {
                    record.insert(*id, value.clone());
                }
            }
            Step::Drop(id) => {
                self.fields.remove(id);
                self.order.retain(|known| known != id);
                for record in self.records.values_mut() {
                    record.remove(id);
                }
            }
            Step::Rename(id, name) => self.fields.get_mut(id).unwrap().name.clone_from(name),
            Step::ToText(id) | Step::ToInteger(id) => {
                let field = self.fields.get_mut(id).unwrap();
                field.is_text = matches!(step, Step::ToText(_));
                let field = field.clone();
                for record in self.records.values_mut() {
                    let value = record.get_mut(id).unwrap();
                    *value = as_stored(&field, value.take());
                }
            }
            Step::Index(..) => {}
            Step::Undrop(id, place, field, values) => {
                self.fields.insert(*id, field.clone());
                self.order.insert((*place).min(self.order.len()), *id);
                for (record, all) in &mut self.records {
                    all.insert(*id, values.get(record).cloned().unwrap_or_default());
                }
            }
        }
    }
}

/// Numbers become texts, and texts of digits numbers.
fn as_stored(field: &Field, value: Value) -> Value {
    match value {
        Value::Number(number) if field.is_text => json!(number.to_string()),
        Value::String(text) if !field.is_text => json!(text.parse::<i64>().unwrap()),
        value => value,
    }
}

/// What the collection may be: one thing, or several while something is not answered.
struct World {
    random: Random,
    may_be: Vec<Model>,
    next: u64,
    /// The last change of the definition that can be undone, and how.
    undo: Option<(String, Step)>,
    definitions: u64,
    compared: u64,
}

impl World {
    fn model(&self) -> &Model {
        self.may_be.last().unwrap()
    }

    fn pick(&mut self) -> Option<u64> {
        let order = self.model().order.clone();
        (!order.is_empty()).then(|| order[self.random.below(order.len())])
    }

    fn pick_record(&mut self) -> Option<String> {
        let count = self.model().records.len();
        let place = (count > 0).then(|| self.random.below(count))?;
        self.model().records.keys().nth(place).cloned()
    }

    /// What to do next.
    fn step(&mut self) -> Option<Step> {
        let number = json!(self.random.below(1000));
        match self.random.below(20) {
            0..6 => {
                let fields = self.model().fields.values().map(|field| field.name.clone()).collect::<Vec<_>>();
                let values: BTreeMap<_, _> =
                    fields.into_iter().map(|name| (name, json!(self.random.below(1000)))).collect();
                Some(Step::Create(json!(values)))
            }
            6..11 => Some(Step::Write(self.pick_record()?, self.pick()?, number)),
            11 => Some(Step::Delete(self.pick_record()?)),
            12 if self.model().order.len() < 6 => {
                self.next += 1;
                Some(Step::Add(self.next, format!("f{}", self.next), number))
            }
            13 if self.model().order.len() > 1 => Some(Step::Drop(self.pick()?)),
            14 => {
                self.next += 1;
                Some(Step::Rename(self.pick()?, format!("n{}", self.next)))
            }
            15 | 16 => {
                let field = self.pick()?;
                (!self.model().fields[&field].is_text).then_some(Step::ToText(field))
            }
            17 => Some(Step::Index(self.pick()?, self.random.one_in(2))),
            18 | 19 => {
                let (_, step) = self.undo.clone()?;
                let is_there = |id: &u64| self.model().fields.contains_key(id);
                match &step {
                    Step::Undrop(id, ..) => (!is_there(id)).then_some(step),
                    Step::ToInteger(id) => (is_there(id) && self.model().fields[id].is_text).then_some(step),
                    Step::Rename(id, name) => {
                        let is_free = self.model().fields.values().all(|field| field.name != *name);
                        (is_there(id) && is_free).then_some(step)
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The request that does a step, and whether it is one of a definition.
    fn request(&self, step: &Step) -> (Method, String, Value, bool) {
        let fields = &self.model().fields;
        let of = |id: &u64| format!("{ADDRESS}fields/{}/", fields[id].name);
        if let (Some((operation, undo)), Step::Undrop(..) | Step::ToInteger(_) | Step::Rename(..)) = (&self.undo, step)
            && format!("{undo:?}") == format!("{step:?}")
        {
            return (Method::POST, format!("/api/changes/{operation}/revert/?changed=overwrite"), json!({}), true);
        }
        match step {
            Step::Create(value) => (Method::POST, "/api/records/things/".to_owned(), value.clone(), false),
            Step::Write(id, field, value) => (
                Method::PATCH,
                format!("/api/records/things/{id}/"),
                json!({fields[field].name.as_str(): value}),
                false,
            ),
            Step::Delete(id) => (Method::DELETE, format!("/api/records/things/{id}/"), Value::Null, false),
            Step::Add(_, name, value) => {
                let body = json!({"name": name, "type": "integer", "nullable": true, "value": value});
                (Method::POST, format!("{ADDRESS}fields/"), body, true)
            }
            Step::Drop(id) => (Method::DELETE, of(id), Value::Null, true),
            Step::Rename(id, name) => (Method::PATCH, of(id), json!({"name": name}), true),
            Step::ToText(id) => (Method::PATCH, of(id), json!({"type": "text"}), true),
            Step::Index(id, indexed) => (Method::PATCH, of(id), json!({"indexed": indexed}), true),
            Step::Undrop(..) | Step::ToInteger(_) => unreachable!("they are undone by their operation"),
        }
    }

    /// How a step is undone, as of before it.
    fn undoing(&self, step: &Step) -> Option<Step> {
        let model = self.model();
        match step {
            Step::Drop(id) => {
                let values = model.records.iter().map(|(record, all)| (record.clone(), all[id].clone())).collect();
                let place = model.order.iter().position(|known| known == id).unwrap();
                Some(Step::Undrop(*id, place, model.fields[id].clone(), values))
            }
            Step::ToText(id) => Some(Step::ToInteger(*id)),
            Step::Rename(id, _) => Some(Step::Rename(*id, model.fields[id].name.clone())),
            _ => None,
        }
    }

    /// Works until something is not answered.
    async fn work(&mut self, admin: &Client) {
        loop {
            let Some(step) = self.step() else { continue };
            let (method, address, body, defines) = self.request(&step);
            // What is changed and not answered is changed later.
            if defines && self.may_be.len() > 1 {
                self.settle(admin).await;
                if self.may_be.len() > 1 {
                    return;
                }
                continue;
            }
            let mut request = admin.request(method, &address).header("content-type", "application/json");
            if self.random.one_in(2) && defines {
                request = request.header("prefer", "respond-async");
            }
            let answer = if body.is_null() { request } else { request.body(body.to_string()) }.send().await;
            let undoing = if defines { self.undoing(&step) } else { None };
            let Ok(answer) = answer else { return self.perhaps(&step) };
            let (status, operation) = (answer.status().as_u16(), answer.headers().get("operation").cloned());
            let Ok(said) = answer.bytes().await else { return self.perhaps(&step) };
            let said: Value = serde_json::from_slice(&said).unwrap_or_default();
            match status {
                200 | 201 | 204 => {
                    let made = said["id"].as_str();
                    for model in &mut self.may_be {
                        model.apply(&step, made);
                    }
                }
                202 => {
                    self.perhaps(&step);
                }
                // One of before is still being made.
                409 if said["code"] == "change_under_way" => continue,
                // Or so many were made that what follows from them is still being done.
                409 if said["detail"].as_str().is_some_and(|detail| detail.contains("operations are under way")) => {
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
                503 => return,
                status => panic!("{step:?} was answered with {status}: {said}"),
            }
            if defines {
                self.definitions += 1;
                self.undo = undoing.and_then(|undo| Some((operation?.to_str().unwrap().to_owned(), undo)));
            }
        }
    }

    /// Something may have been done, or will be.
    fn perhaps(&mut self, step: &Step) {
        let mut done = self.may_be.clone();
        for model in &mut done {
            model.apply(step, None);
        }
        self.may_be.extend(done);
    }

    /// Waits for what is being made, and finds what became of it.
    async fn settle(&mut self, admin: &Client) {
        loop {
            let request = admin.request(Method::GET, "/api/operations/?page_size=100").send().await;
            let Ok(answer) = request else { return };
            let Ok(said) = answer.bytes().await else { return };
            let said: Value = serde_json::from_slice(&said).unwrap();
            let results = said["results"].as_array().unwrap();
            if results.iter().all(|operation| !["running", "paused"].contains(&operation["state"].as_str().unwrap())) {
                break;
            }
            sleep(Duration::from_millis(5)).await;
        }
        let Some(found) = read(admin).await else { return };
        let is_it = |model: &&mut Model| is_same(model, &found);
        let Some(model) = self.may_be.iter_mut().find(is_it) else {
            panic!("it is none of what it may be\n{found:?}\nmay be:\n{:?}", self.may_be);
        };
        // A record that was made and not answered has got its id.
        model.records = found
            .1
            .iter()
            .map(|(id, values)| (id.clone(), model.order.iter().copied().zip(values.clone()).collect()))
            .collect();
        let model = model.clone();
        self.compared += model.records.len() as u64;
        self.may_be = vec![model];
    }
}

/// The fields in order, and each record's values in that order.
type Found = (Vec<Field>, BTreeMap<String, Vec<Value>>);

async fn read(admin: &Client) -> Option<Found> {
    let get = async |address: String| {
        let answer = admin.request(Method::GET, &address).send().await.ok()?;
        serde_json::from_slice::<Value>(&answer.bytes().await.ok()?).ok()
    };
    let definition = get(ADDRESS.to_owned()).await?;
    let fields: Vec<Field> = definition["fields"]
        .as_array()?
        .iter()
        .map(|field| Field { name: text(field, "name"), is_text: field["type"] == "text" })
        .collect();
    let (mut records, mut page) = (BTreeMap::new(), 1);
    loop {
        let found = get(format!("/api/records/things/?page_size=200&page={page}")).await?;
        for record in found["results"].as_array()? {
            let values = fields.iter().map(|field| record[field.name.as_str()].clone()).collect();
            records.insert(text(record, "id"), values);
        }
        if found["next"].is_null() {
            return Some((fields, records));
        }
        page += 1;
    }
}

fn is_same(model: &Model, (fields, records): &Found) -> bool {
    let own: Vec<&Field> = model.order.iter().map(|id| &model.fields[id]).collect();
    let row = |record: &BTreeMap<u64, Value>| model.order.iter().map(|id| record[id].clone()).collect::<Vec<_>>();
    let known = model.records.iter().filter(|(id, _)| id.as_str() != "?");
    // One that was made and not answered has an id that nobody knows.
    let unknown: Vec<_> = records.iter().filter(|(id, _)| !model.records.contains_key(*id)).collect();
    let made = model.records.get("?").map(row);
    own.into_iter().eq(fields)
        && known.clone().all(|(id, record)| records.get(id) == Some(&row(record)))
        && match (&unknown[..], made) {
            ([], None) => true,
            ([(_, values)], Some(made)) => **values == made,
            _ => false,
        }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_change_under_writes_and_kills_and_every_record_is_as_the_model_has_it() {
    let mut random = Random::new(seed("redefine"));
    let rounds = std::env::var("COFFER_REDEFINE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(4);
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, UNLIMITED);
    let admin = server.set_up().await;
    let first = json!({"name": "f1", "type": "integer", "nullable": true});
    admin.collection("things", json!([first])).await;
    let fields = BTreeMap::from([(1, Field { name: "f1".to_owned(), is_text: false })]);
    let mut model = Model { fields, order: vec![1], ..Model::default() };
    let rows: Vec<Value> = (0..300).map(|n| json!({"f1": n})).collect();
    for made in admin.post("/api/records/things/", &json!(rows)).await.is(201).as_array().unwrap() {
        model.apply(&Step::Create(made.clone()), made["id"].as_str());
    }
    let own = Random::new(random.next());
    let mut world = World { random: own, may_be: vec![model], next: 1, undo: None, definitions: 0, compared: 0 };
    for round in 0..rounds {
        let life = Duration::from_millis(300 + random.below(1200) as u64);
        let admin = server.sign_in(ADMIN).await;
        let working = tokio::spawn(async move {
            world.work(&admin).await;
            world
        });
        sleep(life).await;
        drop(server);
        world = working.await.expect("what is answered is what is expected");
        if random.one_in(2) {
            assert_sound(&data);
        }
        server = Server::start(&data, UNLIMITED);
        world.settle(&server.sign_in(ADMIN).await).await;
        assert_eq!(world.may_be.len(), 1, "it is known what there is");
        eprintln!("round {round}, after {life:?}: {} definitions changed", world.definitions);
    }
    server.stop();
    assert_sound(&data);
    eprintln!(
        "redefine: {rounds} rounds, {} definitions changed, {} records compared",
        world.definitions, world.compared
    );
    assert!(world.definitions > 0 && world.compared > 0);
}
