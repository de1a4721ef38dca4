//! Real words: `WordNet`'s synonyms and antonyms as two collections, loaded over the API, paged, sorted, filtered and joined,
//! and compared with the same done to the two maps.

use std::{
    collections::{BTreeMap, HashMap},
    env, fs,
    path::PathBuf,
};

use serde_json::{Value, json};

use crate::support::{Client, Coffer, text};

/// Words with a synonym that are loaded.
const SYNONYMS: usize = 12_000;

/// One synset: its words, and its antonym pointers as (own word, file, offset, their word), words counted from 0.
struct Synset {
    words: Vec<String>,
    antonyms: Vec<(usize, char, String, usize)>,
}

/// Reads `data.<part>` as `wndb(5WN)` says.
fn read(part: &str) -> HashMap<String, Synset> {
    let folder = PathBuf::from(env::var_os("E2E_WORDNET").expect("run through cargo xtask test"));
    let file = fs::read_to_string(folder.join(format!("data.{part}"))).unwrap();
    let mut synsets = HashMap::new();
    for line in file.lines().filter(|line| !line.starts_with("  ")) {
        let mut fields = line.split(' ');
        let offset = fields.next().unwrap().to_owned();
        let count = usize::from_str_radix(fields.nth(2).unwrap(), 16).unwrap();
        let words = (0..count).map(|_| {
            let word = fields.next().unwrap();
            fields.next().unwrap();
            // An adjective's place stands behind it in brackets.
            word.split('(').next().unwrap().replace('_', " ")
        });
        let words = words.collect();
        let pointers: usize = fields.next().unwrap().parse().unwrap();
        let mut antonyms = Vec::new();
        for _ in 0..pointers {
            let [symbol, target, file, which] = [(); 4].map(|()| fields.next().unwrap());
            if symbol == "!" {
                let [own, their] = [&which[..2], &which[2..]].map(|n| usize::from_str_radix(n, 16).unwrap() - 1);
                antonyms.push((own, file.chars().next().unwrap(), target.to_owned(), their));
            }
        }
        synsets.insert(offset, Synset { words, antonyms });
    }
    synsets
}

/// A synonym and an antonym for each word that has one; where it has several, the first in the alphabet.
fn maps() -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let parts: HashMap<char, _> =
        [('n', "noun"), ('v', "verb"), ('a', "adj"), ('r', "adv")].map(|(letter, part)| (letter, read(part))).into();
    let (mut synonyms, mut antonyms) = (BTreeMap::new(), BTreeMap::new());
    let keep = |map: &mut BTreeMap<String, String>, word: &String, other: &String| {
        let known = map.entry(word.clone()).or_insert_with(|| other.clone());
        if other < known {
            known.clone_from(other);
        }
    };
    for synset in parts.values().flat_map(HashMap::values) {
        for word in &synset.words {
            for other in synset.words.iter().filter(|other| *other != word) {
                keep(&mut synonyms, word, other);
            }
        }
        for (own, file, offset, their) in &synset.antonyms {
            // A satellite's file is the adjectives'.
            let file = if *file == 's' { 'a' } else { *file };
            keep(&mut antonyms, &synset.words[*own], &parts[&file][offset].words[*their]);
        }
    }
    (synonyms, antonyms)
}

async fn load(admin: &Client, collection: &str, member: &str, map: &BTreeMap<String, String>) {
    let fields = json!([
        {"name": "word", "type": "text", "required": true, "unique": true, "indexed": true},
        {"name": member, "type": "text", "required": true},
    ]);
    admin.collection(collection, fields).await;
    // In an order that is not the alphabet's.
    let mut rows: Vec<Value> = map.iter().map(|(word, other)| json!({"word": word, member: other})).collect();
    rows.sort_by_key(|row| text(row, "word").chars().rev().collect::<String>());
    for chunk in rows.chunks(1000) {
        let made = admin.post(&format!("/api/records/{collection}/"), &json!(chunk)).await.is(201);
        assert_eq!(made.as_array().unwrap().len(), chunk.len());
    }
}

