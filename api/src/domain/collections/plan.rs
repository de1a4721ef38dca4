//! What a changed definition means for the records that there are: which field became which, what their values become, and what has to
//! be looked at before it can hold.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::{
    collection::{Collection, Definition, IndexDefinition, check_indexes, second_title},
    conversion::{Conversion, ConversionStep, With, Word},
    field::{Field, FieldChange, FieldType, Unique},
    id::{FieldId, OperationId},
    json::Exact,
    name::FieldName,
    problem::{FieldError, FieldErrors},
    reader::invalid,
    validate::{Ends, check_exact, parse_decimal},
};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::{
    journal,
    schema::{Schema, StoredDefinition},
    steps::{FieldStep, Step},
};

/// A definition that is to take the place of another.
pub(super) struct Plan {
    /// The definition.
    pub after: StoredDefinition,
    /// Fields that are gone.
    pub dropped: Vec<Field>,
    /// Fields that need a value in the records that exist, by their place.
    pub without_value: Vec<usize>,
    /// Fields whose values may not fit, by their place.
    pub checked: Vec<usize>,
    /// There are indexes to be made.
    pub has_new_indexes: bool,
    /// Fields whose values come back, as far as records and their history have them; each with the version before which they had them.
    pub refilled: Vec<(FieldId, u32)>,
}

impl Plan {
    /// What `definition` makes of a collection. `at` is the time, `next_id` gives the ids of new fields. `undone` is what it undoes.
    pub(super) fn new(
        before: &Schema,
        definition: Definition,
        at: String,
        next_id: &mut dyn FnMut() -> Uuid,
        undone: Option<&Undone>,
    ) -> Result<Self, FieldErrors> {
        let mut making = Making {
            before,
            errors: FieldErrors::new(),
            steps: Vec::new(),
            converted: HashSet::new(),
            undone,
            refilled: Vec::new(),
        };
        let matched = making.matched(&definition.fields);
        let mut fields = Vec::with_capacity(definition.fields.len());
        let (mut without_value, mut checked) = (Vec::new(), Vec::new());
        let had_fields: Vec<&Field> = before.collection.fields.iter().collect();
        for (i, (mut field, was)) in definition.fields.into_iter().zip(matched).enumerate() {
            let mut change = *std::mem::take(&mut field.change);
            match was {
                Some(MatchedField::There(was)) => {
                    field.id = was.id;
                    if !change.says_aliases {
                        field.aliases.clone_from(&was.aliases);
                    }
                    keep_choice_aliases(was, &mut field, &change);
                    making.settle_values(i, &field, &mut change);
                    if making.carry(i, was, &mut field, change) {
                        checked.push(i);
                    }
                }
                Some(MatchedField::Gone(was)) => {
                    field.id = was.id;
                    making.settle_values(i, &field, &mut change);
                    making.steps.extend(was.id.map(|field| FieldStep::Revived { field }));
                    making.refilled.extend(was.id.and_then(|id| Some((id, before.dropped_at(id)?))));
                    let value = said(&change).map_or_else(|| field.initial(), Exact::from);
                    if needs_conversion(&was.kind, &field.kind, &change) {
                        making.convert(was, &field, change);
                    }
                    making.steps.extend(was.id.map(|field| FieldStep::Filled { field, value }));
                    checked.push(i);
                }
                None => {
                    field.choice_aliases.clear();
                    field.id = Some(FieldId::from_uuid(next_id()));
                    making.settle_values(i, &field, &mut change);
                    let value = said(&change);
                    if value.is_none() && field.required && field.default.is_none() {
                        without_value.push(i);
                    }
                    let value = value.map_or_else(|| field.initial(), Exact::from);
                    making.steps.extend(field.id.map(|field| FieldStep::Added { field, value }));
                }
            }
            fields.push(field);
        }
        let is_gone = |was: &&&Field| fields.iter().all(|field| field.id != was.id);
        let dropped: Vec<Field> = had_fields.iter().filter(is_gone).map(|was| (**was).clone()).collect();
        making.steps.extend(dropped.iter().map(|was| FieldStep::Dropped { was: Box::new(was.clone()) }));
        settle_aliases(&mut fields);
        if let Some((name, wrong)) = second_title(&fields) {
            making.errors.push(name, wrong);
        }
        let Making { errors, steps, converted, refilled, .. } = making;
        errors.or(())?;

        let is_reordered = {
            let order = |fields: &[Field], others: &[Field]| -> Vec<Option<FieldId>> {
                let ids = fields.iter().map(|field| field.id);
                ids.filter(|id| others.iter().any(|other| other.id == *id)).collect()
            };
            order(&fields, &before.collection.fields) != order(&before.collection.fields, &fields)
        };
        let aliases = definition.aliases.unwrap_or_else(|| before.collection.aliases.clone());
        let indexes = definition.indexes.unwrap_or_else(|| renamed(&before.collection, &fields));
        let mut after = Collection {
            name: definition.name,
            aliases,
            description: definition.description,
            ids: definition.ids.unwrap_or(before.collection.ids),
            fields,
            indexes,
            access: definition.access,
            history: definition.history.unwrap_or(before.collection.history),
            updated_at: at,
            ..before.collection.clone()
        };
        check_indexes(&mut after)?;
        let mut keys = before.keys.changed(Some(&before.collection), &after, &converted, next_id);
        let has_new_indexes = keys.without(&before.keys).next().is_some();
        keys.retire(&before.keys, &before.collection, &before.targets);
        if !steps.is_empty() || is_reordered {
            keys.steps.push(Step {
                version: keys.version,
                fields: steps,
                is_reordered,
                operation: journal::operation(),
            });
        }
        let after = StoredDefinition::new(after, keys);
        Ok(Self { after, dropped, without_value, checked, has_new_indexes, refilled })
    }
}

