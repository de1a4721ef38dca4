//! A record as it is stored: a head, and its fields' members as JSON without braces. The JSON that is sent is put together from
//! both and the key, and nothing in it is parsed. Members that are not of the usual shape are kept as whole JSON.

mod kept;
pub(in crate::domain) mod skim;

pub use kept::EarlierValues;

use std::collections::BTreeSet;

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    Object,
    id::{RecordId, Revision, UserId},
    record::{Member, Record},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::{Uuid, fmt::Hyphenated};

use super::error::{Error, Result};

/// The members that stand in the head and the key.
const FRAME: [&str; 4] = ["id", "owner", "created_at", "updated_at"];

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// The Julian day of 1970-01-01.
const EPOCH: i32 = 2_440_588;

/// What a record says about itself beside its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The version of the definition that it was written under.
    pub definition: u32,
    /// The place of its entry in the journal, in the commit that wrote it. 0 where that is not known, otherwise one more.
    place: u32,
    /// How many entries it has had in the journal, since it was made or its store was converted; 0 where nobody counted.
    pub nth: u32,
}

/// What stands before a record's JSON.
#[derive(Serialize, Deserialize)]
enum Form {
    /// The JSON is whole.
    Whole(Head),
    /// The JSON is the fields' members.
    Fields { head: Head, frame: Frame },
    /// It was written under an earlier definition, and carried over to this one since.
    Carried { head: Head, frame: Frame, carried: Carried },
}

/// What a record that was carried over says of what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Carried {
    /// The version of the definition that it was written under.
    written: u32,
    /// The bytes that it counts for since then.
    counted: i64,
    /// The bytes of its members. Behind them stand the earlier ones, as far as they differ.
    members: u64,
}

/// A stored record, taken apart.
struct Parts<'a> {
    form: Form,
    /// The JSON of its members.
    json: &'a [u8],
    /// That of the earlier members, as far as they differ.
    lost: &'a [u8],
}

/// The members that every record has, but for its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Frame {
    owner: Option<[u8; 16]>,
    /// A stamp: see [`stamp_of`].
    created: i64,
    /// What the stamp of the last change is more than that.
    updated: i64,
}

/// A record to be stored.
pub struct Encoded {
    /// The value.
    pub value: Vec<u8>,
    /// The bytes that it counts for.
    pub counted: i64,
    /// The bytes of its JSON.
    pub json: usize,
}

impl Head {
    /// Of a record that is written now.
    pub const fn new(definition: u32, place: Option<u32>, nth: u32) -> Self {
        Self {
            definition,
            nth,
            place: match place {
                Some(place) => place + 1,
                None => 0,
            },
        }
    }

    /// The place of its entry in the journal, where it is known.
    pub const fn place(self) -> Option<u32> {
        self.place.checked_sub(1)
    }
}

/// The stored form of a record.
pub fn encode(head: Head, record: &Record) -> Result<Encoded> {
    let members = record.as_object();
    if let Some(frame) = Frame::of(members) {
        let mut value = postcard::to_stdvec(&Form::Fields { head, frame }).map_err(unwritable)?;
        let begin = value.len();
        write_members(&mut value, record, |name| !FRAME.contains(&name))?;
        let (json, updated) = (frame.around(value.len() - begin), moment_length(frame.created + frame.updated));
        return Ok(Encoded { counted: counted(json, updated), json, value });
    }
    let mut value = postcard::to_stdvec(&Form::Whole(head)).map_err(unwritable)?;
    let begin = value.len();
    serde_json::to_writer(&mut value, record)?;
    let json = value.len() - begin;
    let updated = record.get("updated_at").and_then(Value::as_str).map_or(0, str::len);
    Ok(Encoded { counted: counted(json, updated), json, value })
}

/// The stored form of bytes that are no record, so that a check can tell of them.
pub fn unreadable(json: &[u8]) -> Vec<u8> {
    let mut value = postcard::to_stdvec(&Form::Whole(Head::new(0, None, 0))).unwrap_or_default();
    value.extend_from_slice(json);
    value
}

