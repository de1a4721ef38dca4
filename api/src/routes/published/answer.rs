//! What is done under published paths, and its answers.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    Endpoint,
    access::Caller,
    endpoints::records as endpoints,
    id::RecordId,
    metadata::Metadata,
    name::CollectionName,
    problem::{FieldError, FieldErrors, NON_FIELD},
    published::{ListForm, Source},
    query::{ListQuery, RecordQuery},
    record::{OneOrMany, Record},
    text,
};
use http::header;
use serde_json::{Map, Value, json};

use super::{
    super::{
        context::Context,
        cursor,
        input::Input,
        paging::{link, offset_link, page_link},
        records::{self as own, MAX_TAGGED, etag_of, one},
        reply::Reply,
        table::Table,
    },
    query,
    request::{Does, Published},
};
use crate::domain::{
    Result,
    error::Error,
    paths::{Verb, Write},
    records::{self, Listed, PageStart, Results, Sent},
};

pub(in crate::routes) fn register(table: &mut Table) {
    table.on_published::<endpoints::List, _, _>(Does::Verb(Verb::List), list);
    table.on_published::<endpoints::Create, _, _>(Does::Verb(Verb::Create), create);
    table.on_published::<endpoints::Get, _, _>(Does::Verb(Verb::View), view);
    table.on_published::<endpoints::Replace, _, _>(Does::Verb(Verb::Replace), replace);
    table.on_published::<endpoints::Update, _, _>(Does::Verb(Verb::Patch), patch);
    table.on_published::<endpoints::Delete, _, _>(Does::Verb(Verb::Delete), own::delete);
    table.on_published::<endpoints::Describe, _, _>(Does::Describe, describe);
    table.on_published::<endpoints::DescribeOne, _, _>(Does::DescribeOne, describe_one);
}

/// The path of a request that came by one.
fn path<E: Endpoint>(input: &Input<E>) -> Result<&Published> {
    input.published.as_ref().ok_or(Error::NotFound)
}

async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    let (name, on) = (&input.params.0, path(&input)?);
    let mut query = ListQuery { ignores_accents: context.options.search_ignores_accents, ..input.query.clone() };
    query::whole(on, &mut query);
    if on.path.projection.is_some() {
        query.expand = records::expandable(context.app.core(), &input.caller, name, &query.expand).await?;
    }
    let cursors = cursor::Context::new(&context.app.auth().sealer, &input.caller, name, &query);
    let listed = records::list(context.app.core(), &input.caller, name, &query, cursors.open(&query)?).await?;
    let form = on.path.definition.list;
    if form == ListForm::Array && !on.is_paged && listed.next.is_some() {
        let limit = on.path.definition.limit;
        let message = format!(
            "There are more than {limit} records here, which is the most that this path sends at once. Ask for fewer by filters, or for parts by limit and offset."
        );
        return Err(FieldErrors::of(NON_FIELD, FieldError::new("too_many", message)).into());
    }
    let size = listed.results.bytes();
    let (before, after) = match form {
        ListForm::Array => (Bytes::new(), Bytes::new()),
        _ => (envelope(&input, &cursors, &listed)?, Bytes::from_static(b"}")),
    };
    let each = match listed.results {
        Results::Each(each) if size > MAX_TAGGED => each,
        results => {
            let results = results.into_whole()?;
            let mut json = BytesMut::with_capacity(before.len() + results.len() + results.len() / 4 + after.len());
            json.put_slice(&before);
            match &on.path.projection {
                None => json.put_slice(&results),
                Some(projection) => projection.put_all(&results, &|name| on.has_field(name), &mut json)?,
            }
            json.put_slice(&after);
            let json = json.freeze();
            let etag = etag_of(&[], &json);
            if input.has_etag(&etag) {
                return Ok(Reply::not_modified_bytes(&etag));
            }
            return Ok(Reply::stored_json(json).tagged(&etag));
        }
    };
    let (path, fields) = (Arc::clone(&on.path), on.fields.clone());
    let rows = each.into_json().map(move |row| {
        let Some(projection) = &path.projection else { return row };
        let row = row?;
        let mut shown = BytesMut::with_capacity(row.len() + row.len() / 4);
        projection.put(&row, &|name| is_asked_for(&fields, name), &mut shown)?;
        Ok(shown.freeze())
    });
    Ok(Reply::json_pieces(records::in_pieces(before, rows, after), size))
}