impl Plan {
    /// The fields that were unique, and are not any more.
    pub(super) fn no_longer_unique(&self, before: &Collection) -> Vec<FieldId> {
        let is_unique = |collection: &Collection, id: FieldId| {
            collection.fields.iter().any(|field| field.id == Some(id) && field.unique != Unique::No)
        };
        let after = &self.after.collection;
        let ids = after.fields.iter().filter_map(|field| field.id);
        ids.filter(|id| is_unique(before, *id) && !is_unique(after, *id)).collect()
    }
}

/// The indexes of a collection under its fields' new names. One that had a field that is gone goes too.
fn renamed(before: &Collection, fields: &[Field]) -> Vec<IndexDefinition> {
    let rename = |index: &IndexDefinition| {
        let mut index = index.clone();
        for part in &mut index.fields {
            let Some(was) = before.field(&part.name) else { continue };
            part.name = fields.iter().find(|field| field.id == was.id)?.name.to_string();
        }
        Some(index)
    };
    before.indexes.iter().filter_map(rename).collect()
}

/// What a change of a definition undoes.
pub(in crate::domain) struct Undone {
    /// The operation.
    pub operation: OperationId,
    /// Fields whose values it converted, each with the version that it led to.
    pub conversions: HashMap<FieldId, u32>,
    /// Fields that it added: with that version, and the value that records got.
    pub added: HashMap<FieldId, (u32, Exact)>,
    /// What was changed since goes too, and what does not fit is lost.
    pub overwrites: bool,
    /// What was changed since stays, and so do fields whose values do not all go back.
    pub skips: bool,
}

/// The field that a sent one was so far.
enum MatchedField<'a> {
    There(&'a Field),
    /// It was dropped, and is named by its id.
    Gone(&'a Field),
}

struct Making<'a> {
    before: &'a Schema,
    errors: FieldErrors,
    steps: Vec<FieldStep>,
    /// Fields whose values change.
    converted: HashSet<Uuid>,
    undone: Option<&'a Undone>,
    refilled: Vec<(FieldId, u32)>,
}

