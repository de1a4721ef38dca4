//! Which column of a file is which member of a record: by the field's name, a former one, its label, however it is spelt, or the name that a guess makes of
//! the heading; or as the caller says.

use common::{
    collection::Collection,
    field::{Field, FieldType},
    import::{
        ColumnAs, REJECTED_HEADINGS,
        columns::{Called, find},
    },
    name::FieldName,
    problem::{FieldError, FieldErrors},
    text::{label, single_line},
};
use serde::{Deserialize, Serialize};

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// A member: a field by its name of today, or what the server sets.
    Member(String),
    /// What a reference leads to, by a member of the other record: `maker.name`; or the owner by name.
    Through(String, String),
    /// It is left out.
    Nothing,
}

impl Target {
    /// As a heading that means it.
    pub fn heading(&self) -> Option<String> {
        match self {
            Self::Member(name) => Some(name.clone()),
            Self::Through(name, by) => Some(format!("{name}.{by}")),
            Self::Nothing => None,
        }
    }

    /// The member.
    pub fn member(&self) -> Option<&str> {
        match self {
            Self::Member(name) | Self::Through(name, _) => Some(name),
            Self::Nothing => None,
        }
    }
}

/// What only the server sets, but for an admin's import.
const SERVER: [&str; 5] = ["id", "owner", "created_at", "updated_at", "revision"];

/// A name without what people write in different ways.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The field that a heading names.
fn field<'a>(collection: &'a Collection, heading: &str) -> Option<&'a Field> {
    let heading = heading.trim();
    let is_named = |field: &&Field| {
        let names = field.aliases.iter().map(FieldName::as_str).chain([field.name.as_str()]);
        let mut all = names.flat_map(|name| [folded(name), folded(&label(name))]);
        all.any(|name| !name.is_empty() && name == folded(heading))
    };
    collection.field(heading).or_else(|| collection.fields.iter().find(is_named))
}

/// What a heading means by itself.
fn target(collection: &Collection, heading: &str) -> Option<Target> {
    let heading = heading.trim();
    if let Some(field) = field(collection, heading) {
        return Some(Target::Member(field.name.to_string()));
    }
    let name = heading.to_ascii_lowercase();
    if SERVER.contains(&name.as_str()) {
        return Some(Target::Member(name));
    }
    let (begin, rest) = heading.split_once(['.', '=']).or_else(|| heading.split_once("__"))?;
    let rest = rest.trim().to_lowercase();
    if begin.trim().eq_ignore_ascii_case("owner") {
        return match rest.as_str() {
            "id" => Some(Target::Member("owner".to_owned())),
            "username" => Some(Target::Through("owner".to_owned(), rest)),
            _ => None,
        };
    }
    let field = field(collection, begin)?;
    let is_reference = matches!(field.kind, FieldType::Reference { .. });
    match rest.as_str() {
        _ if !is_reference => None,
        "id" => Some(Target::Member(field.name.to_string())),
        _ => Some(Target::Through(field.name.to_string(), rest)),
    }
}

/// What the columns of a file are.
#[derive(Debug, Default)]
pub(super) struct Understood {
    pub targets: Vec<Target>,
    /// The same, as it is told.
    pub columns: Vec<ColumnAs>,
    /// Those without a heading that nobody said anything of: nothing may stand in them but a count of the rows.
    pub unnamed: Vec<usize>,
}

/// What the columns of a file mean. One that means nothing is refused, unless it is mapped or all its cells would be passed over anyway.
pub(super) fn read(
    collection: &Collection,
    columns: &[Called],
    map: &[(String, Option<String>)],
) -> Result<Understood, FieldErrors> {
    let (mut errors, mut understood) = (FieldErrors::new(), Understood::default());
    let wrong = |message: String| FieldError::new("unknown", message);
    for (heading, _) in map {
        if find(columns, heading).is_none() {
            errors.push("map", wrong(format!("The file has no heading \"{}\".", single_line(heading))));
        }
    }
    for (i, column) in columns.iter().enumerate() {
        let mapped = map.iter().find(|(heading, _)| find(columns, heading) == Some(i));
        let is_free = |found: &Target| *found == Target::Nothing || !understood.targets.contains(found);
        // A file that a collection was made of goes into it by itself.
        let guessed = || Some(Target::Member(collection.field(&column.field)?.name.to_string()));
        let named = || target(collection, &column.heading);
        let found = match mapped {
            Some((_, None)) => Some(Target::Nothing),
            Some((_, Some(member))) => target(collection, member),
            None if REJECTED_HEADINGS.contains(&column.heading.as_str()) => Some(Target::Nothing),
            None if column.is_unnamed => guessed().filter(is_free).or(Some(Target::Nothing)),
            None if column.is_repeated => guessed().filter(is_free),
            None => named().filter(is_free).or_else(|| guessed().filter(is_free)).or_else(named),
        };
        let Some(found) = found else {
            let message = match mapped.and_then(|(_, member)| member.as_deref()) {
                Some(member) => format!("There is no field \"{}\".", single_line(member)),
                None if column.is_repeated => {
                    format!(
                        "Another column before it has the same heading. Map this one by its position: {}=field, or {}= to leave it out.",
                        column.heading, column.heading
                    )
                }
                None => "There is no field of this name or label. Map the heading to one, or to nothing.".to_owned(),
            };
            errors.push(column.heading.as_str(), wrong(message));
            continue;
        };
        if !is_free(&found) {
            let message = "Another column is this field too. Map one of the two to nothing.";
            errors.push(column.heading.as_str(), wrong(message.to_owned()));
            continue;
        }
        if mapped.is_none() && column.is_unnamed && found == Target::Nothing {
            understood.unnamed.push(i);
        }
        understood.columns.push(ColumnAs { heading: column.heading.clone(), member: found.heading() });
        understood.targets.push(found);
    }
    errors.or(understood)
}

