//! What the commands for records are told.

use std::path::PathBuf;

use clap::Args;
use common::{condition::Condition, id::RecordId, name::CollectionName, query::OrderBy};

use super::{
    form::Form,
    values::{self, Assigned},
};
use crate::cli::{events::parse_filter, server::Asked};

/// How records are written; a table where nothing is said.
#[derive(Debug, Clone, Copy, Args)]
#[group(multiple = false)]
pub(super) struct Forms {
    /// JSON: an array for a list, an object for one record.
    #[arg(long)]
    json: bool,
    /// One JSON object on each line.
    #[arg(long)]
    jsonl: bool,
    /// Comma-separated values, with a line of headings.
    #[arg(long)]
    csv: bool,
    /// The same with tabs.
    #[arg(long)]
    tsv: bool,
}

impl Forms {
    /// Which of them.
    pub(super) fn form(self) -> Form {
        match self {
            Self { json: true, .. } => Form::Json,
            Self { jsonl: true, .. } => Form::JsonLines,
            Self { csv: true, .. } => Form::Csv,
            Self { tsv: true, .. } => Form::Tsv,
            _ => Form::Table,
        }
    }
}

/// Which record.
#[derive(Debug, Args)]
pub(in crate::cli) struct Get {
    /// The collection.
    pub(super) collection: CollectionName,
    /// The record's id.
    pub(super) id: RecordId,
    /// Only these members, in this order.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(super) fields: Vec<String>,
    /// Records in place of the ids that refer to them, such as maker,owner.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(super) expand: Vec<String>,
    #[command(flatten)]
    pub(super) form: Forms,
    #[command(flatten)]
    pub(super) server: Asked,
}

/// Which records.
#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// The collection.
    pub(super) collection: CollectionName,
    /// Only records that match this condition, such as 'price < 3'.
    #[arg(long, value_name = "CONDITION", value_parser = parse_filter)]
    pub(super) filter: Option<Condition>,
    /// Only records with all of these words.
    #[arg(long, value_name = "WORDS")]
    pub(super) search: Option<String>,
    /// The order, such as -price,title.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', allow_hyphen_values = true, value_parser = parse_ordering)]
    pub(super) ordering: Vec<OrderBy>,
    /// Only these members, in this order.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(super) fields: Vec<String>,
    /// Records in place of the ids that refer to them, such as maker,owner.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(super) expand: Vec<String>,
    /// So many records at most; 100 where nothing is said.
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub(super) limit: Option<u64>,
    /// All records that there are. They are written as they come.
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) form: Forms,
    #[command(flatten)]
    pub(super) server: Asked,
}

/// What to make.
#[derive(Debug, Args)]
pub(in crate::cli) struct Create {
    /// The collection.
    pub(super) collection: CollectionName,
    /// FIELD=TEXT, or FIELD:=JSON for numbers, true, null, lists.
    #[arg(value_name = "FIELD=VALUE", value_parser = values::parse)]
    pub(super) values: Vec<Assigned>,
    /// Read a JSON object, an array of objects, or JSON lines from this file; `-` is standard input. All are made, or none.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    #[command(flatten)]
    pub(super) form: Forms,
    #[command(flatten)]
    pub(super) server: Asked,
}

/// What to change.
#[derive(Debug, Args)]
pub(in crate::cli) struct Update {
    /// The collection.
    pub(super) collection: CollectionName,
    /// The record's id.
    pub(super) id: RecordId,
    /// FIELD=TEXT, or FIELD:=JSON for numbers, true, null, lists.
    #[arg(value_name = "FIELD=VALUE", value_parser = values::parse)]
    pub(super) values: Vec<Assigned>,
    /// Read a JSON object from this file; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// Only if the record still has this revision.
    #[arg(long, value_name = "N")]
    pub(super) if_revision: Option<u64>,
    #[command(flatten)]
    pub(super) form: Forms,
    #[command(flatten)]
    pub(super) server: Asked,
}

/// What to delete.
#[derive(Debug, Args)]
pub(in crate::cli) struct Delete {
    /// The collection.
    pub(super) collection: CollectionName,
    /// The records' ids.
    #[arg(required = true, value_name = "ID")]
    pub(super) ids: Vec<RecordId>,
    /// Only if the record still has this revision.
    #[arg(long, value_name = "N")]
    pub(super) if_revision: Option<u64>,
    /// Delete nothing; tell how many records would go.
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) form: Forms,
    #[command(flatten)]
    pub(super) server: Asked,
}

fn parse_ordering(text: &str) -> Result<OrderBy, String> {
    let (field, descending) = text.strip_prefix('-').map_or((text, false), |field| (field, true));
    if field.is_empty() {
        return Err("name a field, such as title or -price".to_owned());
    }
    Ok(OrderBy { field: field.to_owned(), descending })
}
