//! Definitions change at random, collections and what hangs on a record are deleted, the journal is trimmed and things are undone, under writes;
//! and the server is killed at random moments, and its files are damaged. What was acknowledged holds; what was not happened whole or not at
//! all, and goes on after a restart; and every record is what a model says. `COFFER_REDEFINE_ROUNDS` and `COFFER_REDEFINE_CUTS` set the number of
//! rounds, of which the latter end with the power; `COFFER_SEED` repeats a run's random choices.

mod damaged;
mod state;

use std::{collections::BTreeMap, path::Path, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use state::{Field, Found, Model, Step, read};
use tokio::time::sleep;

use crate::{
    kill::assert_sound,
    power_cut_disk::Disk,
    random::{Random, seed},
    support::{
        ADMIN, Client,
        server::{Server, serve},
        text,
    },
};

const ADDRESS: &str = "/api/collections/things/";
const UNLIMITED: &[&str] = &["--rate-limit", "off"];

/// What the collection may be: one thing, or several while something is not answered.
struct World {
    random: Random,
    may_be: Vec<Model>,
    next: u64,
    /// The last change of the definition that can be undone, and how.
    undo: Option<(String, Step)>,
    definitions: u64,
    compared: u64,
    /// What was done and how it was answered, for who reads a failure.
    done: Vec<String>,
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

    fn pick_box(&mut self) -> Option<String> {
        let count = self.model().boxes.len();
        let place = (count > 0).then(|| self.random.below(count))?;
        self.model().boxes.iter().nth(place).cloned()
    }

    /// What to do next.
    fn step(&mut self) -> Option<Step> {
        if self.model().is_gone {
            return Some(Step::Undelete);
        }
        let number = json!(self.random.below(1000));
        match self.random.below(24) {
            0..6 => {
                let fields = self.model().fields.values().map(|field| field.name.clone()).collect::<Vec<_>>();
                let mut values: BTreeMap<_, _> =
                    fields.into_iter().map(|name| (name, json!(self.random.below(1000)))).collect();
                if self.random.one_in(4) {
                    values.insert("box".to_owned(), json!(self.pick_box()));
                }
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
            20 => Some(Step::DeleteAll),
            21 => Some(Step::DeleteBox(self.pick_box()?)),
            22 if self.random.one_in(3) => Some(Step::Trim),
            18 | 19 | 23 => {
                let (_, step) = self.undo.clone()?;
                let is_there = |id: &u64| self.model().fields.contains_key(id);
                match &step {
                    Step::Undrop(id, ..) => (!is_there(id)).then_some(step),
                    Step::ToInteger(id) => (is_there(id) && self.model().fields[id].is_text).then_some(step),
                    Step::Rename(id, name) => {
                        let is_free = self.model().fields.values().all(|field| field.name != *name);
                        (is_there(id) && is_free).then_some(step)
                    }
                    Step::Rebox(_) => Some(step),
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
        if let Some((operation, undo)) = &self.undo
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
            Step::DeleteAll => (Method::DELETE, ADDRESS.to_owned(), Value::Null, true),
            // It goes also while a definition is being changed.
            Step::DeleteBox(id) => (Method::DELETE, format!("/api/records/boxes/{id}/"), Value::Null, false),
            Step::Trim => (Method::POST, "/api/changes/trim/".to_owned(), json!({"older_than": "1s"}), true),
            Step::Undrop(..) | Step::ToInteger(_) | Step::Rebox(_) | Step::Undelete => {
                unreachable!("they are undone by their operation")
            }
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
            Step::DeleteBox(id) => Some(Step::Rebox(id.clone())),
            Step::DeleteAll => Some(Step::Undelete),
            _ => None,
        }
    }

    /// Finds out by what the collection was deleted, where the answer did not say so. A journal that was not read to its end says nothing: the
    /// last deletion in the part that was read may be an earlier one.
    async fn find_deletion(&mut self, admin: &Client) -> Option<()> {
        let mut next = "/api/changes/".to_owned();
        let mut found = None;
        loop {
            let answer = admin.request(Method::GET, &next).send().await.ok()?;
            let page: Value = serde_json::from_slice(&answer.bytes().await.ok()?).ok()?;
            for change in page["results"].as_array()? {
                if change["subject"] == "collection" && change["action"] == "delete" {
                    found = Some((text(change, "operation"), Step::Undelete));
                }
            }
            match page["next"].as_str() {
                Some(address) => next = address.strip_prefix(&admin.base)?.to_owned(),
                None => break,
            }
        }
        self.undo = Some(found?);
        Some(())
    }

    /// Works until something is not answered, or so many things were done.
    async fn work(&mut self, admin: &Client, steps: usize) {
        let mut done = 0;
        while done < steps {
            let Some(step) = self.step() else { continue };
            if matches!(step, Step::Undelete) && !matches!(self.undo, Some((_, Step::Undelete))) {
                if self.may_be.len() > 1 {
                    self.settle(admin).await;
                }
                if self.may_be.len() > 1 || self.model().is_gone && self.find_deletion(admin).await.is_none() {
                    return;
                }
                continue;
            }
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
            let undoing = self.undoing(&step);
            let Ok(answer) = answer else { return self.unanswered(&step) };
            self.done.push(format!("{} {}", answer.status().as_u16(), step.short()));
            let (status, operation) = (answer.status().as_u16(), answer.headers().get("operation").cloned());
            let Ok(said) = answer.bytes().await else { return self.unanswered(&step) };
            let said: Value = serde_json::from_slice(&said).unwrap_or_default();
            match status {
                200 | 201 | 204 => {
                    let made = said["id"].as_str();
                    for model in &mut self.may_be {
                        model.apply(&step, made);
                    }
                }
                // It is gone, or its entries are, and what is left of it is nobody's matter.
                202 if matches!(step, Step::DeleteAll | Step::Trim) => {
                    for model in &mut self.may_be {
                        model.apply(&step, None);
                    }
                }
                202 => {
                    self.perhaps(&step);
                }
                // The collection is gone in one of the things that may be, or the record with its box.
                404 if !defines && self.may_be.len() > 1 => continue,
                // What was deleted is still being removed.
                409 if said["code"] == "removal_under_way" => {
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
                // One of before is still being made.
                409 if said["code"] == "change_under_way" => continue,
                // Or so many were made that what follows from them is still being done.
                409 if said["detail"].as_str().is_some_and(|detail| detail.contains("operations are under way")) => {
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
                // Nobody knows yet whether there is a field of this name: its change was not answered, or goes on in the background.
                400 if !defines
                    && self.may_be.len() > 1
                    && said["errors"].to_string().contains(r#""code":"unknown""#) =>
                {
                    continue;
                }
                503 => return,
                status => {
                    let from = self.done.len().saturating_sub(60);
                    let may_be: Vec<_> = self.may_be.iter().map(|model| &model.fields).collect();
                    eprintln!("done:\n{}\nmay be {may_be:?}", self.done[from..].join("\n"));
                    panic!("{step:?} was answered with {status}: {said}")
                }
            }
            self.definitions += u64::from(defines);
            done += 1;
            // What comes back is as it was when it went: that is known where nothing else was defined since.
            if defines || undoing.is_some() {
                self.undo = undoing.and_then(|undo| Some((operation?.to_str().unwrap().to_owned(), undo)));
            }
            if matches!(step, Step::Undelete) {
                self.settle(admin).await;
            }
        }
    }

    /// Something may have been done, and then what was done before it cannot be undone alone.
    fn unanswered(&mut self, step: &Step) {
        self.perhaps(step);
        self.undo = None;
    }

    /// Something may have been done, or will be.
    fn perhaps(&mut self, step: &Step) {
        self.done.push(format!("perhaps {}", step.short()));
        let mut done = self.may_be.clone();
        for model in &mut done {
            model.apply(step, None);
        }
        self.may_be.extend(done);
    }

    /// Prints what was done, and what differs from each thing that it may be.
    async fn tell(&self, admin: &Client, found: &Found) {
        let from = self.done.len().saturating_sub(400);
        eprintln!("done:\n{}", self.done[from..].join("\n"));
        for model in &self.may_be {
            let (differing, said) = model.differences(found);
            eprintln!("may be {:?}, {} records:\n{said}", model.fields, model.records.len());
            for id in differing.iter().take(2) {
                let address = format!("/api/records/things/{id}/history/");
                let Ok(answer) = admin.request(Method::GET, &address).send().await else { continue };
                eprintln!("history of {id}: {}", answer.text().await.unwrap_or_default());
            }
        }
    }

    /// Waits for what is being made, and finds what became of it.
    async fn settle(&mut self, admin: &Client) {
        loop {
            let request = admin.request(Method::GET, "/api/operations/?page_size=100").send().await;
            let Ok(answer) = request else { return };
            let Ok(said) = answer.bytes().await else { return };
            let said: Value = serde_json::from_slice(&said).unwrap();
            let results = said["results"].as_array().unwrap();
            if results
                .iter()
                .all(|operation| !["running", "waiting", "stopping"].contains(&operation["state"].as_str().unwrap()))
            {
                break;
            }
            sleep(Duration::from_millis(5)).await;
        }
        let Some(found) = read(admin).await else { return };
        let Some(model) = self.may_be.iter_mut().find(|model| model.is_same(&found)) else {
            self.tell(admin, &found).await;
            panic!("it is none of {} things that it may be", self.may_be.len());
        };
        model.learn(&found);
        let model = model.clone();
        self.compared += found.records.len() as u64;
        if !model.is_gone {
            // It is back, whether or not that was answered.
            self.undo.take_if(|(_, undo)| matches!(undo, Step::Undelete));
        }
        self.may_be = vec![model];
    }
}

/// How many rounds a variable says, or so many.
fn rounds(variable: &str, usual: u32) -> u32 {
    std::env::var(variable).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_change_under_writes_and_kills_and_every_record_is_as_the_model_has_it() {
    change_and_end("redefine", rounds("COFFER_REDEFINE_ROUNDS", 4), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_change_while_the_power_goes_and_every_record_is_as_the_model_has_it() {
    change_and_end("redefine, cut", rounds("COFFER_REDEFINE_CUTS", 2), Some(&Disk::new())).await;
}

fn start(data: &Path, disk: Option<&Disk>) -> Server {
    let mut command = serve(data, UNLIMITED);
    if let Some(disk) = disk {
        disk.watch(&mut command);
    }
    Server::spawn(data, &mut command)
}

/// Changes definitions and records until the server is killed, and compares what there is then: again and again. With a disk, what was not
/// synced is lost each time.
async fn change_and_end(what: &str, rounds: u32, disk: Option<&Disk>) {
    let mut random = Random::new(seed(what));
    let dir = tempfile::tempdir().unwrap();
    let data = disk.map_or_else(|| dir.path().join("data"), Disk::data);
    let mut server = start(&data, disk);
    let admin = server.set_up().await;
    let own = Random::new(random.next());
    let may_be = vec![furnish(&admin).await];
    let mut world = World { random: own, may_be, next: 1, undo: None, definitions: 0, compared: 0, done: Vec::new() };
    for round in 0..rounds {
        let life = Duration::from_millis(300 + random.below(1200) as u64);
        let admin = server.sign_in(ADMIN).await;
        let working = tokio::spawn(async move {
            world.work(&admin, usize::MAX).await;
            world
        });
        sleep(life).await;
        drop(server);
        world = working.await.expect("what is answered is what is expected");
        if let Some(disk) = disk {
            let torn = random.one_in(2);
            disk.forget(&mut random, torn);
        }
        if random.one_in(2) {
            assert_sound(&data);
            damaged::assert_whole_or_refused(&mut random, &data);
        }
        server = start(&data, disk);
        world.settle(&server.sign_in(ADMIN).await).await;
        assert_eq!(world.may_be.len(), 1, "it is known what there is");
        eprintln!("round {round}, after {life:?}: {} definitions changed", world.definitions);
        world.done.push(format!("round {round} ended"));
    }
    // However slow the machine is, something was done, and there is something to compare.
    let admin = server.sign_in(ADMIN).await;
    while world.definitions == 0 || world.model().is_gone {
        world.work(&admin, 1).await;
    }
    world.settle(&admin).await;
    server.stop();
    assert_sound(&data);
    eprintln!(
        "{what}: {rounds} rounds, {} definitions changed, {} records compared",
        world.definitions, world.compared
    );
    assert!(world.definitions > 0 && world.compared > 0);
}

/// A collection of more records than one commit deletes, some of them in boxes.
async fn furnish(admin: &Client) -> Model {
    admin.collection("boxes", json!([{"name": "name", "type": "text"}])).await;
    let first = json!({"name": "f1", "type": "integer", "nullable": true});
    let in_box =
        json!({"name": "box", "type": "reference", "collection": "boxes", "on_delete": "cascade", "nullable": true});
    admin.collection("things", json!([first, in_box])).await;
    let fields = BTreeMap::from([(1, Field { name: "f1".to_owned(), is_text: false })]);
    let mut model = Model { fields, order: vec![1], ..Model::default() };
    for _ in 0..3 {
        model.boxes.insert(text(&admin.record("boxes", json!({"name": "a box"})).await, "id"));
    }
    let boxes: Vec<String> = model.boxes.iter().cloned().collect();
    for start in [0, 600] {
        let row = |n: usize| json!({"f1": n, "box": boxes.get(n % 8)});
        let rows: Vec<Value> = (start..start + 600).map(row).collect();
        for made in admin.post("/api/records/things/", &json!(rows)).await.is(201).as_array().unwrap() {
            model.apply(&Step::Create(made.clone()), made["id"].as_str());
        }
    }
    model
}
