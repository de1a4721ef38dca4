//! All records that a query asks for, one a line, in bounded memory: `Accept: application/x-ndjson`.

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    access::{Action, Caller},
    id::Revision,
    name::CollectionName,
    query::{ListQuery, unknown_parameter},
};

use super::{
    ReadCounts, View,
    plan::Plan,
    rows::{Found, by_id},
    shaped,
};
use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    records::{expand::Expansion, sort::First},
    sink::{Gone, Sink},
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
    let snapshot = core.store.snapshot().await?;
    let schema = core.schemas.find(&snapshot, name, caller).await?;
    let may = schema.authorize(Action::List, caller)?;
    query.check(&schema.collection)?;
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
    let mut lines = Lines { view: &view, expansion: &expansion, sink, piece: BytesMut::new() };
    let mut walk = plan.walk(&view, Vec::new());
    if plan.is_in_order() {
        while let Some(matches) = walk.next().await? {
            let found: Vec<Found> = matches.into_iter().map(|(row, _)| row).collect();
            if lines.put(&found).await? == Err(Gone) {
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
            if lines.put(&by_id(&view, ids.iter().copied()).await?).await? == Err(Gone) {
                return Ok(());
            }
        }
    }
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
    /// What is gathered.
    piece: BytesMut,
}

impl Lines<'_> {
    /// More rows.
    async fn put(&mut self, found: &[Found]) -> Result<std::result::Result<(), Gone>> {
        let query = self.view.query;
        if query.fields.is_empty() && query.left_join.is_empty() && self.expansion.is_empty() {
            for (id, entry) in found {
                let revision = Revision(entry.version.get());
                self.view.schema.put_json(&mut self.piece, *id, &entry.value, Some(revision))?;
                self.piece.put_u8(b'\n');
            }
        } else {
            for rows in found.chunks(AT_ONCE) {
                for row in self.shaped(rows).await? {
                    self.piece.put_slice(&row);
                    self.piece.put_u8(b'\n');
                }
            }
        }
        if self.piece.len() >= PIECE { Ok(self.hand_on().await) } else { Ok(Ok(())) }
    }

    /// Rows joined, expanded and cut; one at a time where several do not fit together.
    async fn shaped(&self, rows: &[Found]) -> Result<Vec<Bytes>> {
        let memory = &self.view.core.memory;
        // What is held for these rows is given back with them.
        let of = async |rows: Vec<Found>| {
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

    async fn hand_on(&mut self) -> std::result::Result<(), Gone> {
        // Others may have the turn while the client takes its time.
        self.view.deadline.give_back();
        if self.piece.is_empty() {
            return Ok(());
        }
        self.sink.send(Ok(self.piece.split().freeze())).await
    }
}
