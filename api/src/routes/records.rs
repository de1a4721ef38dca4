//! `/api/records/`. Records go out as the bytes that are stored.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use common::{
    Endpoint,
    access::Action,
    endpoint::path_and_query,
    endpoints::{operations, records as endpoints},
    id::RecordId,
    many::ManyQuery,
    name::CollectionName,
    query::{ListQuery, RecordQuery},
    record::{Addresses, OneOrMany, Record},
    rows::RowFormat,
    undo::{Deletion, NOT_RESTORED_HEADER},
};
use futures_util::StreamExt as _;
use http::{HeaderMap, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    body::{self, Incoming},
    context::Context,
    cursor,
    input::Input,
    paging::{link, offset_link, page_link},
    reply::{NDJSON, Reply},
    streaming,
    table::Table,
};
use crate::domain::{
    Result,
    intake::{BUFFER, Received, Unreadable},
    records::{self, ImportSent, PageStart, Results, Sending, Sent, Shape},
    sink::Sink,
    work,
};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::Root, _, _>(root);
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Aggregate, _, _>(aggregate);
    table.on::<endpoints::Export, _, _>(export);
    table.on::<endpoints::Import, _, _>(import);
    table.on::<endpoints::Create, _, _>(create);
    table.on::<endpoints::UpdateMany, _, _>(update_many);
    table.on::<endpoints::DeleteMany, _, _>(delete_many);
    table.on::<endpoints::Describe, _, _>(describe);
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Replace, _, _>(replace);
    table.on::<endpoints::Update, _, _>(update);
    table.on::<endpoints::Delete, _, _>(delete);
    table.on::<endpoints::DescribeOne, _, _>(describe_one);
    table.on::<endpoints::Restore, _, _>(restore);
}

/// A list as one JSON text or in lines, as `Accept` has it.
async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    let query = ListQuery { ignores_accents: context.options.search_ignores_accents, ..input.query.clone() };
    let reply = if wants_lines(&input.headers) {
        lines(context, input, query).await?
    } else {
        page(context, &input, &query).await?
    };
    Ok(reply.header(header::VARY, "Accept"))
}

async fn page(context: Context, input: &Input<endpoints::List>, query: &ListQuery) -> Result<Reply<endpoints::List>> {
    let name = &input.params.0;
    let cursors = cursor::Context::new(&context.app.auth().sealer, &input.caller, name, query);
    let core = context.app.core();
    let listed = records::list(core, &input.caller, name, query, cursors.open(query)?).await;
    let listed = records::with_suggestions(core, &input.caller, name, listed).await?;
    let address = |place: Option<PageStart>| -> Result<Value> {
        Ok(match place {
            None => Value::Null,
            Some(PageStart::Page(page)) => page_link(input, page).into(),
            Some(PageStart::Offset(offset)) => {
                offset_link(input, query.limit.unwrap_or(query.page_size), offset).into()
            }
            Some(PageStart::Cursor(cursor)) => link(input, &[("cursor", Some(&cursors.seal(&cursor)?))]).into(),
        })
    };
    let (next, previous) = (address(listed.next)?, address(listed.previous)?);
    let count = listed.count.map_or_else(String::new, |count| format!("\"count\":{count},"));
    let before = format!("{{{count}\"next\":{next},\"previous\":{previous},\"results\":");
    let is_more = listed.explain.is_some() || listed.facets.is_some();
    let is_more = is_more || listed.highlights.is_some() || listed.names.is_some();
    let facets = listed.facets.map_or_else(String::new, |facets| format!(",\"facets\":{}", Value::Object(facets)));
    let highlights =
        listed.highlights.map(|rows| format!(",\"highlights\":{}", Value::Array(rows))).unwrap_or_default();
    let names = listed.names.map_or_else(String::new, |names| format!(",\"names\":{}", Value::Object(names)));
    let explain = listed.explain.map_or_else(String::new, |explain| format!(",\"explain\":{explain}"));
    let after = format!("{facets}{highlights}{names}{explain}}}");
    let tag = match (&listed.versions, &listed.results) {
        _ if is_more || listed.results.bytes() > MAX_TAGGED => None,
        (Some(versions), _) => Some(etag_of(before.as_bytes(), versions)),
        (None, Results::Whole(json)) => Some(etag_of(before.as_bytes(), json)),
        (None, Results::Each(_)) => None,
    };
    if let Some(etag) = tag.as_ref().filter(|etag| input.has_etag(etag)) {
        return Ok(Reply::not_modified_bytes(etag));
    }
    let reply = Reply::with_results(before.into(), listed.results, after.into());
    Ok(match tag {
        Some(etag) => reply.tagged(&etag),
        None => reply,
    })
}

