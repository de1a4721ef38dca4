//! Checks the body of a record against its collection: which members there are, and the value of each.

mod form;

use crate::{
    access::Caller,
    collection::Collection,
    field::{Field, FieldType},
    id::{RecordId, Revision, UserId},
    json::Exact,
    name::FieldName,
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::{invalid, required, unknown},
    record::{Member, Record},
    validate::{self, Ends, check_exact},
};

/// What a body is for.
#[derive(Debug, Clone, Copy)]
pub enum Write<'a> {
    /// A new record: members that are missing take their initial value.
    Create,
    /// A record anew (PUT): required members have to be there, the others stay where they are missing, as in Django REST Framework.
    Replace(&'a Record),
    /// Some members of a record (PATCH): the others stay.
    Patch(&'a Record),
}

/// What is known of a body beside its members.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// Who sends it.
    pub caller: &'a Caller,
    /// It is a form: all its values are texts, and an unchecked box is not in it.
    pub is_form: bool,
    /// There is none: what is made has to be said, and what is changed stays.
    pub is_missing: bool,
    /// Members that the collection does not have are left out, and not refused.
    pub ignores_unknown: bool,
    /// What becomes of spaces at the ends of texts.
    pub ends: Ends,
}

impl<'a> Manner<'a> {
    /// JSON that `caller` sends.
    pub const fn json(caller: &'a Caller) -> Self {
        Self { caller, is_form: false, is_missing: false, ignores_unknown: false, ends: Ends::Trimmed }
    }

    /// What was stored before, and is put back as it was.
    pub const fn stored(caller: &'a Caller) -> Self {
        Self { ends: Ends::Kept, ..Self::json(caller) }
    }
}

/// What a body says.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned {
    /// Every field of the collection with its value in canonical form, in the schema's order. Of a body that is not right, those that are.
    pub values: Record,
    /// The owner that the body names; `None` where it names none, so that nothing changes.
    pub owner: Option<UserId>,
}

/// Checks a body against a collection: see [`clean_all`].
pub fn clean(
    collection: &Collection,
    body: Record,
    write: Write<'_>,
    manner: Manner<'_>,
) -> Result<Cleaned, FieldErrors> {
    let (cleaned, errors) = clean_all(collection, body, write, manner);
    errors.or(cleaned)
}

/// Checks a body against a collection, and gives the values that are right beside what is wrong, so that the server can say of these whether
/// it has anything against them. Of the members that the server owns, `id` has to be the record's, `owner` is checked here, and
/// the others are not looked at, as Django REST Framework does with read-only fields; `revision` is for [`sent_revision`].
pub fn clean_all(
    collection: &Collection,
    mut body: Record,
    write: Write<'_>,
    manner: Manner<'_>,
) -> (Cleaned, FieldErrors) {
    let mut errors = FieldErrors::new();
    let stored = match write {
        Write::Create => None,
        Write::Replace(record) | Write::Patch(record) => Some(record),
    };
    for name in ["created_at", "updated_at", "revision"] {
        body.take(name);
    }
    check_id(body.take("id"), stored, &mut errors);
    let owner = check_owner(body.take("owner"), stored, manner.caller, &mut errors);
    let is_patch = matches!(write, Write::Patch(_));
    let mut values = Record::default();
    let mut is_said = !manner.is_missing && (!manner.is_form || owner.is_some());
    for field in &collection.fields {
        let name = field.name.as_str();
        let (sent_as, sent) = take(field, &mut body, stored, &mut errors);
        let sent = if manner.is_form { form::read(field, sent, is_patch) } else { Ok(sent) };
        is_said |= matches!(sent, Ok(Some(_)));
        let value = match (sent, write) {
            (Err(wrong), _) => Err(vec![wrong]),
            (Ok(Some(value)), _) => check_exact(field, &value, manner.ends),
            (Ok(None), Write::Patch(record)) => Ok(kept(record, field)),
            (Ok(None), _) if field.required && field.default.is_none() => Err(vec![required()]),
            (Ok(None), Write::Replace(record)) => Ok(kept(record, field)),
            (Ok(None), Write::Create) => Ok(field.initial()),
        };
        match value {
            Ok(value) => values.set(name, value),
            Err(wrong) => {
                errors.add(sent_as.to_owned(), wrong);
            }
        }
    }
    if !manner.ignores_unknown {
        for name in body.as_object().keys() {
            errors.push(name.clone(), unknown());
        }
    }
    // A form without inputs says of boxes that they are not checked, and where there are none it says nothing.
    if !is_said && matches!(write, Write::Create) && errors.is_empty() {
        errors.push(NON_FIELD, no_body());
    }
    (Cleaned { values, owner }, errors)
}

