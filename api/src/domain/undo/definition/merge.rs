//! A definition as it was before an operation, as far as nothing else changed it since.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    collection::{Collection, Definition},
    field::{Field, FieldType},
    id::FieldId,
    name::FieldName,
    undo::Changed,
};

use super::refused_part;
use crate::domain::error::ChangedSince;

/// The field of an id.
pub(super) fn find_field(collection: &Collection, id: FieldId) -> Option<&Field> {
    collection.fields.iter().find(|field| field.id == Some(id))
}

/// The parts that an operation changed, as they were before, within the definition of now.
pub(super) struct Merge<'a> {
    pub now: &'a Collection,
    pub changed: Changed,
    pub since: ChangedSince,
    pub skipped: u64,
    /// Fields whose values were converted.
    pub converted: &'a BTreeSet<FieldId>,
    /// Those of them whose values were converted again since.
    pub converted_since: &'a BTreeSet<FieldId>,
    /// Fields that the operation added, and that were written to since: they stay.
    pub staying: &'a BTreeSet<FieldId>,
}

impl Merge<'_> {
    /// Whether a part goes back: it does where it is as the operation left it.
    fn goes_back<T: PartialEq + ?Sized>(&mut self, part: &str, before: &T, after: &T, now: &T) -> bool {
        if before == after || now == before {
            return false;
        }
        if now == after || self.changed == Changed::Overwrite {
            return true;
        }
        self.refuse(part, "was changed since");
        false
    }

    fn refuse(&mut self, part: &str, why: &str) {
        if self.changed == Changed::Skip {
            self.skipped += 1;
            return;
        }
        self.since.count += 1;
        let detail = format!("In the definition of \"{}\", {part} {why}.", self.now.name);
        self.since.examples.push(refused_part(self.now.name.as_str(), part.to_owned(), "changed", detail));
    }

    /// The definition that an undoing leads to.
    pub(super) fn definition(&mut self, before: &Collection, after: &Collection) -> Definition {
        let now = self.now;
        let mut definition = Definition { revision: None, aliases: None, ..Definition::from(now.clone()) };
        if self.goes_back("name", &before.name, &after.name, &now.name) {
            definition.name.clone_from(&before.name);
        }
        if self.goes_back("description", &before.description, &after.description, &now.description) {
            definition.description.clone_from(&before.description);
        }
        if self.goes_back("ids", &before.ids, &after.ids, &now.ids) {
            definition.ids = Some(before.ids);
        }
        if self.goes_back("access", &before.access, &after.access, &now.access) {
            definition.access.clone_from(&before.access);
        }
        if self.goes_back("history", &before.history, &after.history, &now.history) {
            definition.history = Some(before.history);
        }
        if before.name == after.name && self.goes_back("aliases", &before.aliases, &after.aliases, &now.aliases) {
            definition.aliases = Some(before.aliases.clone());
        }
        definition.fields = self.fields(before, after);
        // Nothing is said of indexes that stay: they follow their fields.
        let goes_back = self.goes_back("indexes", &before.indexes, &after.indexes, &now.indexes);
        definition.indexes = goes_back.then(|| before.indexes.clone());
        definition
    }

    fn fields(&mut self, before: &Collection, after: &Collection) -> Vec<Field> {
        let mut fields = Vec::with_capacity(before.fields.len());
        for field in &self.now.fields {
            let of = |collection: &Collection| field.id.and_then(|id| find_field(collection, id)).cloned();
            let (was, left) = (of(before), of(after));
            let part = format!("fields.{}", field.name);
            // Names that lead to it come with a rename, and with undoing one: they say nothing of what else became of it.
            let bare = |field: &Field| Field { aliases: Vec::new(), choice_aliases: BTreeMap::new(), ..field.clone() };
            match (&was, &left) {
                (Some(_), Some(_))
                    if self.changed != Changed::Overwrite
                        && field.id.is_some_and(|id| self.converted_since.contains(&id)) =>
                {
                    self.refuse(&part, "has values that were converted again since. Undo that first");
                    fields.push(field.clone());
                }
                (None, Some(_)) if field.id.is_some_and(|id| self.staying.contains(&id)) => {
                    self.refuse(&part, "was written to since");
                    fields.push(field.clone());
                }
                // It was added.
                (None, Some(left)) if bare(left) == bare(field) || self.changed == Changed::Overwrite => {}
                (None, Some(_)) => {
                    self.refuse(&part, "was changed since");
                    fields.push(field.clone());
                }
                (Some(was), Some(left)) => {
                    let mut back = self.members(&part, was, left, field);
                    back.aliases = aliases_before(was, left, field, &back.name);
                    back.change.says_aliases = back.aliases != field.aliases;
                    if back.kind == was.kind || was.kind == left.kind {
                        back.choice_aliases = choice_aliases_before(was, left, field, &back.kind);
                        back.change.says_choice_aliases = true;
                    }
                    fields.push(back);
                }
                _ => fields.push(field.clone()),
            }
        }
        for left in &after.fields {
            let Some(id) = left.id.filter(|id| find_field(self.now, *id).is_none()) else { continue };
            // What was changed here is gone since: it would come back as this left it.
            let is_changed = find_field(before, id).is_none_or(|was| was != left) || self.converted.contains(&id);
            if is_changed && self.changed != Changed::Overwrite {
                self.refuse(&format!("fields.{}", left.name), "was dropped since. Undo that first");
            }
        }
        // What was dropped, at its place.
        for (place, field) in before.fields.iter().enumerate() {
            let Some(id) = field.id else { continue };
            if find_field(after, id).is_none() && find_field(self.now, id).is_none() {
                fields.insert(place.min(fields.len()), field.clone());
            }
        }
        let ids = |fields: &[Field]| fields.iter().map(|field| field.id).collect::<Vec<_>>();
        if ids(&after.fields) == ids(&self.now.fields) && ids(&before.fields) != ids(&after.fields) {
            let place = |field: &Field| before.fields.iter().position(|was| was.id == field.id);
            fields.sort_by_key(|field| place(field).unwrap_or(usize::MAX));
        }
        self.with_free_names(fields)
    }

    /// A field whose members go back that an operation changed: from `was`, as it `left` them. Its aliases are not among them.
    fn members(&mut self, part: &str, was: &Field, left: &Field, now: &Field) -> Field {
        let overwrites = self.changed == Changed::Overwrite;
        let (mut back, mut changed_since) = (now.clone(), false);
        changed_since |= member_back(&was.name, &left.name, &mut back.name, overwrites);
        changed_since |= member_back(&was.kind, &left.kind, &mut back.kind, overwrites);
        changed_since |= member_back(&was.required, &left.required, &mut back.required, overwrites);
        changed_since |= member_back(&was.nullable, &left.nullable, &mut back.nullable, overwrites);
        changed_since |= member_back(&was.unique, &left.unique, &mut back.unique, overwrites);
        changed_since |= member_back(&was.indexed, &left.indexed, &mut back.indexed, overwrites);
        changed_since |= member_back(&was.searchable, &left.searchable, &mut back.searchable, overwrites);
        changed_since |= member_back(&was.display, &left.display, &mut back.display, overwrites);
        changed_since |= member_back(&was.default, &left.default, &mut back.default, overwrites);
        changed_since |= member_back(&was.help, &left.help, &mut back.help, overwrites);
        if changed_since {
            self.refuse(part, "was changed since");
        }
        back
    }

    /// The fields without those that would come back under a name that another one has by now.
    fn with_free_names(&mut self, mut fields: Vec<Field>) -> Vec<Field> {
        let now = self.now;
        let of_now = |field: &Field| field.id.and_then(|id| find_field(now, id));
        let is_taken = |fields: &[Field], at: usize| {
            let field = &fields[at];
            let is_back = of_now(field).is_none_or(|now| now.name != field.name);
            is_back && fields.iter().enumerate().any(|(other, it)| other != at && it.name == field.name)
        };
        while let Some(at) = (0..fields.len()).find(|at| is_taken(&fields, *at)) {
            let name = fields[at].name.clone();
            match of_now(&fields[at]) {
                Some(now) => fields[at] = now.clone(),
                None => drop(fields.remove(at)),
            }
            if self.changed == Changed::Skip {
                self.skipped += 1;
                continue;
            }
            self.since.count += 1;
            let detail =
                format!("Another field is called \"{name}\" by now. Give that one another name, and undo this then.");
            let part = format!("fields.{name}");
            self.since.examples.push(refused_part(now.name.as_str(), part, "taken", detail));
        }
        fields
    }
}