/// Those members of a record that fit, as JSON without braces, with the digits of their numbers.
pub fn write_members(out: &mut Vec<u8>, record: &Record, fits: impl Fn(&str) -> bool) -> Result<()> {
    let mut is_first = true;
    for name in record.as_object().keys().filter(|name| fits(name)) {
        let Some(Member { value, text }) = record.member(name) else { continue };
        if !std::mem::replace(&mut is_first, false) {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, name)?;
        out.push(b':');
        match text {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => serde_json::to_writer(&mut *out, value)?,
        }
    }
    Ok(())
}

/// The members of JSON without braces.
pub fn read_members(json: &[u8]) -> Result<Record> {
    Ok(Record::from_slice(&[b"{", json, b"}"].concat())?)
}

/// Whether two records have the same members in the same order, digits included.
pub fn is_same(a: &Record, b: &Record) -> bool {
    a.as_object().keys().eq(b.as_object().keys()) && a.as_object().keys().all(|name| a.is_same(b, name))
}

/// The stored form of a record that was written under an earlier definition, carried over: it keeps what it counts for, and what it was.
/// `None` where it is not of the usual shape.
pub fn carry(value: &[u8], definition: u32, record: &Record, lost: &Record) -> Result<Option<Vec<u8>>> {
    let Some(frame) = Frame::of(record.as_object()) else { return Ok(None) };
    let (before, written, counted) = (head(value)?, written(value)?, counted_size(value)?);
    let mut members = Vec::new();
    write_members(&mut members, record, |name| !FRAME.contains(&name))?;
    let carried = Carried { written, counted, members: members.len() as u64 };
    let head = Head { definition, ..before };
    carried_over(head, frame, carried, &members, lost, &kept(value)?).map(Some)
}

fn carried_over(
    head: Head,
    frame: Frame,
    carried: Carried,
    members: &[u8],
    lost: &Record,
    kept: &EarlierValues,
) -> Result<Vec<u8>> {
    let mut before = lost.clone();
    before.extend(kept.as_members().clone());
    let mut out = postcard::to_stdvec(&Form::Carried { head, frame, carried }).map_err(unwritable)?;
    out.extend_from_slice(members);
    write_members(&mut out, &before, |_| true)?;
    Ok(out)
}

/// A stored record with other kept values, and nothing else changed. One that is not of the usual shape has none.
pub fn with_kept(value: Vec<u8>, kept: &EarlierValues) -> Result<Vec<u8>> {
    if kept.is_empty() && self::kept(&value)?.is_empty() {
        return Ok(value);
    }
    let (lost, counted) = (lost(&value)?, counted_size(&value)?);
    let Parts { form, json, .. } = parts(&value)?;
    let members = json.len() as u64;
    let (head, frame, carried) = match form {
        Form::Whole(_) => return Ok(value),
        Form::Fields { head, frame } => (head, frame, Carried { written: head.definition, counted, members }),
        Form::Carried { head, frame, carried } => (head, frame, carried),
    };
    carried_over(head, frame, carried, json, &lost, kept)
}

/// The kept values of a stored record.
pub fn kept(value: &[u8]) -> Result<EarlierValues> {
    let Parts { lost, .. } = parts(value)?;
    if lost.is_empty() { Ok(EarlierValues::default()) } else { Ok(EarlierValues::take_from(&mut read_members(lost)?)) }
}

fn unwritable(error: postcard::Error) -> Error {
    Error::caused("a record cannot be written", error)
}

/// A stored value, taken apart.
fn parts(value: &[u8]) -> Result<Parts<'_>> {
    let (form, json) =
        postcard::take_from_bytes(value).map_err(|error| Error::caused("a stored record cannot be read", error))?;
    let members = match &form {
        Form::Carried { carried, .. } => usize::try_from(carried.members).unwrap_or(usize::MAX),
        _ => json.len(),
    };
    let (json, lost) = json
        .split_at_checked(members)
        .ok_or_else(|| Error::internal("a stored record is cut off; run coffer check"))?;
    Ok(Parts { form, json, lost })
}