/// No body is a mistake more often than a record without values.
pub fn no_body() -> FieldError {
    let message =
        "The request has no body. Send a JSON object with Content-Type: application/json; {} is one without members.";
    FieldError::new("required", message)
}

/// Takes a field's member off, under whichever of its names it was sent; what is wrong with it stands under that name. One who read it
/// under its name of today and writes it under a former one sends both.
fn take<'a>(
    field: &'a Field,
    body: &mut Record,
    stored: Option<&Record>,
    errors: &mut FieldErrors,
) -> (&'a str, Option<Exact>) {
    let name = field.name.as_str();
    let (mut sent_as, mut sent) = (name, body.take(name));
    for alias in field.aliases.iter().map(FieldName::as_str) {
        let Some(value) = body.take(alias) else { continue };
        let is_as_read = |sent: &Exact| stored.and_then(|stored| stored.get(name)) == Some(&**sent);
        match &sent {
            Some(sent) if **sent != *value && !is_as_read(sent) => {
                let message = format!("This is a former name of \"{name}\", which was sent too, with another value.");
                errors.push(alias, invalid(message));
            }
            _ => (sent_as, sent) = (alias, Some(value)),
        }
    }
    (sent_as, sent)
}

/// A member that stays as it is. A moment that an earlier version wrote takes today's form.
fn kept(record: &Record, field: &Field) -> Exact {
    let Some(member) = record.member(field.name.as_str()) else { return field.initial() };
    let is_moment = matches!(field.kind, FieldType::Datetime);
    let moment = member.value.as_str().filter(|_| is_moment).and_then(validate::canonical_datetime);
    moment.map_or_else(|| member.into(), Exact::from)
}

/// The `revision` that a body brings in a PUT or PATCH; it counts as `If-Match`, and decides before all else.
pub fn sent_revision(body: &Record) -> Result<Option<Revision>, FieldErrors> {
    let member = body.member("revision").filter(|member| !member.value.is_null() && *member.value != "");
    let Some(member) = member else { return Ok(None) };
    let wrong = |error| FieldErrors::of("revision", error);
    let number = validate::integer(member).map_err(wrong)?;
    let number = u64::try_from(number).map_err(|_| wrong(invalid("A valid integer is required.")))?;
    Ok(Some(Revision(number)))
}

/// An `id` has to be that of the record; in a POST the server gives it.
fn check_id(sent: Option<Exact>, stored: Option<&Record>, errors: &mut FieldErrors) {
    let (Some(sent), Some(stored)) = (sent, stored) else { return };
    let is_nothing = sent.is_null() || *sent == "";
    if !is_nothing && RecordId::from_value(&sent) != stored.id() {
        errors.push(
            "id",
            invalid("This is not the id of the record at this address. Leave it out, or send it unchanged."),
        );
    }
}

/// An `owner` may be the caller of a POST, and the owner that the record has already; an admin's may be anyone. Null is no other.
fn check_owner(
    sent: Option<Exact>,
    stored: Option<&Record>,
    caller: &Caller,
    errors: &mut FieldErrors,
) -> Option<UserId> {
    let sent = sent.filter(|sent| !sent.is_null() && **sent != "")?;
    let Some(owner) = sent.as_str().and_then(|text| text.trim().parse::<UserId>().ok()) else {
        errors.push("owner", invalid("This is not the id of a user."));
        return None;
    };
    let own = stored.map_or(caller.user_id(), Record::owner);
    if !caller.is_admin() && own != Some(owner) {
        errors.push(
            "owner",
            FieldError::new("read_only", "Only an admin may give a record to another user. Leave it out."),
        );
    }
    Some(owner)
}

impl From<Member<'_>> for Exact {
    fn from(member: Member<'_>) -> Self {
        Self::of(member.value.clone(), member.text.map(Into::into))
    }
}

#[cfg(test)]
mod tests;
