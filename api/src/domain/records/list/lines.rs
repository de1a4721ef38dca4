//! All records that a query asks for, in bounded memory: one a line (`Accept: application/x-ndjson`), or as a file.

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    access::{Action, Caller},
    id::Revision,
    name::CollectionName,
    query::{ListQuery, unknown_parameter},
    record::Record,
    rows::RowFormat,
};

use super::{
    cells::{self, Shape},
    plan::Plan,
    render::shaped,
    rows::{Row, by_id},
    view::{ReadCounts, View},
};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    records::{
        expand::{Column, Expansion},
        filter,
        sort::First,
    },
    sink::{ReceiverClosed, Sink},
    work,
};

/// Bytes that are gathered before they are handed on.
const PIECE: usize = 32 * 1024;
/// Records that are read or put together at once.
const AT_ONCE: usize = 16;

/// Hands on every record that a query asks for, of those that the caller may list. `turns` are those of the request.
pub async fn lines(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    query: &ListQuery,
    turns: &Deadline,
    sink: &Sink,
) -> Result<()> {
    let shape = Shape { format: RowFormat::JsonLines, spreadsheet: false };
    write(core, caller, name, query, shape, turns, sink).await
}

/// The same as a file that an import reads back: without revisions, and for who is no admin without what only the server sets, unless
/// `fields` asks for it.
pub async fn export(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    query: &ListQuery,
    shape: Shape,
    turns: &Deadline,
    sink: &Sink,
) -> Result<()> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    schema.authorize(Action::List, caller)?;
    let mut query = query.clone();
    if query.fields.is_empty() {
        let own = schema.collection.fields.iter().map(|field| field.name.to_string());
        query.fields = if caller.is_admin() {
            let [before, after] = [&["id"][..], &["owner", "created_at", "updated_at"]];
            let named = |names: &'static [&'static str]| names.iter().map(|name| (*name).to_owned());
            named(before).chain(own).chain(named(after)).collect()
        } else {
            own.collect()
        };
    }
    drop(snapshot);
    write(core, caller, name, &query, shape, turns, sink).await
}

async fn write(
    core: &Core,
    caller: &Caller,
    name: &CollectionName,
    query: &ListQuery,
    shape: Shape,
    turns: &Deadline,
    sink: &Sink,
) -> Result<()> {
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::List, caller)?;
    filter::check(core, &snapshot, caller, &schema, query, query.check(&schema.collection)).await?;
    check(query)?;
    let query = &ListQuery { count: false, ..query.clone() };
    let looked = ReadCounts::default();
    let view = View {
        core,
        snapshot: &snapshot,
        caller,
        schema,
        may,
        query,
        deadline: turns,
        looked: &looked,
        reads_all: true,
    };
    let expansion = Expansion::new(core, &snapshot, caller, &view.schema, &query.expand).await?;
    let plan = Plan::new(&view).await?;
    let columns = if shape.format.is_table() { expansion.columns(&view.schema, &query.fields) } else { Vec::new() };
    let mut lines = Lines { view: &view, expansion: &expansion, sink, shape, columns, rows: 0, piece: BytesMut::new() };
    lines.begin();
    let mut walk = plan.walk(&view, Vec::new());
    if plan.is_in_order() {
        while let Some(matches) = walk.next().await? {
            let found: Vec<Row> = matches.into_iter().map(|(row, _)| row).collect();
            if lines.put(&found).await? == Err(ReceiverClosed) {
                return Ok(());
            }
        }
    } else {
        let mut first = First::new(plan.keys(), usize::MAX);
        while let Some(matches) = walk.next().await? {
            for ((id, _), record) in matches {
                first.push(plan.keys().of(&record, &walk.referred), id)?;
            }
        }
        for ids in first.into_ids().chunks(AT_ONCE) {
            turns.pause().await?;
            if lines.put(&by_id(&view, ids.iter().copied()).await?).await? == Err(ReceiverClosed) {
                return Ok(());
            }
        }
    }
    lines.end();
    let _ = lines.hand_on().await;
    Ok(())
}