/// Every row of a list, page after page.
async fn all(client: &Client, path: &str, pages: usize) -> Vec<Value> {
    let (mut rows, mut next, mut read) = (Vec::new(), Some(path.to_owned()), 0);
    while let Some(path) = next {
        let page = client.get(&path).await.is(200);
        rows.extend(page["results"].as_array().unwrap().clone());
        next = page["next"].as_str().map(|link| link.strip_prefix(&client.base).unwrap().to_owned());
        read += 1;
    }
    assert_eq!(read, pages);
    rows
}

#[tokio::test]
async fn words_are_loaded_paged_sorted_filtered_and_joined() {
    let (all_synonyms, antonyms) = maps();
    let step = all_synonyms.len() / SYNONYMS;
    let synonyms: BTreeMap<String, String> = all_synonyms
        .iter()
        .enumerate()
        .filter(|(n, (word, _))| n % step == 0 || antonyms.contains_key(*word))
        .map(|(_, (word, synonym))| (word.clone(), synonym.clone()))
        .collect();
    assert!(synonyms.len() > 10_000 && antonyms.len() > 5_000, "{} and {}", synonyms.len(), antonyms.len());
    let (_coffer, admin) = Coffer::with_admin().await;
    load(&admin, "synonyms", "synonym", &synonyms).await;
    load(&admin, "antonyms", "antonym", &antonyms).await;
    for (name, map) in [("synonyms", &synonyms), ("antonyms", &antonyms)] {
        assert_eq!(admin.get(&format!("/api/collections/{name}/")).await.is(200)["count"], map.len());
    }

    // Sorted by an index, and joined: the same rows as the plain left join of the two maps.
    let right: HashMap<String, String> = antonyms.clone().into_iter().collect();
    let expected: Vec<(String, String, Option<String>)> = common::left_join(synonyms.clone(), &right)
        .map(|(word, other, antonym)| (word, other, antonym.cloned()))
        .collect();
    let rows = all(
        &admin,
        "/api/records/synonyms/?ordering=word&page_size=200&left_join=antonyms:word=word",
        synonyms.len().div_ceil(200),
    )
    .await;
    let joined: Vec<(String, String, Option<String>)> = rows
        .iter()
        .map(|row| {
            let antonym = row["antonyms"].as_array().map(|rows| {
                assert_eq!((rows.len(), &rows[0]["word"]), (1, &row["word"]));
                text(&rows[0], "antonym")
            });
            (text(row, "word"), text(row, "synonym"), antonym)
        })
        .collect();
    assert!(joined == expected, "the joined rows are not the maps'");
    assert!(
        joined.iter().any(|(.., antonym)| antonym.is_some()) && joined.iter().any(|(.., antonym)| antonym.is_none())
    );

    // By a field without an index, backward; ties are in the reverse order of creation.
    let mut by_synonym: Vec<&String> = synonyms.values().collect();
    by_synonym.sort_unstable_by(|a, b| b.cmp(a));
    let first = admin.get("/api/records/synonyms/?ordering=-synonym&page_size=200&fields=synonym").await.is(200);
    let listed: Vec<String> = first["results"].as_array().unwrap().iter().map(|row| text(row, "synonym")).collect();
    assert!(listed.iter().eq(by_synonym[..200].iter().copied()));

    for (query, holds) in [
        ("word__startswith=un", (|word, _| word.starts_with("un")) as fn(&str, &str) -> bool),
        ("synonym__contains=-", |_, synonym| synonym.contains('-')),
        ("word__gte=m&word__lt=n", |word, _| ("m".."n").contains(&word)),
        ("word__endswith=ness&synonym__endswith=ness", |word, synonym| {
            word.ends_with("ness") && synonym.ends_with("ness")
        }),
        ("word__icontains=NEW+", |word, _| word.to_lowercase().contains("new")),
    ] {
        let expected = synonyms.iter().filter(|(word, synonym)| holds(word, synonym)).count();
        assert!(expected > 0, "{query} finds nothing");
        let page = admin.get(&format!("/api/records/synonyms/?page_size=1&{query}")).await.is(200);
        assert_eq!(page["count"], expected, "{query}");
    }
    for word in synonyms.keys().step_by(1500) {
        let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("word", word).finish();
        assert_eq!(admin.column(&format!("/api/records/synonyms/?{query}"), "synonym").await, [json!(synonyms[word])]);
    }
}
