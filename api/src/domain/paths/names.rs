//! The names that a published path has for members, where queries and bodies use them.

use std::collections::HashMap;

use common::{
    collection::Collection,
    field::{FieldType, Unique},
    published::{Member, Members, PathDefinition, Source},
    query::VIA,
};

use super::{
    directory::{Directory, SourcePath},
    projection::common_reference,
    stored::Step,
};

/// What a member of a body is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A field, or the owner.
    Field(String),
    /// A field that refers to a record: its id, or an object with one.
    Reference(String),
    /// A field that refers to a record, which is told by a unique field of its own.
    Unique {
        /// The field.
        field: String,
        /// The unique field of the record.
        by: String,
    },
    /// Nothing: it can only be read.
    ReadOnly,
}

/// The name that filters and orderings have inside for a published one, whatever lookup stands behind it.
pub fn internal(members: &Members, name: &str) -> Option<String> {
    if members.is_empty() {
        return Some(name.to_owned());
    }
    let parts: Vec<&str> = name.split("__").collect();
    let (mut at, mut used) = (members, 0);
    let base = loop {
        let member = at.get(parts.get(used)?)?;
        used += 1;
        match &member.source {
            Source::Path(path) => break path.clone(),
            Source::Members(inner) if parts.get(used).is_some_and(|part| inner.get(part).is_some()) => at = inner,
            Source::Members(inner) => break common_reference(inner)?,
        }
    };
    if base.contains(VIA) {
        return None;
    }
    // The id of what a reference refers to is the reference itself.
    let base = base.strip_suffix(".id").unwrap_or(&base).replace('.', "__");
    let rest = &parts[used..];
    Some(if rest.is_empty() { base } else { format!("{base}__{}", rest.join("__")) })
}

/// The published name of a member of the record, for faults that are told of it.
pub fn published<'a>(members: &'a Members, name: &'a str) -> &'a str {
    let is_of = |member: &Member| match &member.source {
        Source::Path(path) => path == name || path.split('.').next() == Some(name),
        Source::Members(inner) => common_reference(inner).is_some_and(|reference| reference == name),
    };
    let exact = members.0.iter().find(|member| matches!(&member.source, Source::Path(path) if path == name));
    exact.or_else(|| members.0.iter().find(|member| is_of(member))).map_or(name, |member| &member.name)
}

/// The published name of a parameter that a filter has inside, whatever lookup stands behind it.
pub fn published_parameter(members: &Members, name: &str) -> Option<String> {
    members.0.iter().find_map(|member| {
        let (published, base) = match &member.source {
            Source::Members(inner) => {
                if let Some(found) = published_parameter(inner, name) {
                    return Some(format!("{}__{found}", member.name));
                }
                (&member.name, common_reference(inner)?)
            }
            Source::Path(path) => (&member.name, path.strip_suffix(".id").unwrap_or(path).replace('.', "__")),
        };
        let rest = name.strip_prefix(&base);
        rest.filter(|rest| rest.is_empty() || rest.starts_with("__")).map(|rest| format!("{published}{rest}"))
    })
}

/// What each member of a body is written to; `None` where the members are those of the record.
pub(super) fn writes(
    directory: &Directory,
    collection: &Collection,
    definition: &PathDefinition,
) -> Option<HashMap<String, Write>> {
    if definition.members.is_empty() {
        let writable = definition.writable.as_ref()?;
        let names = collection.fields.iter().map(|field| field.name.to_string());
        let names = names.chain(["owner".to_owned()]);
        let read_only = names.filter(|name| !writable.contains(name)).map(|name| (name, Write::ReadOnly));
        return Some(read_only.collect());
    }
    let write = |member: &Member| {
        let is_named = definition.writable.as_ref().is_none_or(|names| names.contains(&member.name));
        let write = if is_named { write_to(directory, collection, &member.source) } else { None };
        (member.name.clone(), write.unwrap_or(Write::ReadOnly))
    };
    Some(definition.members.0.iter().map(write).collect())
}

/// What a member could be written to.
pub(super) fn write_to(directory: &Directory, collection: &Collection, source: &Source) -> Option<Write> {
    match source {
        Source::Members(members) => {
            let reference = common_reference(members)?;
            let field = collection.field(&reference)?;
            Some(Write::Reference(field.name.to_string()))
        }
        Source::Path(path) if path == "owner" => Some(Write::Field(path.clone())),
        Source::Path(path) => {
            let SourcePath { steps, end, .. } = directory.follow(collection, path).ok()?;
            let first = path.split('.').next()?.to_owned();
            match steps.as_slice() {
                [Step::Field(_)] => Some(Write::Field(first)),
                [Step::Field(_), Step::Field(_)] => {
                    let by = end.filter(|field| field.unique != Unique::No && !is_reference(&field.kind))?;
                    Some(Write::Unique { field: first, by: by.name.to_string() })
                }
                [Step::Field(_), Step::Server(name)] if name == "id" => Some(Write::Reference(first)),
                _ => None,
            }
        }
    }
}

const fn is_reference(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Reference { .. })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters_are_found_by_published_names() {
        let members = Members::read(json!(["id", {"pub_date": "created_at"}, {"author": "owner.username"},
            {"category": {"pk": "category.id", "title": "category.title"}}, {"writer": "owner"}]));
        let members = members.unwrap();
        for (name, due) in [
            ("pub_date__gte", Some("created_at__gte")),
            ("author", Some("owner__username")),
            ("category__title__in", Some("category__title__in")),
            ("category", Some("category")),
            ("category__pk", Some("category")),
            ("writer__username", Some("owner__username")),
            ("created_at", None),
            ("zzz", None),
        ] {
            assert_eq!(internal(&members, name).as_deref(), due, "{name}");
        }
        assert_eq!(published(&members, "created_at"), "pub_date");
        assert_eq!(published(&members, "owner"), "writer");
        assert_eq!(published(&members, "category"), "category");
        assert_eq!(published(&members, "other"), "other");
    }
}
