//! Which column of a file is which member of a record: by the field's name, a former one, or its label, however it is spelt; or as the caller says.

use common::{
    collection::Collection,
    field::{Field, FieldType},
    import::{ColumnAs, REJECTED_HEADINGS},
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

/// What the headings of a file mean. One that means nothing is refused, unless it is mapped or all its cells would be passed over anyway.
pub(super) fn read(
    collection: &Collection,
    headings: &[String],
    map: &[(String, Option<String>)],
) -> Result<(Vec<Target>, Vec<ColumnAs>), FieldErrors> {
    let (mut errors, mut targets, mut columns) = (FieldErrors::new(), Vec::new(), Vec::new());
    let wrong = |message: String| FieldError::new("unknown", message);
    for (heading, _) in map {
        if !headings.iter().any(|known| known.trim() == heading) {
            errors.push("map", wrong(format!("The file has no heading \"{}\".", single_line(heading))));
        }
    }
    for (i, heading) in headings.iter().enumerate() {
        let mapped = map.iter().find(|(known, _)| known == heading.trim());
        let shown = if heading.trim().is_empty() { format!("column {}", i + 1) } else { heading.trim().to_owned() };
        let found = match mapped {
            Some((_, None)) => Some(Target::Nothing),
            Some((_, Some(member))) => target(collection, member),
            None if REJECTED_HEADINGS.contains(&heading.trim()) => Some(Target::Nothing),
            // A column without a heading is looked at when something stands in it.
            None if heading.trim().is_empty() => Some(Target::Nothing),
            None => target(collection, heading),
        };
        let Some(found) = found else {
            let message = match mapped.and_then(|(_, member)| member.as_deref()) {
                Some(member) => format!("There is no field \"{}\".", single_line(member)),
                None => "There is no field of this name or label. Map the heading to one, or to nothing.".to_owned(),
            };
            errors.push(shown, wrong(message));
            continue;
        };
        if found != Target::Nothing && targets.contains(&found) {
            errors.push(shown, wrong("Another column is this field too. Map one of the two to nothing.".to_owned()));
            continue;
        }
        columns.push(ColumnAs { heading: heading.trim().to_owned(), member: found.heading() });
        targets.push(found);
    }
    errors.or((targets, columns))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            read(&collection, &headings, &map)
                .map(|(targets, _)| targets.iter().map(Target::heading).collect::<Vec<_>>())
        };
        let named = |names: &[&str]| names.iter().map(|name| Some((*name).to_owned())).collect::<Vec<_>>();
        assert_eq!(of(&["Unit price", " WORD "], &[]).unwrap(), named(&["unit_price", "word"]));
        assert_eq!(of(&["cost", "Maker.Name"], &[]).unwrap(), named(&["unit_price", "maker.name"]));
        assert_eq!(
            of(&["maker=code", "owner.username", "ID"], &[]).unwrap(),
            named(&["maker.code", "owner.username", "id"])
        );
        assert_eq!(of(&["maker.id", "owner.id"], &[]).unwrap(), named(&["maker", "owner"]));
        let mapped = of(&["Wort", "x", "_row", ""], &[("Wort", Some("word")), ("x", None)]).unwrap();
        assert_eq!(mapped, [Some("word".to_owned()), None, None, None]);
        for (headings, map, place) in [
            (&["Wort"][..], &[][..], "Wort"),
            (&["word", "Word"], &[], "Word"),
            (&["word"], &[("Wort", Some("word"))], "map"),
            (&["Wort"], &[("Wort", Some("nothing"))], "Wort"),
            (&["word.x"], &[], "word.x"),
        ] {
            assert!(of(headings, map).unwrap_err().0.contains_key(place), "{headings:?}");
        }
    }
}