/// Puts a member of a field back to what it was `before` an operation, where that is what the operation left `after` it, or what was written
/// since is overwritten. Gives whether something else was written since, and stays.
fn member_back<T: PartialEq + Clone>(before: &T, after: &T, now: &mut T, overwrites: bool) -> bool {
    if before == after || now == before {
        return false;
    }
    let goes_back = now == after || overwrites;
    if goes_back {
        now.clone_from(before);
    }
    !goes_back
}

/// The same of the choices that a field has from then on: a name that one loses goes on leading to it.
fn choice_aliases_before(was: &Field, left: &Field, now: &Field, kind: &FieldType) -> BTreeMap<String, String> {
    let mut aliases = now.choice_aliases.clone();
    aliases.retain(|old, _| was.choice_aliases.contains_key(old) || !left.choice_aliases.contains_key(old));
    aliases.extend(was.choice_aliases.clone());
    if let FieldType::Choice { choices, .. } = kind {
        // Under the earlier name it is a choice again.
        let renamed = left.choice_aliases.iter().filter(|(old, _)| choices.contains(old));
        aliases.extend(renamed.map(|(old, new)| (new.clone(), old.clone())));
    }
    aliases
}

/// The names that lead to a field which was `was` before an operation and `left` after it, and is called `name` from now on: those that the
/// operation took away by themselves are back, and those that it gave go; a name that the field loses goes on leading to it.
fn aliases_before(was: &Field, left: &Field, now: &Field, name: &FieldName) -> Vec<FieldName> {
    let mut aliases = now.aliases.clone();
    if was.name == left.name {
        aliases.retain(|alias| was.aliases.contains(alias) || !left.aliases.contains(alias));
        aliases.extend(was.aliases.iter().filter(|alias| !left.aliases.contains(alias)).cloned());
    }
    aliases.push(now.name.clone());
    let mut seen = BTreeSet::new();
    aliases.retain(|alias| alias != name && seen.insert(alias.to_string()));
    aliases
}