/// What a stored record says about itself.
pub fn head(value: &[u8]) -> Result<Head> {
    Ok(match parts(value)?.form {
        Form::Whole(head) | Form::Fields { head, .. } | Form::Carried { head, .. } => head,
    })
}

/// The version of the definition that a stored record was written under, whatever it was carried over to since.
pub fn written(value: &[u8]) -> Result<u32> {
    Ok(match parts(value)?.form {
        Form::Whole(head) | Form::Fields { head, .. } => head.definition,
        Form::Carried { carried, .. } => carried.written,
    })
}

/// A stored record, parsed.
pub fn decode(id: RecordId, value: &[u8]) -> Result<Record> {
    let Parts { form, json, .. } = parts(value)?;
    Ok(match form {
        Form::Whole(_) => Record::from_slice(json)?,
        Form::Fields { frame, .. } | Form::Carried { frame, .. } => frame.around_members(id, read_members(json)?),
    })
}

/// The earlier members of a record that was carried over, as far as they differ.
pub fn lost(value: &[u8]) -> Result<Record> {
    let mut members = read_members(parts(value)?.lost)?;
    EarlierValues::take_from(&mut members);
    Ok(members)
}

/// Those members of a stored record that are asked for. Only these are parsed.
pub fn decode_some(id: RecordId, value: &[u8], wanted: &BTreeSet<&str>) -> Result<Record> {
    let Parts { form: Form::Fields { frame, .. } | Form::Carried { frame, .. }, json, .. } = parts(value)? else {
        return decode(id, value);
    };
    let mut record = Record::default();
    if wanted.contains("id") {
        record.set("id", id.to_value());
    }
    let found = skim::members(json, |name, value| {
        if wanted.contains(name) {
            record.set(name, serde_json::from_slice::<Value>(value)?);
        }
        Ok::<_, serde_json::Error>(())
    });
    if found?.is_none() {
        return decode(id, value);
    }
    for name in wanted {
        match *name {
            "owner" => record.set("owner", frame.owner_text()),
            "created_at" => record.set("created_at", moment(frame.created)),
            "updated_at" => record.set("updated_at", moment(frame.created + frame.updated)),
            _ => {}
        }
    }
    Ok(record)
}

/// The owner of a stored record.
pub fn owner(value: &[u8]) -> Result<Option<UserId>> {
    let Parts { form, json, .. } = parts(value)?;
    Ok(match form {
        Form::Whole(_) => serde_json::from_slice::<Record>(json)?.owner(),
        Form::Fields { frame, .. } | Form::Carried { frame, .. } => {
            frame.owner.map(|owner| UserId::from_uuid(Uuid::from_bytes(owner)))
        }
    })
}

/// The bytes that a stored record counts for: those of its JSON, without what every change writes anew.
pub fn counted_size(value: &[u8]) -> Result<i64> {
    let Parts { form, json, .. } = parts(value)?;
    Ok(match form {
        Form::Whole(_) => {
            let record: Record = serde_json::from_slice(json)?;
            counted(json.len(), record.get("updated_at").and_then(Value::as_str).map_or(0, str::len))
        }
        Form::Fields { frame, .. } => counted(frame.around(json.len()), moment_length(frame.created + frame.updated)),
        Form::Carried { carried, .. } => carried.counted,
    })
}

/// About how many bytes a stored record has when it is sent.
pub fn json_size(value: &[u8]) -> usize {
    let revision = 30;
    match parts(value) {
        Ok(Parts { form: Form::Fields { frame, .. } | Form::Carried { frame, .. }, json, .. }) => {
            frame.around(json.len()) + revision
        }
        _ => value.len() + revision,
    }
}

fn counted(json: usize, updated_at: usize) -> i64 {
    i64::try_from(json.saturating_sub(updated_at)).unwrap_or(i64::MAX)
}

