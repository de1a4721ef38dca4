//! What was probably meant by a name that a query has and a collection has not: the nearest one that would work.

use std::sync::Arc;

use common::{
    access::Caller,
    field::FieldType,
    name::{CollectionName, SERVER_MEMBERS},
    problem::FieldErrors,
    query::{Lookup, PARAMETERS},
};
use store::Snapshot;

use crate::domain::{
    core::Core,
    error::{Error, Result},
    schema::Schema,
};

/// What other servers call parameters that are here.
const SYNONYMS: [(&str, &[&str]); 7] = [
    ("ordering", &["sort", "order", "order_by", "orderby", "sort_by", "sortby"]),
    ("search", &["q", "query", "term"]),
    ("filter", &["where", "filters", "condition"]),
    ("fields", &["select", "only", "columns", "members"]),
    ("expand", &["include", "populate", "embed"]),
    ("page_size", &["per_page", "perpage", "size", "pagesize"]),
    ("offset", &["skip", "start", "from"]),
];
/// The same of lookups, and of what stands for an owner.
const SYNONYMS_OF_LOOKUPS: [(&str, &[&str]); 10] = [
    ("exact", &["eq", "equals", "is"]),
    ("ne", &["neq", "not", "noteq", "not_equals"]),
    ("gte", &["ge", "min", "after", "from"]),
    ("lte", &["le", "max", "before", "to"]),
    ("icontains", &["like", "ilike", "has", "match", "matches"]),
    ("startswith", &["starts_with", "begins", "beginswith", "prefix"]),
    ("endswith", &["ends_with", "suffix"]),
    ("range", &["between"]),
    ("isnull", &["null", "is_null", "none", "exists"]),
    ("username", &["name", "user", "login"]),
];
/// Parts of a date.
const OF_DATES: [&str; 7] = ["year", "month", "day", "week", "week_day", "quarter", "iso_year"];
/// Parts of a moment beside these.
const OF_MOMENTS: [&str; 5] = ["date", "time", "hour", "minute", "second"];

/// An outcome; where names in the query are unknown, with those that were probably meant.
pub async fn with_suggestions<T>(core: &Core, caller: &Caller, name: &CollectionName, outcome: Result<T>) -> Result<T> {
    let mut errors = match outcome {
        Err(Error::Invalid(errors)) => errors,
        outcome => return outcome,
    };
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    suggest(core, &snapshot, caller, &schema, &mut errors).await?;
    Err(errors.into())
}

async fn suggest(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    errors: &mut FieldErrors,
) -> Result<()> {
    for (parameter, errors) in &mut errors.0 {
        for error in errors {
            let Some(unknown) = Unknown::of(parameter, &error.code, &error.message) else { continue };
            if let Some(told) = told(core, snapshot, caller, schema, &unknown).await? {
                error.message = format!("{} {told}", error.message);
            }
        }
    }
    Ok(())
}

/// A name that is unknown.
struct Unknown {
    name: String,
    /// Of a parameter itself.
    is_parameter: bool,
    /// What stands between the names of a path.
    separator: &'static str,
    /// A path may stand there.
    is_path: bool,
}

impl Unknown {
    /// The name that an error says to be unknown.
    fn of(parameter: &str, code: &str, message: &str) -> Option<Self> {
        let is_path = parameter != "fields" && parameter != "left_join";
        let unknown = |name: &str, is_parameter, separator| {
            Some(Self { name: name.to_owned(), is_parameter, separator, is_path })
        };
        if code == "unknown" {
            return unknown(parameter, true, "__");
        }
        if let Some(named) = message.strip_prefix("There is no field \"") {
            return unknown(named.split('"').next()?, false, "__");
        }
        let named = message.strip_suffix(": There is no field of this name.")?;
        unknown(named.rsplit(' ').next()?, false, ".")
    }
}