impl<'a> Making<'a> {
    /// Which field each sent one was so far: the one with its id, else with the name that it is renamed from, else with its name, else
    /// one that had its name before and that nothing else is.
    fn matched(&mut self, sent: &[Field]) -> Vec<Option<MatchedField<'a>>> {
        let collection = &self.before.collection;
        let named = |name: &FieldName| collection.fields.iter().find(|field| field.name == *name);
        let mut found: Vec<Option<MatchedField<'a>>> = Vec::with_capacity(sent.len());
        for (i, field) in sent.iter().enumerate() {
            let was = match (field.id, &field.change.renamed_from) {
                (Some(id), _) => {
                    let there = collection.fields.iter().find(|known| known.id == Some(id)).map(MatchedField::There);
                    let was = there.or_else(|| self.before.dropped(id).map(MatchedField::Gone));
                    if was.is_none() {
                        let message = "This collection has no field with this id. Leave it out for a new field.";
                        self.errors.push(format!("fields.{i}.id"), FieldError::new("does_not_exist", message));
                    }
                    was
                }
                (None, Some(from)) => {
                    // Sent a second time, it has the new name already.
                    let known = collection.field(from.as_str()).or_else(|| named(&field.name));
                    if known.is_none() {
                        let message = format!("There is no field \"{from}\".");
                        self.errors
                            .push(format!("fields.{i}.renamed_from"), FieldError::new("does_not_exist", message));
                    }
                    known.map(MatchedField::There)
                }
                (None, None) => named(&field.name).map(MatchedField::There),
            };
            found.push(was);
        }
        let is_taken = |found: &[Option<MatchedField<'a>>], id: Option<FieldId>| {
            found.iter().flatten().any(|was| matches!(was, MatchedField::There(was) if was.id == id))
        };
        for (i, field) in sent.iter().enumerate() {
            if found[i].is_none() && field.id.is_none() && field.change.renamed_from.is_none() {
                let former = collection.field(field.name.as_str()).filter(|former| !is_taken(&found, former.id));
                found[i] = former.map(MatchedField::There);
            }
        }
        for i in 0..found.len() {
            let Some(MatchedField::There(was)) = &found[i] else { continue };
            let id = was.id;
            if is_taken(&found[..i], id) {
                let message = format!("Another field of this definition is \"{}\" already.", was.name);
                self.errors.push(format!("fields.{i}.name"), FieldError::new("unique", message));
            }
        }
        found
    }

    /// Notes what becomes of a field that was there. Says whether its values have to be looked at.
    fn carry(&mut self, i: usize, was: &Field, field: &mut Field, change: FieldChange) -> bool {
        if field.name != was.name
            && let Some(id) = was.id
        {
            self.steps.push(FieldStep::Renamed { field: id, from: was.name.clone() });
            if !change.says_aliases && !field.aliases.contains(&was.name) {
                field.aliases.push(was.name.clone());
            }
        }
        self.check_choices(i, &was.kind, &change);
        let fits = fits_all(was, field, &change);
        if let (Some(id), Some(undone)) = (was.id, self.undone)
            && let Some(since) = undone.conversions.get(&id)
        {
            self.restore(was, field, *since, undone.overwrites);
            return true;
        }
        if needs_conversion(&was.kind, &field.kind, &change) {
            self.convert(was, field, change);
            return true;
        }
        if fits && !fits_all(field, was, &change) {
            self.steps.extend(was.id.map(|field| FieldStep::Loosened { field }));
        }
        !fits
    }

    /// Notes how a field's values change.
    fn convert(&mut self, was: &Field, field: &Field, change: FieldChange) {
        let mut steps = Vec::new();
        if !change.rename.is_empty() {
            let map = change.rename.into_iter().map(|(old, new)| (old, Value::String(new))).collect();
            steps.push(With::Map(map).into());
        }
        steps.extend(change.convert.unwrap_or_default().0);
        if let Some(value) = change.value {
            steps.push(With::Map(BTreeMap::from([(String::new(), value)])).into());
        }
        let to = Field { aliases: Vec::new(), help: String::new(), ..field.clone() };
        self.converted.extend(field.id.map(FieldId::uuid));
        self.steps.push(FieldStep::Converted {
            from: Box::new(was.kind.clone()),
            to: Box::new(to),
            convert: Conversion(steps),
        });
    }

    /// Notes that a field's values are what they were before they were converted.
    fn restore(&mut self, was: &Field, field: &Field, since: u32, overwrites: bool) {
        let to = Field { aliases: Vec::new(), help: String::new(), ..field.clone() };
        let fallback =
            if field.nullable { Word::Null.into() } else { With::Default(field.initial().into_parts().0).into() };
        let convert = Conversion(if overwrites { vec![fallback] } else { Vec::new() });
        self.converted.extend(field.id.map(FieldId::uuid));
        self.refilled.extend(field.id.map(|id| (id, since)));
        self.steps.push(FieldStep::Restored { since, from: Box::new(was.kind.clone()), to: Box::new(to), convert });
    }

    /// Puts the values that a request says for records into the form that the field gives them. What does not fit is told at its place.
    fn settle_values(&mut self, i: usize, field: &Field, change: &mut FieldChange) {
        change.value = change.value.take().map(|value| self.canonical(format!("fields.{i}.value"), field, value));
        let steps = change.convert.iter_mut().flat_map(|convert| &mut convert.0);
        let place = || format!("fields.{i}.convert");
        let mut is_null = false;
        for step in steps {
            match step {
                ConversionStep::With(With::Default(value)) => {
                    *value = self.canonical(place(), field, std::mem::take(value));
                    is_null = false;
                }
                ConversionStep::Word(Word::Null) => is_null = true,
                _ => {}
            }
        }
        if is_null {
            self.canonical(place(), field, Value::Null);
        }
    }

    fn canonical(&mut self, place: String, field: &Field, value: Value) -> Value {
        match check_exact(field, &Exact::from(value), Ends::Trimmed) {
            Ok(value) => value.into_parts().0,
            Err(faults) => {
                self.errors.add(place, faults);
                Value::Null
            }
        }
    }

    /// Choices that get another name are there, or were renamed already, and none gets the name of another that stays.
    fn check_choices(&mut self, i: usize, was: &FieldType, change: &FieldChange) {
        let FieldType::Choice { choices, .. } = was else { return };
        for (old, new) in &change.rename {
            let message = if !choices.contains(old) {
                if choices.contains(new) {
                    continue;
                }
                format!("There is no choice \"{old}\".")
            } else if old != new && choices.contains(new) && !change.rename.contains_key(new) {
                format!(
                    "\"{new}\" is another choice. To make one of the two, leave \"{old}\" out of the choices and send \"convert\": {{\"map\": {{\"{old}\": \"{new}\"}}}}."
                )
            } else {
                continue;
            };
            self.errors.push(format!("fields.{i}.rename"), invalid(message));
        }
    }
}

