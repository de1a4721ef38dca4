//! The demo: three collections over real words and real snacks, and an admin to look at them with. It goes into an empty
//! store only, through the same functions that requests use.

use common::{
    access::Caller,
    clean::Manner,
    collection::Definition,
    endpoints::users::NewUser,
    name::CollectionName,
    reader::Body,
    record::{MAX_ARRAY, OneOrMany, Record},
};
use serde_json::{Value, json};

use super::{
    app::App,
    collections,
    error::{Error, Result},
    journal::Actor,
    records, schema, setup, users,
};

/// The demo admin's name.
pub const ADMIN: &str = "demo";
/// Somebody who is no admin, with a password that nobody knows: to look at, and to give one.
const READER: &str = "reader";

/// A line each: a word, its synonym, its antonym; a dash for none.
const WORDS: &str = include_str!("demo/words.txt");

/// Name, kind, price, kilocalories, vegan, note.
type Snack = (&'static str, &'static str, &'static str, u32, bool, &'static str);

const SNACKS: [Snack; 24] = [
    ("Popcorn", "salty", "2.50", 387, true, "Best while it is warm."),
    ("Pretzel", "salty", "1.20", 380, true, "The knot is older than the recipe."),
    ("Olives", "savoury", "3.80", 145, true, "Green, with the stones in."),
    ("Wasabi peas", "savoury", "2.90", 432, true, "One at a time."),
    ("Dark chocolate", "sweet", "3.40", 598, true, "70 % cocoa."),
    ("Milk chocolate", "sweet", "2.20", 535, false, ""),
    ("Rice cracker", "salty", "2.10", 387, true, ""),
    ("Baklava", "sweet", "4.60", 428, false, "Pistachio."),
    ("Halva", "sweet", "3.90", 469, true, "Sesame."),
    ("Churros", "sweet", "3.50", 447, false, "With a cup of chocolate."),
    ("Stroopwafel", "sweet", "1.80", 460, false, "Rest it on the rim of a hot cup."),
    ("Seaweed", "savoury", "2.60", 306, true, "Roasted sheets."),
    ("Dried mango", "sweet", "3.20", 319, true, ""),
    ("Pickled plum", "sour", "2.40", 97, true, "Umeboshi."),
    ("Sour gummies", "sour", "1.60", 355, false, ""),
    ("Lemon drops", "sour", "1.10", 390, true, ""),
    ("Peanuts", "salty", "1.50", 567, true, "Roasted, in the shell."),
    ("Almonds", "salty", "3.70", 579, true, ""),
    ("Crisps", "salty", "1.90", 536, true, "Salt and vinegar."),
    ("Nachos", "salty", "3.10", 497, true, ""),
    ("Cheese cubes", "savoury", "3.60", 402, false, "Old Gouda."),
    ("Biltong", "savoury", "5.20", 256, false, ""),
    ("Mochi", "sweet", "2.80", 240, true, "Red bean."),
    ("Turkish delight", "sweet", "3.30", 372, true, "Rose."),
];

/// Whether the store is empty, so that the demo may go in.
pub async fn fits(app: &App) -> Result<bool> {
    let snapshot = app.core().store.snapshot().await?;
    Ok(setup::required(&app.core().store).await? && schema::all(&snapshot).next().await?.is_none())
}

/// Fills an empty store and gives the demo admin's password.
pub async fn fill(app: &App) -> Result<String> {
    if !fits(app).await? {
        return Err(Error::Conflict(
            "the store is not empty, and the demo goes into an empty one only; choose another --data directory"
                .to_owned(),
        ));
    }
    let password = random_words(app);
    let admin =
        setup::first_admin(app, Actor::local(&Caller::Anonymous), ADMIN.parse().map_err(|_| invalid())?, &password)
            .await?;
    let caller = Caller::User { id: admin.id, is_admin: true, roles: Vec::new() };
    let reader = NewUser::new(READER.parse().map_err(|_| invalid())?, random_words(app));
    users::create(app, Actor::local(&caller), reader).await?;
    fill_words(app, &caller, "synonyms", "synonym", "Words, each with another of nearly the same meaning.", 1).await?;
    fill_words(app, &caller, "antonyms", "antonym", "Words, each with its opposite.", 2).await?;
    fill_snacks(app, &caller).await?;
    Ok(password)
}

