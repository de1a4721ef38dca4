//! Cursors while others write: of every kind of ordering, rows whose value stays the same come once, forwards and backwards.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use super::*;

/// Rows that stay as they are ordered, and those that go here and there.
const STAYING: usize = 240;
const MOVING: usize = 60;
/// Rounds of writing that go on while a list is walked.
const WRITES: usize = 15;

/// Orderings: by an index from either end, by one over several fields, read side by side, by none, by what a reference leads to, as a search is
/// walked, and with conditions that are tested on the way.
const ORDERINGS: [(&str, &str); 13] = [
    ("", "records"),
    ("ordering=n", "an index"),
    ("ordering=-n", "an index from its end"),
    ("k=x&ordering=n", "an index over several fields"),
    ("ordering=-k,n", "an index over several fields from its end"),
    ("k__in=x,y&ordering=-n", "ranges side by side"),
    ("ordering=t", "no index"),
    ("ordering=-t,n", "no index"),
    ("ordering=m__name", "references"),
    ("ordering=-m__name", "references from their end"),
    ("ordering=m__name,n", "references that no index has in this order"),
    ("search=gold", "a search"),
    ("filter=t+!%3D+%22zz%22&ordering=n", "an index, and what is tested"),
];

fn staying(number: usize, makers: &[Value]) -> Value {
    let n = if number.is_multiple_of(11) { Value::Null } else { json!(number * 7919 % 10) };
    let maker = if number.is_multiple_of(9) { &Value::Null } else { &makers[number % 7]["id"] };
    let text = ["a", "B", "c", "ä"][number % 4];
    json!({
        "n": n, "t": text, "k": if number.is_multiple_of(2) { "x" } else { "y" }, "m": maker, "w": "gold", "touched": 0,
    })
}

fn moving(number: usize, makers: &[Value]) -> Value {
    let row = staying(number, makers);
    json!({"n": number % 13, "t": format!("{}{}", ["a", "B", "c"][number % 3], number % 5), "k": row["k"], "m": makers[number % makers.len()]["id"], "w": "gold sea"})
}

async fn made(client: &Client, collection: &str, records: &[Value]) -> Vec<Value> {
    client.post(&format!("/api/records/{collection}/"), &json!(records)).await.is(201).as_array().unwrap().clone()
}

/// Changes what may change, until it is told to stop: rows come, go and move, and the staying ones are written without being moved.
async fn write(
    client: Client,
    makers: Vec<Value>,
    stays: Vec<Value>,
    mut moves: Vec<Value>,
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicUsize>,
) {
    let mut number = 0;
    while !stop.load(Relaxed) {
        number += 1;
        let stays = &stays[number * 31 % stays.len()];
        client.patch(&path("rows", stays), &json!({"touched": number})).await.is(200);
        let at = number * 17 % moves.len();
        if number.is_multiple_of(4) {
            client.delete(&path("rows", &moves[at])).await.is(204);
            moves[at] = client.record("rows", moving(number, &makers)).await;
        } else {
            client.patch(&path("rows", &moves[at]), &moving(number * 5, &makers)).await.is(200);
        }
        // The last makers have no staying rows: these may be called otherwise.
        let maker = &makers[7 + number % 3];
        client.patch(&path("makers", maker), &json!({"name": format!("m{}", number % 11)})).await.is(200);
        writes.fetch_add(1, Relaxed);
    }
}

/// How often each of the staying rows came.
fn count(pages: &[Vec<String>], stays: &[Value]) -> Vec<String> {
    let mut seen: BTreeMap<&String, usize> = BTreeMap::new();
    for id in pages.iter().flatten() {
        *seen.entry(id).or_default() += 1;
    }
    let times = |row: &Value| seen.get(&text(row, "id")).copied().unwrap_or(0);
    stays.iter().filter(|row| times(row) != 1).map(|row| format!("{} came {} times", row["id"], times(row))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_row_that_stays_comes_twice_or_is_lost_while_others_write() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text", "indexed": true, "max_length": 20}])).await;
    let fields = json!([
        {"name": "n", "type": "integer", "indexed": true, "nullable": true}, {"name": "t", "type": "text"},
        {"name": "k", "type": "text", "max_length": 9}, {"name": "w", "type": "text", "searchable": true}, {"name": "touched", "type": "integer"},
        {"name": "m", "type": "reference", "collection": "makers", "nullable": true},
    ]);
    let indexes = json!([{"fields": ["k", "n"]}, {"fields": ["k", "-n"]}]);
    admin.post("/api/collections/", &json!({"name": "rows", "fields": fields, "indexes": indexes})).await.is(201);
    let makers: Vec<Value> = (0..10).map(|number| json!({"name": format!("m{}", number % 5)})).collect();
    let makers = made(&admin, "makers", &makers).await;
    let stays: Vec<Value> = (0..STAYING).map(|number| staying(number, &makers)).collect();
    let moves: Vec<Value> = (0..MOVING).map(|number| moving(number, &makers)).collect();
    let (first, second) = stays.split_at(STAYING / 2);
    let mut stays = made(&admin, "rows", first).await;
    let moves = made(&admin, "rows", &moves).await;
    stays.extend(made(&admin, "rows", second).await);
    let (stop, writes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let others =
        tokio::spawn(write(admin.clone(), makers, stays.clone(), moves, Arc::clone(&stop), Arc::clone(&writes)));
    let mut faults = Vec::new();
    for (query, by) in ORDERINGS {
        let before = writes.load(Relaxed);
        let is_listed = |row: &Value| query.split('&').all(|part| part != "k=x" || row["k"] == "x");
        let stays: Vec<Value> = stays.iter().filter(|row| is_listed(row)).cloned().collect();
        // As often as it takes for others to write on the way.
        let mut is_first = true;
        while std::mem::take(&mut is_first) || writes.load(Relaxed) < before + WRITES {
            let mut at = Some(format!("{ROWS}?cursor=&page_size=17&{query}"));
            let (mut forwards, mut last) = (Vec::new(), String::new());
            while let Some(address) = at {
                let page = admin.get(&address).await.is(200);
                forwards.push(ids(&page));
                at = link(&admin, &page, "next");
                last = address;
            }
            faults.extend(count(&forwards, &stays).into_iter().map(|fault| format!("{query} (by {by}): {fault}")));
            // Back from the last page.
            let backwards = walk(&admin, last, "previous").await;
            let missing = count(&backwards, &stays);
            faults.extend(missing.into_iter().map(|fault| format!("{query} (by {by}, backwards): {fault}")));
        }
    }
    stop.store(true, Relaxed);
    others.await.unwrap();
    assert!(
        faults.is_empty(),
        "{} faults after {} writes: {:#?}",
        faults.len(),
        writes.load(Relaxed),
        &faults[..faults.len().min(12)]
    );
}