/// What a request says that records get in a field where they have nothing.
fn said(change: &FieldChange) -> Option<Value> {
    change.value.clone().or_else(|| change.convert.as_ref().and_then(Conversion::fallback))
}

/// Former names of choices go on leading to them, and the names that they lose now do.
fn keep_choice_aliases(was: &Field, field: &mut Field, change: &FieldChange) {
    if !change.says_choice_aliases {
        field.choice_aliases.clone_from(&was.choice_aliases);
    }
    for choice in field.choice_aliases.values_mut() {
        if let Some(new) = change.rename.get(choice) {
            choice.clone_from(new);
        }
    }
    if !change.says_choice_aliases {
        let had = |(old, _): &(&String, &String)| was.choice(old).is_some();
        let lost = change.rename.iter().filter(had).map(|(old, new)| (old.clone(), new.clone()));
        field.choice_aliases.extend(lost);
    }
    field.settle_choice_aliases();
}

/// Names of today win over former ones, and each leads to one field.
fn settle_aliases(fields: &mut [Field]) {
    let mut taken: HashSet<FieldName> = fields.iter().map(|field| field.name.clone()).collect();
    for field in fields {
        field.aliases.retain(|alias| taken.insert(alias.clone()));
    }
}

/// Whether values change their form.
fn needs_conversion(was: &FieldType, now: &FieldType, change: &FieldChange) -> bool {
    let is_asked_for = change.convert.is_some() || change.value.is_some() || !change.rename.is_empty();
    is_asked_for
        || match (was, now) {
            (FieldType::Decimal { places: was, .. }, FieldType::Decimal { places: now, .. }) => was != now,
            (FieldType::Choice { many: was, .. }, FieldType::Choice { many: now, .. })
            | (FieldType::Reference { many: was, .. }, FieldType::Reference { many: now, .. }) => was != now,
            (was, now) => std::mem::discriminant(was) != std::mem::discriminant(now),
        }
}