/// What a list in lines holds: pieces, what is read for the next, and what is put together.
const LINES_HELD: u64 = 2 * 1024 * 1024;

/// All rows, one a line.
async fn lines(context: Context, input: Input<endpoints::List>, query: ListQuery) -> Result<Reply<endpoints::List>> {
    let held = context.app.core().memory.charge(LINES_HELD)?;
    let (turns, address) = (context.app.core().turns(), input.origin.address);
    let making = context.clone();
    let make = move |sink: Sink| async move {
        records::lines(making.app.core(), &input.caller, &input.params.0, &query, &turns, &sink).await
    };
    Ok(Reply::lines(streaming::begin(&context, address, held, make).await?))
}

/// All rows as a file. `format` says which, or else what the client accepts; for a spreadsheet program that is a table, CSV if nothing is said.
async fn export(context: Context, input: Input<endpoints::Export>) -> Result<Reply<endpoints::Export>> {
    let query = &input.query;
    let fits =
        |format: &RowFormat| (format.is_table() || !query.spreadsheet) && accepts(&input.headers, format.media_type());
    let usual = if query.spreadsheet { RowFormat::Csv } else { RowFormat::default() };
    let format = query.format.or_else(|| RowFormat::ALL.into_iter().find(fits)).unwrap_or(usual);
    let shape = Shape { format, spreadsheet: query.spreadsheet };
    let mut records = query.records.clone();
    records.ignores_accents = context.options.search_ignores_accents;
    let held = context.app.core().memory.charge(LINES_HELD)?;
    let (turns, address) = (context.app.core().turns(), input.origin.address);
    let kind = if query.spreadsheet { "spreadsheet." } else { "" };
    let file = format!("attachment; filename=\"{}.{kind}{format}\"", input.params.0);
    let making = context.clone();
    let make = move |sink: Sink| async move {
        records::export(making.app.core(), &input.caller, &input.params.0, &records, shape, &turns, &sink).await
    };
    let pieces = streaming::begin(&context, address, held, make).await?;
    Ok(Reply::stream(pieces).written_as(format.media_type()).header(header::CONTENT_DISPOSITION, &file))
}

/// A file, kept while it comes.
pub(super) async fn received(context: &Context, headers: &HeaderMap, mut incoming: Incoming) -> Result<Received> {
    // One that says that it is too large need not come.
    context.app.core().spool.check(body::told_length(headers).unwrap_or(0))?;
    // What is gathered of it, and of its rows.
    work::hold(2 * BUFFER)?;
    let mut file = context.app.core().spool.receive().map_err(Unreadable::from)?;
    while let Some(piece) = incoming.next().await {
        let piece = piece.map_err(|_| Unreadable::whole("The file ended early. Send it again."))?;
        file.push(&piece)?;
    }
    Ok(file)
}

/// The file is read when it is whole.
async fn import(context: Context, input: Input<endpoints::Import>) -> Result<Reply<endpoints::Import>> {
    let (core, name) = (context.app.core(), &input.params.0);
    records::authorize(core, &input.caller, name, Action::Create).await?;
    let file = received(&context, &input.headers, input.incoming()).await?;
    let by = input.actor();
    let sent = ImportSent { file, told: body::told(&input.headers) };
    let imported = records::import(core, by, name, &input.query, sent).await?;
    let reply = Reply::new(&imported)?;
    let Some(id) = imported.operation.filter(|_| !imported.state.is_over()) else { return Ok(reply) };
    let location = input.link::<operations::Get>(&(id,), &());
    Ok(reply.accepted().header(header::LOCATION, &location))
}