/// What stands before the rows of a page.
fn envelope(input: &Input<endpoints::List>, cursors: &cursor::Context<'_>, listed: &Listed) -> Result<Bytes> {
    let address = |place: Option<&PageStart>| -> Result<Value> {
        Ok(match place {
            None => Value::Null,
            Some(PageStart::Page(page)) => page_link(input, *page).into(),
            Some(PageStart::Offset(offset)) => {
                offset_link(input, input.query.limit.unwrap_or(input.query.page_size), *offset).into()
            }
            Some(PageStart::Cursor(cursor)) => link(input, &[("cursor", Some(&cursors.seal(cursor)?))]).into(),
        })
    };
    let (next, previous) = (address(listed.next.as_ref())?, address(listed.previous.as_ref())?);
    let count = listed.count.map_or_else(String::new, |count| format!("\"count\":{count},"));
    Ok(format!("{{{count}\"next\":{next},\"previous\":{previous},\"results\":").into())
}

fn is_asked_for(fields: &[String], name: &str) -> bool {
    fields.is_empty() || fields.iter().any(|field| field == name)
}

impl Published {
    fn has_field(&self, name: &str) -> bool {
        is_asked_for(&self.fields, name)
    }

    /// A record as the path sends it.
    fn shown(&self, record: &[u8]) -> Result<Bytes> {
        let Some(projection) = &self.path.projection else { return Ok(Bytes::copy_from_slice(record)) };
        let mut json = BytesMut::with_capacity(record.len() + record.len() / 4);
        projection.put(record, &|name| self.has_field(name), &mut json)?;
        Ok(json.freeze())
    }