fn invalid() -> Error {
    Error::internal("the demo does not fit its own collections")
}

/// Four words and two digits: easy to type, about 36 bits, behind the lock on guessing.
fn random_words(app: &App) -> String {
    let words: Vec<&str> = WORDS.lines().filter_map(|line| line.split(' ').next()).collect();
    let pick = || {
        let number = u32::from_be_bytes(app.auth().entropy.bytes::<4>()) as usize;
        words[number % words.len()]
    };
    format!("{}-{}-{}-{}-{:02}", pick(), pick(), pick(), pick(), app.auth().entropy.bytes::<1>()[0] % 100)
}

async fn define(app: &App, caller: &Caller, definition: Value) -> Result<CollectionName> {
    let definition = Definition::from_json(definition)?;
    Ok(collections::create(app.core(), caller, definition).await?.name)
}

async fn insert(app: &App, caller: &Caller, name: &CollectionName, rows: Vec<Value>) -> Result<()> {
    for rows in rows.chunks(MAX_ARRAY) {
        let rows = rows.iter().cloned().map(Record::from_json).collect::<std::result::Result<_, _>>()?;
        let by = Actor::local(caller);
        records::create(app.core(), by, name, OneOrMany::Many(rows), Manner::json(caller)).await?;
    }
    Ok(())
}

async fn fill_words(
    app: &App,
    caller: &Caller,
    name: &str,
    other: &str,
    description: &str,
    column: usize,
) -> Result<()> {
    let word =
        json!({"name": "word", "type": "text", "required": true, "unique": true, "indexed": true, "max_length": 60});
    let paired = json!({"name": other, "type": "text", "required": true, "indexed": true, "max_length": 60});
    let name = define(app, caller, json!({"name": name, "description": description, "fields": [word, paired]})).await?;
    let rows = WORDS.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split(' ').collect();
        let (word, paired) = (columns.first()?, columns.get(column)?);
        (*paired != "-").then(|| json!({"word": word, other: paired}))
    });
    insert(app, caller, &name, rows.collect()).await
}

async fn fill_snacks(app: &App, caller: &Caller) -> Result<()> {
    let definition = json!({
        "name": "snacks",
        "description": "Something to eat between meals.",
        "fields": [
            {"name": "title", "type": "text", "required": true, "unique": true, "indexed": true, "max_length": 200},
            {"name": "kind", "type": "choice", "choices": ["sweet", "salty", "sour", "savoury"], "required": true, "indexed": true},
            {"name": "price", "type": "decimal", "places": 2, "min": "0", "help": "For one portion."},
            {"name": "kilocalories", "type": "integer", "min": 0, "max": 10000, "help": "In 100 grams."},
            {"name": "vegan", "type": "boolean"},
            {"name": "note", "type": "text", "multiline": true, "max_length": 2000},
        ],
    });
    let name = define(app, caller, definition).await?;
    let rows = SNACKS.iter().map(|(title, kind, price, kilocalories, vegan, note)| {
        json!({"title": title, "kind": kind, "price": price, "kilocalories": kilocalories, "vegan": vegan, "note": note})
    });
    insert(app, caller, &name, rows.collect()).await
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::WORDS;

    #[test]
    fn every_line_has_a_word_of_its_own_with_two_others() {
        let mut seen = HashSet::new();
        for line in WORDS.lines() {
            let columns: Vec<&str> = line.split(' ').collect();
            assert_eq!(columns.len(), 3, "{line}");
            assert!(seen.insert(columns[0]), "{line}");
        }
    }
}