/// What to say of a name that leads nowhere.
async fn told(
    core: &Core,
    snapshot: &Snapshot,
    caller: &Caller,
    schema: &Arc<Schema>,
    unknown: &Unknown,
) -> Result<Option<String>> {
    let Unknown { name: named, is_parameter, separator, is_path } = unknown;
    let (named, is_parameter) = (named.as_str(), *is_parameter);
    if is_parameter && named.contains(['<', '>', '!', '~']) {
        return Ok(Some("A condition with signs stands in filter, as in filter=price > 3.".to_owned()));
    }
    if let Some((field, way)) = named.split_once([' ', ':'])
        && matches!(way.to_lowercase().as_str(), "desc" | "asc")
    {
        let sign = if way.eq_ignore_ascii_case("desc") { "-" } else { "" };
        return Ok(Some(format!("Did you mean \"{sign}{field}\"?")));
    }
    // As others write them: title[contains], title.contains.
    let meant = named.replace('[', "__").replace(']', "").replace("__", ".").replace('.', separator);
    let mut at = Arc::clone(schema);
    let (mut before, mut rest) = (String::new(), meant.as_str());
    let told = |near: String| (near != named).then(|| format!("Did you mean \"{near}\"?"));
    loop {
        let (head, tail) = rest.split_once(*separator).map_or((rest, None), |(head, tail)| (head, Some(tail)));
        let tail_of = |tail: Option<&str>| tail.map_or_else(String::new, |tail| format!("{separator}{tail}"));
        let collection = &at.collection;
        let field = collection.field(head).cloned().or_else(|| collection.server_field(head));
        let Some(field) = field else {
            let fields = collection.fields.iter().map(|field| field.name.as_str()).chain(SERVER_MEMBERS);
            let is_first = is_parameter && before.is_empty();
            let synonym = SYNONYMS.iter().find(|(_, others)| is_first && others.contains(&head));
            let parameters = PARAMETERS.iter().copied().filter(|_| is_first && tail.is_none());
            let near = synonym.map(|(known, _)| *known).or_else(|| nearest(head, fields.chain(parameters)));
            return Ok(near.and_then(|near| told(format!("{before}{near}{}", tail_of(tail)))));
        };
        let Some(tail) = tail.filter(|_| *is_path) else {
            return Ok(tail.is_none().then(|| told(format!("{before}{head}"))).flatten());
        };
        let target = match &field.kind {
            FieldType::Reference { collection: Some(target), .. } => core.schemas.load(snapshot, target).await?,
            _ => None,
        };
        match target.filter(|target| target.is_visible(caller)) {
            Some(target) if !Lookup::WORDS.iter().any(|(word, _)| *word == tail) => {
                before = format!("{before}{head}{separator}");
                (at, rest) = (target, tail);
            }
            _ => {
                let mut words = words_of(&field.kind, is_parameter);
                words.extend((head == "owner").then_some("username"));
                let (first, more) = tail.split_once(*separator).map_or((tail, None), |(a, b)| (a, Some(b)));
                let synonym =
                    SYNONYMS_OF_LOOKUPS.iter().find(|(known, others)| words.contains(known) && others.contains(&first));
                let near = synonym.map(|(known, _)| *known).or_else(|| nearest(first, words.iter().copied()));
                if let Some(near) = near {
                    return Ok(told(format!("{before}{head}{separator}{near}{}", tail_of(more))));
                }
                return Ok(
                    (!words.is_empty()).then(|| format!("Behind \"{before}{head}\" may stand {}.", words.join(", ")))
                );
            }
        }
    }
}

/// What may stand behind the name of a field: lookups in parameters, and parts.
fn words_of(kind: &FieldType, is_parameter: bool) -> Vec<&'static str> {
    let lookups = Lookup::WORDS.into_iter().filter(|(_, lookup)| {
        let is_between = matches!(lookup, Lookup::Gt | Lookup::Gte | Lookup::Lt | Lookup::Lte | Lookup::Range);
        is_parameter && (kind.is_textual() || !lookup.is_textual()) && (kind.indexable() || !is_between)
    });
    let dates = OF_DATES.into_iter().filter(|_| matches!(kind, FieldType::Date | FieldType::Datetime));
    let moments = OF_MOMENTS.into_iter().filter(|_| matches!(kind, FieldType::Datetime));
    lookups.map(|(word, _)| word).chain(dates).chain(moments).collect()
}

/// The name that differs least from what was written, if that is by little.
fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    let most = 1 + written.chars().count() / 4;
    let near = known.map(|name| (distance(&written, name), name)).filter(|(distance, _)| *distance <= most.min(3));
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// How many letters are to be added, taken away, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_where_it_is_near() {
        let known = ["price", "title", "maker", "created_at", "ordering", "page"];
        for (written, wanted) in [
            ("prise", Some("price")),
            ("Price", Some("price")),
            ("titel", Some("title")),
            ("creatd_at", Some("created_at")),
            ("odering", Some("ordering")),
            ("zzz", None),
            ("cost", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known.into_iter()), wanted, "{written}");
        }
        assert_eq!(
            [("gtt", "gt"), ("ab", "ba"), ("", "abc"), ("same", "same")].map(|(a, b)| distance(a, b)),
            [1, 1, 3, 0]
        );
    }
}
