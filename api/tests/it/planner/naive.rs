//! What a query asks for, by a way that knows nothing of the server: each condition is asked of each record in turn, and what is left is
//! sorted. Beside each condition stands how it is written as parameters and in the language of `filter=`.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::{Value, json};

use super::Random;

/// Makers, and the countries that these refer to.
const MAKERS: usize = 14;
const COUNTRIES: usize = 5;
/// Words of the texts that are searched.
const WORDS: [&str; 12] =
    ["gold", "golden", "river", "rivers", "sea", "seal", "moon", "moonlight", "über", "ärger", "stone", "st"];

/// Records of all collections as they were sent and made, each by its id.
pub(super) struct World {
    pub makers: Vec<Value>,
    pub rows: Vec<Value>,
    by_id: BTreeMap<String, Value>,
}

/// A field's name and type; the first ones are one's own, the others are what references lead to.
const PATHS: [(&str, &str); 15] = [
    ("n", "integer"),
    ("d", "decimal"),
    ("t", "text"),
    ("b", "boolean"),
    ("day", "date"),
    ("k", "choice"),
    ("u", "text"),
    ("m.name", "text"),
    ("m.rank", "integer"),
    ("m.c.code", "text"),
    ("m.c.size", "integer"),
    ("ms.name", "text"),
    ("ms.rank", "integer"),
    ("m", "reference"),
    ("ms", "references"),
];

/// A condition.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Is(&'static str, Asked),
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Compares(&'static str, Value),
    In(Vec<Value>),
    Between(Value, Value),
    Null(bool),
    Contains(String),
    Begins(String),
    /// Whatever its case.
    Same(String),
}

fn kind_of(path: &str) -> &'static str {
    PATHS.iter().find(|(name, _)| *name == path).unwrap().1
}

/// A value of a type, as records have it.
pub(super) fn value(random: &mut Random, kind: &str, world: Option<&World>) -> Value {
    match kind {
        "integer" => json!(i64::try_from(random.below(24)).unwrap() - 3),
        "decimal" => json!(format!("{}.{}", random.below(9), random.pick(&["00", "50", "25"]))),
        "text" => json!(*random.pick(&["", "a", "ab", "abc", "b", "B", "ä", "m1", "m3", "m12", "IS", "DE", "zz top"])),
        "boolean" => json!(random.chance(50)),
        "date" => {
            json!(format!("{}-{:02}-{:02}", 2021 + random.below(3), 1 + random.below(12), 1 + random.below(28)))
        }
        "choice" => json!(*random.pick(&["sweet", "salty", "sour"])),
        _ => random.pick(&world.unwrap().makers)["id"].clone(),
    }
}

pub(super) fn words(random: &mut Random) -> String {
    (0..random.below(6)).map(|_| *random.pick(&WORDS)).collect::<Vec<_>>().join(", ")
}

pub(super) fn country(number: usize) -> Value {
    let code = ["IS", "DE", "IS", "FR", ""][number % COUNTRIES];
    json!({"code": if code.is_empty() { Value::Null } else { json!(code) }, "size": number % 3})
}

pub(super) fn countries() -> usize {
    COUNTRIES
}

pub(super) fn makers(random: &mut Random, countries: &[Value]) -> Vec<Value> {
    let maker = |random: &mut Random, i: usize| {
        let country = if random.chance(25) { Value::Null } else { random.pick(countries)["id"].clone() };
        let name = if random.chance(15) { Value::Null } else { json!(format!("m{}", i % 9)) };
        json!({"name": name, "rank": i % 4, "c": country})
    };
    (0..MAKERS).map(|i| maker(random, i)).collect()
}

pub(super) fn row(random: &mut Random, number: usize, makers: &[Value]) -> Value {
    let mut row = json!({"number": number, "w": words(random), "v": words(random), "ms": []});
    for (name, kind) in &PATHS[..6] {
        row[*name] = if random.chance(12) { Value::Null } else { value(random, kind, None) };
    }
    row["u"] = if random.chance(12) { Value::Null } else { json!(format!("{}{number}", random.pick(&["a", "B"]))) };
    // The last one is nobody's.
    let makers = &makers[..makers.len() - 1];
    row["m"] = if random.chance(15) { Value::Null } else { random.pick(makers)["id"].clone() };
    if random.chance(70) {
        let mut several: Vec<Value> = (0..random.below(4)).map(|_| random.pick(makers)["id"].clone()).collect();
        several.sort_by_key(Value::to_string);
        several.dedup();
        row["ms"] = several.into();
    }
    row
}

impl World {
    pub(super) fn new(countries: &[Value], makers: Vec<Value>, rows: Vec<Value>) -> Self {
        let all = countries.iter().chain(&makers);
        let by_id = all.map(|record| (record["id"].to_string(), record.clone())).collect();
        Self { makers, rows, by_id }
    }