/// All rows are sent: what asks for some of them, or for what stands beside them, has no place.
fn check(query: &ListQuery) -> Result<()> {
    let none = ListQuery::default();
    let mut errors = common::problem::FieldErrors::new();
    for (name, is_said) in [
        ("page", query.page != none.page),
        ("page_size", query.page_size != none.page_size),
        ("limit", query.limit.is_some()),
        ("cursor", query.cursor.is_some()),
        ("facets", !query.facets.is_empty()),
        ("explain", query.explain),
        ("highlight", query.highlight),
        ("named", query.named),
    ] {
        if is_said {
            errors.push(name, unknown_parameter());
        }
    }
    Ok(errors.or(())?)
}

struct Lines<'a> {
    view: &'a View<'a>,
    expansion: &'a Expansion,
    sink: &'a Sink,
    shape: Shape,
    /// Of a table.
    columns: Vec<Column>,
    /// How many were put.
    rows: usize,
    /// What is gathered.
    piece: BytesMut,
}

impl Lines<'_> {
    /// What stands before the first row.
    fn begin(&mut self) {
        match self.shape.format {
            RowFormat::Json => self.piece.put_slice(b"["),
            RowFormat::JsonLines => {}
            RowFormat::Csv | RowFormat::Tsv => cells::headings(&mut self.piece, self.shape, &self.columns),
        }
    }

    /// What stands behind the last.
    fn end(&mut self) {
        if self.shape.format == RowFormat::Json {
            self.piece.put_slice(if self.rows == 0 { b"]\n" } else { b"\n]\n" });
        }
    }

    /// More rows.
    async fn put(&mut self, found: &[Row]) -> Result<std::result::Result<(), ReceiverClosed>> {
        let query = self.view.query;
        let is_plain = query.fields.is_empty() && query.left_join.is_empty() && self.expansion.is_empty();
        if is_plain && self.shape.format == RowFormat::JsonLines {
            for (id, entry) in found {
                let revision = Revision(entry.version.get());
                self.view.schema.put_json(&mut self.piece, *id, &entry.value, Some(revision))?;
                self.piece.put_u8(b'\n');
            }
        } else {
            for rows in found.chunks(AT_ONCE) {
                for row in self.shaped(rows).await? {
                    self.put_row(&row)?;
                }
                if self.piece.len() >= PIECE && self.hand_on().await == Err(ReceiverClosed) {
                    return Ok(Err(ReceiverClosed));
                }
            }
        }
        if self.piece.len() >= PIECE { Ok(self.hand_on().await) } else { Ok(Ok(())) }
    }

    fn put_row(&mut self, row: &[u8]) -> Result<()> {
        match self.shape.format {
            RowFormat::Json => {
                self.piece.put_slice(if self.rows == 0 { b"\n" } else { b",\n" });
                self.piece.put_slice(row);
            }
            RowFormat::JsonLines => {
                self.piece.put_slice(row);
                self.piece.put_u8(b'\n');
            }
            RowFormat::Csv | RowFormat::Tsv => {
                cells::row(&mut self.piece, self.shape, &self.columns, &Record::from_slice(row)?);
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Rows joined, expanded and cut; one at a time where several do not fit together.
    async fn shaped(&self, rows: &[Row]) -> Result<Vec<Bytes>> {
        let memory = &self.view.core.memory;
        // What is held for these rows is given back with them.
        let of = async |rows: Vec<Row>| {
            work::in_request([0, 0, 0, 0].into(), memory, shaped(self.view, self.expansion, rows)).await
        };
        match of(rows.to_vec()).await {
            Err(Error::TooLargeTogether) if rows.len() > 1 => {}
            done => return done,
        }
        let mut json = Vec::with_capacity(rows.len());
        for row in rows {
            json.extend(of(vec![row.clone()]).await?);
        }
        Ok(json)
    }

    async fn hand_on(&mut self) -> std::result::Result<(), ReceiverClosed> {
        // Others may have the turn while the client takes its time.
        self.view.deadline.give_back();
        if self.piece.is_empty() {
            return Ok(());
        }
        self.sink.send(Ok(self.piece.split().freeze())).await
    }
}