/// Whether every value that was right is right still, so that none has to be looked at.
fn fits_all(was: &Field, now: &Field, change: &FieldChange) -> bool {
    let may_be_blank = matches!(
        now.kind,
        FieldType::Text { .. }
            | FieldType::Email
            | FieldType::Url
            | FieldType::Choice { many: true, .. }
            | FieldType::Reference { many: true, .. }
    );
    if (was.nullable && !now.nullable) || (now.required && !was.required && may_be_blank) {
        return false;
    }
    let lower = |was: Option<u64>, now: Option<u64>| now.unwrap_or(0) <= was.unwrap_or(0);
    let higher = |was: Option<u64>, now: Option<u64>| now.is_none() || was.is_some_and(|was| now >= Some(was));
    match (&was.kind, &now.kind) {
        (was, now) if was == now => true,
        (
            FieldType::Text { min_length: min, max_length: max, pattern, .. },
            FieldType::Text { min_length: now_min, max_length: now_max, pattern: now_pattern, .. },
        ) => lower(*min, *now_min) && higher(*max, *now_max) && (now_pattern.is_none() || pattern == now_pattern),
        (FieldType::Integer { min, max }, FieldType::Integer { min: now_min, max: now_max }) => {
            now_min.is_none_or(|now| min.is_some_and(|min| now <= min))
                && now_max.is_none_or(|now| max.is_some_and(|max| now >= max))
        }
        (
            FieldType::Decimal { min, max, places },
            FieldType::Decimal { min: now_min, max: now_max, places: now_places },
        ) => {
            let number = |text: &Option<String>| text.as_deref().and_then(parse_decimal);
            places == now_places
                && number(now_min).is_none_or(|now| number(min).is_some_and(|min| now <= min))
                && number(now_max).is_none_or(|now| number(max).is_some_and(|max| now >= max))
        }
        (FieldType::Choice { choices, many }, FieldType::Choice { choices: now, many: now_many }) => {
            let renamed = |choice: &String| change.rename.get(choice).unwrap_or(choice).clone();
            many == now_many && choices.iter().all(|choice| now.contains(&renamed(choice)))
        }
        (
            FieldType::Reference { collection, many, .. },
            FieldType::Reference { collection: now, many: now_many, .. },
        ) => collection == now && many == now_many,
        (FieldType::Json { max_bytes }, FieldType::Json { max_bytes: now }) => higher(*max_bytes, *now),
        _ => false,
    }
}

/// Asks for a value for the records that exist.
pub(super) fn asks_for_value() -> FieldError {
    invalid(
        "Say which value the records that exist get: send it as \"value\" with the field, or give the field a default.",
    )
}