    /// The values at the end of a path.
    pub(super) fn values(&self, row: &Value, path: &str) -> Vec<Value> {
        let mut at = vec![row.clone()];
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let is_last = steps.peek().is_none();
            let next = at.iter().map(|record| record[step].clone());
            if is_last {
                return next.collect();
            }
            let ids = next.flat_map(|value| match value {
                Value::Array(ids) => ids,
                Value::Null => Vec::new(),
                id => vec![id],
            });
            at = ids.filter_map(|id| self.by_id.get(&id.to_string()).cloned()).collect();
        }
        at
    }

    /// The rows for which a condition holds, and which have all words.
    pub(super) fn matching(&self, condition: Option<&Condition>, search: &str) -> Vec<&Value> {
        let has_words = |row: &&Value| {
            let text = format!("{} {}", row["w"].as_str().unwrap(), row["v"].as_str().unwrap()).to_lowercase();
            let words: Vec<&str> = text.split([' ', ',']).collect();
            search
                .to_lowercase()
                .split(' ')
                .filter(|word| !word.is_empty())
                .all(|sought| words.iter().any(|word| word.starts_with(sought)))
        };
        let holds = |row: &&Value| condition.is_none_or(|condition| self.holds(row, condition));
        self.rows.iter().filter(holds).filter(has_words).collect()
    }

    fn holds(&self, row: &Value, condition: &Condition) -> bool {
        match condition {
            Condition::All(inner) => inner.iter().all(|inner| self.holds(row, inner)),
            Condition::Any(inner) => inner.iter().any(|inner| self.holds(row, inner)),
            Condition::Not(inner) => !self.holds(row, inner),
            Condition::Is(path, asked) => self.is(row, path, asked),
        }
    }

    fn is(&self, row: &Value, path: &str, asked: &Asked) -> bool {
        let (kind, is_of_many) = (kind_of(path), path.starts_with("ms."));
        let mut values = self.values(row, path);
        if !is_of_many && values.is_empty() {
            values.push(Value::Null);
        }
        let equals = |value: &Value, with: &Value| match value {
            Value::Array(ids) => ids.contains(with),
            value => !value.is_null() && compare(kind, value, with).is_eq(),
        };
        let is_null = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        let any = |test: &dyn Fn(&Value) -> bool| values.iter().any(test);
        let ordered = |value: &Value, with: &Value| (!value.is_null()).then(|| compare(kind, value, with));
        match asked {
            Asked::Compares("=", with) => any(&|value| equals(value, with)),
            Asked::Compares("!=", with) => any(&|value| !is_null(value)) && !any(&|value| equals(value, with)),
            Asked::Compares(sign, with) => any(&|value| {
                ordered(value, with).is_some_and(|order| match *sign {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                })
            }),
            Asked::In(with) => with.iter().any(|with| any(&|value| equals(value, with))),
            Asked::Between(from, to) => any(&|value| {
                ordered(value, from).is_some_and(Ordering::is_ge) && ordered(value, to).is_some_and(Ordering::is_le)
            }),
            Asked::Null(true) => values.iter().all(is_null),
            Asked::Null(false) => any(&|value| !is_null(value)),
            Asked::Contains(part) => {
                any(&|value| value.as_str().is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase())))
            }
            Asked::Begins(part) => any(&|value| value.as_str().is_some_and(|text| text.starts_with(part.as_str()))),
            Asked::Same(text) => {
                any(&|value| value.as_str().is_some_and(|other| other.to_lowercase() == text.to_lowercase()))
            }
        }
    }

    /// Rows in an order: names, each with whether the largest comes first.
    pub(super) fn sort(&self, rows: &mut [&Value], ordering: &[(&'static str, bool)]) {
        let made = |name: &str| name == "id" || (name == "created_at" && self.rows[0]["id"].is_string());
        let by_id = ordering.iter().find(|(name, _)| made(name)).or(ordering.last());
        let ids_fall = by_id.is_some_and(|(_, falls)| *falls);
        let value = |row: &Value, name: &str| self.values(row, name).into_iter().next().unwrap_or(Value::Null);
        rows.sort_by(|a, b| {
            for (name, falls) in ordering {
                let kind = match *name {
                    "id" | "created_at" => "text",
                    name => kind_of(name),
                };
                let (a, b) = (value(a, name), value(b, name));
                let order = match (a.is_null(), b.is_null()) {
                    (true, true) => Ordering::Equal,
                    (true, false) => Ordering::Less,
                    (false, true) => Ordering::Greater,
                    _ => compare(kind, &a, &b),
                };
                if order.is_ne() {
                    return if *falls { order.reverse() } else { order };
                }
            }
            let order = compare("text", &a["id"], &b["id"]);
            if ids_fall { order.reverse() } else { order }
        });
    }
}

fn compare(kind: &str, a: &Value, b: &Value) -> Ordering {
    let cents = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_i64().cmp(&b.as_i64()),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ if kind == "decimal" => cents(a).cmp(&cents(b)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => a.to_string().cmp(&b.to_string()),
    }
}

/// A condition that is true for a part of the rows.
pub(super) fn condition(random: &mut Random, world: &World, depth: usize) -> Condition {
    let some =
        |random: &mut Random| (0..2 + random.below(2)).map(|_| condition(random, world, depth - 1)).collect::<Vec<_>>();
    match random.below(if depth == 0 { 1 } else { 5 }) {
        1 => Condition::All(some(random)),
        2 | 3 => Condition::Any(some(random)),
        4 => Condition::Not(Box::new(condition(random, world, depth - 1))),
        _ => one(random, world),
    }
}

/// One comparison.
pub(super) fn one(random: &mut Random, world: &World) -> Condition {
    let (path, kind) = *random.pick(&PATHS);
    if path == "u" {
        let known = random.pick(&world.rows)["u"].as_str().unwrap_or("a1").to_owned();
        let turned = if random.chance(50) { known.to_uppercase() } else { known.to_lowercase() };
        let asked = [Asked::Same(turned), Asked::Compares("=", known.into()), Asked::Null(random.chance(50))];
        return Condition::Is(path, random.pick(&asked).clone());
    }
    let known = |random: &mut Random| {
        let value = world.values(random.pick(&world.rows), path).into_iter().next().unwrap_or(Value::Null);
        if value.is_null() || value.is_array() || random.chance(20) {
            self::value(random, kind, Some(world))
        } else {
            value
        }
    };
    let signs: &[&'static str] = match kind {
        "boolean" | "choice" | "reference" => &["=", "!=", "in", "null"],
        "references" => &["=", "in", "null"],
        "text" => &["=", "!=", "<", ">=", "in", "null", "~", "startswith"],
        _ => &["=", "!=", "<", "<=", ">", ">=", "in", "between", "null"],
    };
    Condition::Is(
        path,
        match *random.pick(signs) {
            "null" => Asked::Null(random.chance(50)),
            "in" => Asked::In((0..=random.below(3)).map(|_| known(random)).collect()),
            // Written as two comparisons, of which different values of several may each fulfil one.
            "between" if path.starts_with("ms.") => Asked::Compares(">=", known(random)),
            "between" => Asked::Between(known(random), known(random)),
            "~" => Asked::Contains((*random.pick(&["a", "B", "m1", "s"])).to_owned()),
            "startswith" => Asked::Begins((*random.pick(&["a", "ab", "m1", "I"])).to_owned()),
            sign => Asked::Compares(sign, known(random)),
        },
    )
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Condition {
    /// It in the language of `filter=`.
    pub(super) fn written(&self) -> String {
        let joined = |inner: &[Self], word: &str| {
            format!("({})", inner.iter().map(Self::written).collect::<Vec<_>>().join(&format!(" {word} ")))
        };
        let quoted = |value: &Value| format!("\"{}\"", plain(value));
        match self {
            Self::All(inner) => joined(inner, "and"),
            Self::Any(inner) => joined(inner, "or"),
            Self::Not(inner) => format!("not ({})", inner.written()),
            Self::Is(path, asked) => match asked {
                Asked::Compares(sign, value) => format!("{path} {sign} {}", quoted(value)),
                Asked::In(values) => {
                    format!("{path} in ({})", values.iter().map(quoted).collect::<Vec<_>>().join(", "))
                }
                Asked::Between(from, to) => format!("({path} >= {} and {path} <= {})", quoted(from), quoted(to)),
                Asked::Null(is_null) => format!("{path} is {}null", if *is_null { "" } else { "not " }),
                Asked::Contains(part) => format!("{path} ~ \"{part}\""),
                Asked::Begins(part) => format!("{path} startswith \"{part}\""),
                Asked::Same(text) => format!("{path} iexact \"{text}\""),
            },
        }
    }

    /// It as a parameter, where it is one comparison that means the same there.
    pub(super) fn parameter(&self) -> Option<(String, String)> {
        let Self::Is(path, asked) = self else { return None };
        let list = |values: &[&Value]| {
            values.iter().map(|value| format!("\"{}\"", plain(value))).collect::<Vec<_>>().join(",")
        };
        let is_said = match asked {
            Asked::Compares(sign, _) => *sign != "!=",
            Asked::In(values) => values.iter().all(|value| value != ""),
            _ => true,
        };
        if !is_said {
            return None;
        }
        let (lookup, value) = match asked {
            Asked::Compares(sign, value) => {
                let lookup = match *sign {
                    "=" => "exact",
                    "<" => "lt",
                    "<=" => "lte",
                    ">" => "gt",
                    _ => "gte",
                };
                (lookup, plain(value))
            }
            Asked::In(values) => ("in", list(&values.iter().collect::<Vec<_>>())),
            Asked::Between(from, to) => ("range", list(&[from, to])),
            Asked::Null(is_null) => ("isnull", is_null.to_string()),
            Asked::Contains(part) => ("icontains", part.clone()),
            Asked::Begins(part) => ("startswith", part.clone()),
            Asked::Same(text) => ("iexact", text.clone()),
        };
        // An empty value asks for nothing there.
        (!value.is_empty() || lookup == "exact").then(|| (format!("{}__{lookup}", path.replace('.', "__")), value))
    }
}
