//! Where the words of a search stand in the rows of a list.

use std::collections::BTreeSet;

use common::field::Field;
use serde_json::{Map, Value};

use super::{rows::Row, view::View};
use crate::domain::{
    error::Result,
    records::{
        filter::{WordSearch, terms},
        stored::parse_some,
    },
    search::marks,
    work,
};

/// Rows that are looked at before others get the thread.
const ROWS_BETWEEN_PAUSES: usize = 16;

/// Of each row the members that have what is searched for, each with the stretches of it; `None` where nobody asks for that.
pub(super) async fn highlights(view: &View<'_>, rows: &[Row]) -> Result<Option<Vec<Value>>> {
    let (collection, query) = (&view.schema.collection, view.query);
    if !query.highlight {
        return Ok(None);
    }
    let (words, terms) = (WordSearch::of(&view.schema, query), terms(query));
    let fields = collection.fields.iter().filter(|field| match &words {
        Some(_) => field.searchable,
        None => field.kind.is_searched(),
    });
    let asked: Vec<_> = query.fields.iter().filter_map(|name| collection.field(name)).collect();
    let is_sent = |field: &&Field| query.fields.is_empty() || asked.iter().any(|asked| asked.name == field.name);
    let fields: BTreeSet<&str> = fields.filter(is_sent).map(|field| field.name.as_str()).collect();
    let mut all = Vec::with_capacity(rows.len());
    for (i, (id, entry)) in rows.iter().enumerate() {
        if i % ROWS_BETWEEN_PAUSES == ROWS_BETWEEN_PAUSES - 1 {
            view.deadline.pause().await?;
        }
        let record = parse_some(&view.schema, *id, entry, Some(&fields))?;
        let mut found = Map::new();
        for name in &fields {
            let Some(text) = record.get(name).and_then(Value::as_str) else { continue };
            let stretches = match &words {
                Some(sought) => marks::of_words(text, &sought.words, query.ignores_accents),
                None => marks::of_terms(text, &terms, query.ignores_accents),
            };
            if !stretches.is_empty() {
                work::hold(stretches.len() * size_of::<[Value; 3]>())?;
                found.insert((*name).to_owned(), serde_json::to_value(stretches)?);
            }
        }
        all.push(Value::Object(found));
    }
    Ok(Some(all))
}