/// The JSON that is sent, with the revision where there is one.
pub fn json(id: RecordId, value: &[u8], revision: Option<Revision>) -> Result<Bytes> {
    let mut out = BytesMut::with_capacity(value.len() + 256);
    put_json(&mut out, id, value, revision)?;
    Ok(out.freeze())
}

/// The same, behind what is there already.
pub fn put_json(out: &mut BytesMut, id: RecordId, value: &[u8], revision: Option<Revision>) -> Result<()> {
    let Parts { form, json, .. } = parts(value)?;
    match form {
        Form::Whole(_) => out.put_slice(json.strip_suffix(b"}").unwrap_or(json)),
        Form::Fields { frame, .. } | Form::Carried { frame, .. } => {
            out.put_slice(b"{\"id\":");
            match id.number() {
                Some(number) => out.put_slice(itoa::Buffer::new().format(number).as_bytes()),
                None => put_id(out, id.bits()),
            }
            if !json.is_empty() {
                out.put_u8(b',');
                out.put_slice(json);
            }
            out.put_slice(b",\"owner\":");
            match frame.owner {
                Some(owner) => put_id(out, Uuid::from_bytes(owner)),
                None => out.put_slice(b"null"),
            }
            out.put_slice(b",\"created_at\":\"");
            put_moment(out, frame.created);
            out.put_slice(b"\",\"updated_at\":\"");
            put_moment(out, frame.created + frame.updated);
            out.put_u8(b'"');
        }
    }
    if let Some(Revision(revision)) = revision {
        out.put_slice(b",\"revision\":");
        out.put_slice(itoa::Buffer::new().format(revision).as_bytes());
    }
    out.put_u8(b'}');
    Ok(())
}

/// The same of a record that is not stored as it is sent.
pub fn json_of(record: &Record, revision: Option<Revision>) -> Result<Bytes> {
    let mut json = serde_json::to_vec(record)?;
    if let Some(Revision(revision)) = revision {
        json.pop();
        json.extend_from_slice(format!(",\"revision\":{revision}}}").as_bytes());
    }
    Ok(json.into())
}

fn put_id(out: &mut BytesMut, id: Uuid) {
    out.put_u8(b'"');
    out.put_slice(id.as_hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]).as_bytes());
    out.put_u8(b'"');
}

impl Frame {
    /// The frame of a record that has the usual members in the usual order, in their canonical form.
    fn of(members: &Object) -> Option<Self> {
        let names = ["owner", "created_at", "updated_at"];
        let (first, last) = (members.iter().next()?, members.len().checked_sub(4)?);
        let end: Vec<_> = members.iter().skip(1 + last).collect();
        let is_id = first.0 == "id" && RecordId::from_value(first.1).is_some_and(|id| id.to_value() == *first.1);
        if !is_id || !end.iter().map(|(name, _)| name.as_str()).eq(names) {
            return None;
        }
        let owner = match end[0].1 {
            Value::Null => None,
            owner => Some(owner.as_str()?.parse::<UserId>().ok()?.uuid().into_bytes()),
        };
        let [created, updated] = [end[1].1, end[2].1].map(|moment| stamp(moment.as_str()?));
        Some(Self { owner, created: created?, updated: updated?.checked_sub(created?)? })
    }

    fn around_members(self, id: RecordId, fields: Record) -> Record {
        let mut record = Record::default();
        record.set("id", id.to_value());
        record.extend(fields);
        record.set("owner", self.owner_text());
        record.set("created_at", moment(self.created));
        record.set("updated_at", moment(self.created + self.updated));
        record
    }

    fn owner_text(self) -> Option<String> {
        self.owner.map(|owner| UserId::from_uuid(Uuid::from_bytes(owner)).to_string())
    }