/// Whether a client names a media type, and would take it.
fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let essence = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let mut ranges = ranges.flat_map(|line| line.split(','));
    ranges.any(|range| essence(range) == essence(media_type) && !range.replace(' ', "").ends_with(";q=0"))
}

/// Whether a client would rather have lines than one JSON text (RFC 9110 §12.5.1).
fn wants_lines(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let (mut lines, mut json) = (0.0, 0.0);
    for range in accepts.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let of = match parts.next().map(str::to_ascii_lowercase).as_deref() {
            Some(NDJSON) => &mut lines,
            Some("application/json") => &mut json,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |quality| quality.parse().ok());
        *of = quality.unwrap_or(0.0_f32);
    }
    lines > 0.0 && lines >= json
}

async fn aggregate(context: Context, input: Input<endpoints::Aggregate>) -> Result<Reply<endpoints::Aggregate>> {
    let mut query = input.query.clone();
    query.records.ignores_accents = context.options.search_ignores_accents;
    let (core, name) = (context.app.core(), &input.params.0);
    let groups = records::aggregate(core, &input.caller, name, &query).await;
    let groups = records::with_suggestions(core, &input.caller, name, groups).await?;
    let (count, results, names) = (groups.count, groups.results, Value::Object(groups.names));
    let explain = groups.explain.map_or_else(String::new, |explain| format!(",\"explain\":{explain}"));
    let json = Bytes::from(format!("{{\"count\":{count},\"results\":{results},\"names\":{names}{explain}}}"));
    if json.len() > MAX_TAGGED {
        return Ok(Reply::stored_json(json));
    }
    let etag = etag_of(b"", &json);
    if input.has_etag(&etag) {
        return Ok(Reply::not_modified_bytes(&etag));
    }
    Ok(Reply::stored_json(json).tagged(&etag))
}

/// Lists up to this size have an entity tag.
pub(super) const MAX_TAGGED: usize = 1024 * 1024;

/// The entity tag of a list, of what stands before its rows and what the rows follow from. It is a weak one, since they may go out
/// compressed (RFC 9110 §8.8.1).
pub(super) fn etag_of(before: &[u8], rows: &[u8]) -> String {
    let digest = Sha256::new().chain_update(before).chain_update(rows).finalize();
    format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]))
}

async fn root(context: Context, input: Input<endpoints::Root>) -> Result<Reply<endpoints::Root>> {
    let names = records::collections(context.app.core(), &input.caller).await?;
    let link = |name: CollectionName| {
        let address = input.link::<endpoints::List>(&(name.clone(),), &ListQuery::default());
        (name.to_string(), address)
    };
    Reply::new(&Addresses(names.into_iter().map(link).collect()))
}

async fn create(context: Context, input: Input<endpoints::Create>) -> Result<Reply<endpoints::Create>> {
    let base = input.base_url();
    let many = matches!(input.body, OneOrMany::Many(_));
    let by = input.actor();
    let mut written =
        records::create(context.app.core(), by, &input.params.0, input.body.clone(), input.manner()).await?;
    let name = input.params.0;
    if !many && let Some(sent) = written.pop() {
        let location = base + &path_and_query::<endpoints::Get>(&(name, sent.id), &RecordQuery::default());
        return Ok(Reply::stored_record(sent).header(header::LOCATION, &location));
    }
    Ok(Reply::stored_records(&written))
}

async fn describe(context: Context, input: Input<endpoints::Describe>) -> Result<Reply<endpoints::Describe>> {
    let (description, nobodys) = records::describe(context.app.core(), &input.caller, &input.params.0, None).await?;
    Ok(Reply::new(&description)?.without(nobodys))
}

async fn describe_one(context: Context, input: Input<endpoints::DescribeOne>) -> Result<Reply<endpoints::DescribeOne>> {
    let (name, id) = &input.params;
    let (description, nobodys) = records::describe(context.app.core(), &input.caller, name, Some(*id)).await?;
    Ok(Reply::new(&description)?.without(nobodys))
}