    /// A record that was written as the path sends it, with what it refers to as far as the caller may view it.
    async fn written(&self, context: &Context, caller: &Caller, name: &CollectionName, sent: Sent) -> Result<Sent> {
        let Some(projection) = &self.path.projection else { return Ok(sent) };
        let mut json = sent.json.clone();
        if projection.is_expanded {
            let expand = records::expandable(context.app.core(), caller, name, &self.path.expand).await?;
            let query = RecordQuery { expand, ..RecordQuery::default() };
            match records::get(context.app.core(), caller, name, sent.id, &query).await {
                Ok(expanded) => json = expanded.json,
                // Whoever may write it need not be one who may view it.
                Err(Error::NotFound | Error::Denied | Error::NobodyMay(_) | Error::Unauthenticated(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Sent { json: self.shown(&json)?, ..sent })
    }
}

async fn create(context: Context, input: Input<endpoints::Create>) -> Result<Reply<endpoints::Create>> {
    let (name, on) = (&input.params.0, path(&input)?);
    let core = context.app.core();
    let manner = input.manner();
    let body = on.bodies(core, &input.caller, input.body.clone(), manner.ignores_unknown).await?;
    let many = matches!(body, OneOrMany::Many(_));
    let by = input.actor();
    let written = records::create(core, by, name, body, manner).await?;
    let mut shown = Vec::with_capacity(written.len());
    for sent in written {
        shown.push(on.written(&context, &input.caller, name, sent).await?);
    }
    if !many && let Some(sent) = shown.pop() {
        let lookup = on.lookup_of(&context, &input.caller, name, &sent).await?;
        let location = lookup.map(|lookup| format!("{}{}{lookup}/", input.base_url(), on.address));
        let mut reply = Reply::stored_record(sent);
        if let Some(location) = location {
            reply = reply.header(header::LOCATION, &location);
        }
        return Ok(reply);
    }
    Ok(Reply::stored_records(&shown))
}

impl Published {
    /// Changes the record that a request names to what `body` says under published names: whole, or in part.
    async fn changed<E: Endpoint<Params = (CollectionName, RecordId)>>(
        &self,
        context: &Context,
        input: &Input<E>,
        body: &Record,
        is_whole: bool,
    ) -> Result<Sent> {
        let (core, ignores_unknown) = (context.app.core(), input.manner().ignores_unknown);
        let body = self.change(core, &input.caller, body.clone(), ignores_unknown, is_whole).await?;
        let sent = own::change(context, input, &body, !is_whole || self.is_part()).await?;
        self.written(context, &input.caller, &input.params.0, sent).await
    }

    /// What names a record in the address that it has there; `None` where it has none.
    async fn lookup_of(
        &self,
        context: &Context,
        caller: &Caller,
        name: &CollectionName,
        sent: &Sent,
    ) -> Result<Option<String>> {
        let has_address = self.path.addresses.iter().any(|address| address.record.is_some());
        let lookup = self.path.definition.lookup.as_str();
        if !has_address {
            return Ok(None);
        }
        if lookup == "id" {
            return Ok(Some(sent.id.to_string()));
        }
        let query = RecordQuery { fields: vec![lookup.to_owned()], ..RecordQuery::default() };
        let Ok(found) = records::get(context.app.core(), caller, name, sent.id, &query).await else { return Ok(None) };
        let found: Value = serde_json::from_slice(&found.json)?;
        let value = found.get(lookup).filter(|value| !value.is_null());
        let text = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let encode =
            |text: String| percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
        Ok(text.map(encode).map(|text| text.replace("%2D", "-").replace("%5F", "_").replace("%2E", ".")))
    }
}

async fn view(context: Context, input: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    let ((name, id), on) = (&input.params, path(&input)?);
    let mut query = input.query.clone();
    if on.path.projection.is_some() {
        query.expand = records::expandable(context.app.core(), &input.caller, name, &query.expand).await?;
    }
    let sent = records::get(context.app.core(), &input.caller, name, *id, &query).await?;
    let sent = Sent { json: on.shown(&sent.json)?, ..sent };
    Ok(one(&input, sent))
}

async fn replace(context: Context, input: Input<endpoints::Replace>) -> Result<Reply<endpoints::Replace>> {
    let on = path(&input)?;
    Ok(Reply::stored_record(on.changed(&context, &input, &input.body, true).await?))
}

async fn patch(context: Context, input: Input<endpoints::Update>) -> Result<Reply<endpoints::Update>> {
    let on = path(&input)?;
    Ok(Reply::stored_record(on.changed(&context, &input, &input.body, false).await?))
}

async fn describe(context: Context, input: Input<endpoints::Describe>) -> Result<Reply<endpoints::Describe>> {
    let (description, nobodys) = records::describe(context.app.core(), &input.caller, &input.params.0, None).await?;
    Ok(Reply::new(&described(path(&input)?, description))?.without(nobodys))
}

async fn describe_one(context: Context, input: Input<endpoints::DescribeOne>) -> Result<Reply<endpoints::DescribeOne>> {
    let (name, id) = &input.params;
    let (description, nobodys) = records::describe(context.app.core(), &input.caller, name, Some(*id)).await?;
    Ok(Reply::new(&described(path(&input)?, description))?.without(nobodys))
}

/// The metadata of a collection's records as the path has them.
fn described(on: &Published, metadata: Metadata) -> Metadata {
    let Some(writes) = &on.path.writes else { return metadata };
    let of_method = |fields: Value| -> Value {
        let Value::Object(fields) = fields else { return fields };
        let read_only = |mut field: Value| {
            (field["read_only"], field["required"]) = (true.into(), false.into());
            field
        };
        if on.path.members().is_empty() {
            let field = |(name, field): (String, Value)| match writes.get(&name) {
                Some(Write::ReadOnly) => (name, read_only(field)),
                _ => (name, field),
            };
            return Value::Object(fields.into_iter().map(field).collect());
        }
        let mut described = Map::new();
        for member in &on.path.members().0 {
            let own = match &member.source {
                Source::Path(path) => fields.get(path).cloned(),
                Source::Members(_) => None,
            };
            let write = writes.get(&member.name);
            let field = match (own, write) {
                (Some(field), Some(Write::Field(_))) => field,
                (Some(field), _) => read_only(field),
                (None, Some(Write::Reference(field) | Write::Unique { field, .. })) => {
                    fields.get(field).cloned().unwrap_or_default()
                }
                (None, _) => json!({"type": "field", "required": false, "read_only": true}),
            };
            let mut field = field;
            field["label"] = text::label(&member.name).into();
            described.insert(member.name.clone(), field);
        }
        Value::Object(described)
    };
    let actions = metadata.actions.into_iter().map(|(method, fields)| (method, of_method(fields))).collect();
    Metadata { actions, ..metadata }
}