    /// The bytes of the JSON around so many bytes of fields' members. A number counts as a UUID, so that no count depends on the id.
    fn around(self, fields: usize) -> usize {
        let id = Hyphenated::LENGTH + 2;
        let fixed = b"{\"id\":,\"owner\":,\"created_at\":\"\",\"updated_at\":\"\"}".len() + id;
        let owner = if self.owner.is_some() { id } else { 4 };
        let moments = moment_length(self.created) + moment_length(self.created + self.updated);
        fixed + owner + moments + fields + usize::from(fields > 0)
    }
}

/// A stamp is twice the microseconds since 1970. (One more where the text that was converted from before 0.2.0 had no zeros at the end of
/// its fraction. It is sent as all others are.)
pub const fn stamp_of(micros: i64) -> i64 {
    micros << 1
}

/// The microseconds of a stamp.
pub const fn micros(stamp: i64) -> i64 {
    stamp >> 1
}

/// A stamp as text: with six digits of a fraction, or none, as [`common::validate::format_moment`] writes it.
pub fn moment(stamp: i64) -> String {
    let mut out = BytesMut::with_capacity(32);
    put_moment(&mut out, stamp);
    String::from_utf8_lossy(&out).into_owned()
}

/// The stamp of a moment in UTC, with as many digits as are kept; `None` for any other text.
pub fn stamp(text: &str) -> Option<i64> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok().filter(|parsed| parsed.offset().is_utc())?;
    let nanos = Some(parsed.unix_timestamp_nanos()).filter(|nanos| nanos % 1000 == 0)?;
    Some(stamp_of(i64::try_from(nanos / 1000).ok()?))
}

/// By hand: a list of records has two in each.
fn put_moment(out: &mut BytesMut, stamp: i64) {
    let micros = micros(stamp);
    let days = micros.div_euclid(DAY);
    let Some(date) = i32::try_from(days).ok().and_then(|days| Date::from_julian_day(EPOCH + days).ok()) else { return };
    let (year, month, day) = date.to_calendar_date();
    let of_day = micros.rem_euclid(DAY);
    let [second, fraction] = [of_day / 1_000_000, of_day % 1_000_000].map(|part| u32::try_from(part).unwrap_or(0));
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut put = |at: usize, number: u32| {
        // Two digits at a time: a list has some five hundred.
        let number = u8::try_from(number % 100).unwrap_or(0);
        text[at] = b'0' + number / 10;
        text[at + 1] = b'0' + number % 10;
    };
    let year = year.unsigned_abs();
    for (at, number) in [
        (0, year / 100),
        (2, year),
        (5, u32::from(u8::from(month))),
        (8, u32::from(day)),
        (11, second / 3600),
        (14, second / 60 % 60),
        (17, second % 60),
        (20, fraction / 10_000),
        (22, fraction / 100),
        (24, fraction),
    ] {
        put(at, number);
    }
    let end = if fraction == 0 { 19 } else { 26 };
    text[end] = b'Z';
    out.put_slice(&text[..=end]);
}

/// The digits of a fraction as it was counted when its stamp was stored.
fn fraction_digits(stamp: i64) -> usize {
    let mut fraction = micros(stamp).rem_euclid(1_000_000);
    if fraction == 0 {
        return 0;
    }
    let mut digits = 6;
    while stamp & 1 == 1 && fraction % 10 == 0 {
        (fraction, digits) = (fraction / 10, digits - 1);
    }
    digits
}

fn moment_length(stamp: i64) -> usize {
    let digits = fraction_digits(stamp);
    b"0000-00-00T00:00:00Z".len() + digits + usize::from(digits > 0)
}

/// A record: the server's members of `old` around new values.
pub fn assemble(old: &Record, values: Record) -> Record {
    let mut record = Record::default();
    let keep = |record: &mut Record, name: &str| record.set(name, old.get(name).cloned().unwrap_or(Value::Null));
    keep(&mut record, "id");
    record.extend(values);
    for name in ["owner", "created_at", "updated_at"] {
        keep(&mut record, name);
    }
    record
}

#[cfg(test)]
mod tests;
