//! How what records look like changed, from one version of a collection's definition to the next. A definition keeps its steps.

use common::{
    conversion::Conversion,
    field::{Field, FieldType},
    id::{FieldId, OperationId},
    json::Exact,
    name::FieldName,
};
use serde::{Deserialize, Serialize};

/// How what records look like changed from one version of a definition to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The version that it led to.
    pub version: u32,
    /// What became of fields. Nothing where they only stand in another order.
    pub fields: Vec<FieldStep>,
    /// They stand in another order, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_reordered: bool,
    /// What made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
}

/// What became of a field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldStep {
    /// It got another name.
    Renamed {
        /// Which one.
        field: FieldId,
        /// What it was called.
        from: FieldName,
    },
    /// It is new.
    Added {
        /// Which one.
        field: FieldId,
        /// What earlier records have there.
        value: Exact,
    },
    /// It is gone.
    Dropped {
        /// What it was.
        was: Box<Field>,
    },
    /// It is back, with the values that it had.
    Revived {
        /// Which one.
        field: FieldId,
    },
    /// It is back, and records that were made while it was gone have this in it. What it is was decided when it came back.
    Filled {
        /// Which one.
        field: FieldId,
        /// What they have there.
        value: Exact,
    },
    /// Its values are others.
    Converted {
        /// What its type was.
        from: Box<FieldType>,
        /// What it is.
        to: Box<Field>,
        /// How values change, beside what loses nothing.
        convert: Conversion,
    },
    /// It takes more than before. Its values stay, and so does what records look like: this only says from when on there may be others.
    Loosened {
        /// Which one.
        field: FieldId,
    },
    /// Its values are what they were before the step to a version. Where that is not known, since they were written after it, they are
    /// converted.
    Restored {
        /// That version.
        since: u32,
        /// What its type was.
        from: Box<FieldType>,
        /// What it is.
        to: Box<Field>,
        /// What becomes of what does not fit.
        convert: Conversion,
    },
}

impl Step {
    /// Whether records look otherwise with it, if only by the order of their fields.
    pub fn changes_looks(&self) -> bool {
        self.is_reordered || self.fields.is_empty() || self.changes_fields()
    }

    /// Whether anything becomes of fields.
    pub fn changes_fields(&self) -> bool {
        self.fields.iter().any(|field| !matches!(field, FieldStep::Loosened { .. }))
    }
}