async fn get(context: Context, input: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    let (name, id) = &input.params;
    let sent = records::get(context.app.core(), &input.caller, name, *id, &input.query).await?;
    Ok(one(&input, sent))
}

/// The answer to who asks for a record: it, or that the caller has it.
pub(super) fn one(input: &Input<endpoints::Get>, sent: Sent) -> Reply<endpoints::Get> {
    // The entity tag tells of the record alone, and not of what stands in it in place of ids.
    if !input.query.expand.is_empty() {
        return Reply::stored_json(sent.json);
    }
    let etag = sent.etag();
    if input.has_etag(&etag) {
        return Reply::not_modified_bytes(&etag);
    }
    Reply::stored_record(sent)
}

async fn replace(context: Context, input: Input<endpoints::Replace>) -> Result<Reply<endpoints::Replace>> {
    Ok(Reply::stored_record(change(&context, &input, &input.body, false).await?))
}

async fn update(context: Context, input: Input<endpoints::Update>) -> Result<Reply<endpoints::Update>> {
    Ok(Reply::stored_record(change(&context, &input, &input.body, true).await?))
}

/// Changes the record that a request names to what `body` says; under published paths too.
pub(super) async fn change<E: Endpoint<Params = (CollectionName, RecordId)>>(
    context: &Context,
    input: &Input<E>,
    body: &Record,
    is_partial: bool,
) -> Result<Sent> {
    let ((name, id), precondition) = (&input.params, input.precondition());
    let sending = Sending { body, is_partial, manner: input.manner() };
    records::update(context.app.core(), input.actor(), name, *id, sending, precondition.as_ref()).await
}

/// Deletes a record, or says what that would delete; under published paths too.
pub(super) async fn delete(context: Context, input: Input<endpoints::Delete>) -> Result<Reply<endpoints::Delete>> {
    let precondition = input.precondition();
    let (name, id) = &input.params;
    let core = context.app.core();
    if input.query.dry_run {
        let counts = records::would_delete(core, &input.caller, name, *id, precondition.as_ref()).await?;
        let deletion = Deletion { count: counts.total(), counts: counts.into_inner() };
        return Ok(Reply::<endpoints::DryDelete>::new(&deletion)?.instead());
    }
    let left = records::delete(core, &input.caller, name, *id, precondition.as_ref()).await?;
    let Some(operation) = left else { return Ok(Reply::no_content()) };
    let location = input.link::<operations::Get>(&(operation.id,), &());
    Ok(Reply::<endpoints::Deleting>::new(&operation)?.header(header::LOCATION, &location).instead())
}

async fn update_many(context: Context, input: Input<endpoints::UpdateMany>) -> Result<Reply<endpoints::UpdateMany>> {
    let query = many(&context, &input.query);
    let by = input.actor();
    let sent = Sending { body: &input.body, is_partial: true, manner: input.manner() };
    Reply::new(&records::update_many(context.app.core(), by, &input.params.0, &query, sent).await?)
}

async fn delete_many(context: Context, input: Input<endpoints::DeleteMany>) -> Result<Reply<endpoints::DeleteMany>> {
    let query = many(&context, &input.query);
    Reply::new(&records::delete_many(context.app.core(), &input.caller, &input.params.0, &query).await?)
}

fn many(context: &Context, query: &ManyQuery) -> ManyQuery {
    let mut query = query.clone();
    query.records.ignores_accents = context.options.search_ignores_accents;
    query
}

async fn restore(context: Context, input: Input<endpoints::Restore>) -> Result<Reply<endpoints::Restore>> {
    let (name, id, revision) = &input.params;
    let by = input.actor();
    let precondition = input.precondition();
    let (sent, lost) =
        records::restore(context.app.core(), by, name, *id, *revision, input.query, precondition.as_ref()).await?;
    let reply = Reply::stored_record(sent);
    if lost.is_empty() {
        return Ok(reply);
    }
    Ok(reply.header(header::HeaderName::from_static(NOT_RESTORED_HEADER), &lost.join(", ")))
}