/// Whether the cells of a column count rows, as programs do that write tables: whole numbers that rise.
#[derive(Debug, Default)]
pub(super) struct RowNumbers(Option<u64>);

impl RowNumbers {
    /// Whether the next cell goes on so.
    pub(super) fn go_on(&mut self, text: &str) -> bool {
        let text = text.trim();
        if text.is_empty() {
            return true;
        }
        let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
        let goes_on = number.is_some_and(|number| self.0.is_none_or(|last| number > last));
        if goes_on {
            self.0 = number;
        }
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use common::import::columns::Columns;

    use super::*;

    #[test]
    fn headings_are_matched_by_name_label_and_map() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "unit_price", "type": "decimal", "aliases": ["cost"]}, {"name": "word", "type": "text"},
                {"name": "maker", "type": "reference", "collection": "makers"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let of = |headings: &[&str], map: &[(&str, Option<&str>)]| {
            let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
            let map: Vec<_> = map.iter().map(|(a, b)| ((*a).to_owned(), b.map(str::to_owned))).collect();
            read(&collection, &Columns::of(&headings), &map)
                .map(|read| read.targets.iter().map(Target::heading).collect::<Vec<_>>())
        };
        let named = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
        assert_eq!(of(&["Unit price", " WORD "], &[]).unwrap(), named(&["unit_price", "word"]));
        assert_eq!(of(&["cost", "Maker.Name"], &[]).unwrap(), named(&["unit_price", "maker.name"]));
        assert_eq!(
            of(&["maker=code", "owner.username", "ID"], &[]).unwrap(),
            named(&["maker.code", "owner.username", "id"])
        );
        assert_eq!(of(&["maker.id", "owner.id"], &[]).unwrap(), named(&["maker", "owner"]));
        let by_position =
            of(&["", "word", "word", "x"], &[("#1", Some("maker")), ("#3", Some("unit_price")), ("#4", None)]);
        assert_eq!(by_position.unwrap(), [Some("maker".into()), Some("word".into()), Some("unit_price".into()), None]);
        let mapped = of(&["Wort", "x", "_row", ""], &[("Wort", Some("word")), ("x", None)]).unwrap();
        assert_eq!(mapped, [Some("word".to_owned()), None, None, None]);
        for (headings, map, place) in [
            (&["Wort"][..], &[][..], "Wort"),
            (&["word", "Word"], &[], "Word"),
            (&["word"], &[("Wort", Some("word"))], "map"),
            (&["Wort"], &[("Wort", Some("nothing"))], "Wort"),
            (&["word.x"], &[], "word.x"),
            (&["word", "word"], &[], "#2"),
            (&["#", "#word", "word"], &[("#", None)], "word"),
            (&["word"], &[("#2", Some("word"))], "map"),
            (&["", "word"], &[("#1", Some("word"))], "word"),
        ] {
            assert!(of(headings, map).unwrap_err().0.contains_key(place), "{headings:?}");
        }
    }

    #[test]
    fn a_collection_takes_the_file_that_it_was_made_of() {
        let fields = ["column_1", "a", "a_2", "groesse_cm", "a_3"].map(|name| json!({"name": name, "type": "text"}));
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "c", "created_at": "", "updated_at": "", "revision": 1,
            "fields": fields,
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let headings = ["", "a", "a", "Größe (cm)", "A", ""].map(str::to_owned);
        let read = read(&collection, &Columns::of(&headings), &[]).unwrap();
        let members: Vec<_> = read.targets.iter().map(|target| target.member().unwrap_or_default()).collect();
        assert_eq!(members, ["column_1", "a", "a_2", "groesse_cm", "a_3", ""]);
        assert_eq!(read.unnamed, [5]);
    }

    #[test]
    fn numbers_of_rows_rise() {
        for (cells, count) in
            [(&["1", "2", "3"][..], 3), (&["0", "", " 4"], 3), (&["1", "1", "2"], 2), (&["01", "x", "-1", "2"], 1)]
        {
            let mut numbers = RowNumbers::default();
            assert_eq!(cells.iter().filter(|cell| numbers.go_on(cell)).count(), count, "{cells:?}");
        }
    }
}
