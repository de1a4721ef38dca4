//! Undoing: what one request did, what a deletion would do, and what a revert did. Everything that a request writes is one operation,
//! which its answer names in [`OPERATION_HEADER`].

use serde::{Deserialize, Serialize};

use crate::{
    answer::JsonAnswer,
    change::{Change, Subject, Verb, page_size},
    id::{OperationId, UserId},
    name::CollectionName,
    operation::OperationState,
    problem::{FieldError, FieldErrors},
    query::{Pairs, Query, flags, parameter, read_each, truth},
    reader::invalid,
};

/// The header in which an answer says which operation its request was. A request that changed nothing was none.
pub const OPERATION_HEADER: &str = "operation";

/// The header in which a restored record's answer names the fields of the version that the collection has no more.
pub const NOT_RESTORED_HEADER: &str = "not-restored";

/// How many things of one kind something was or would be done to, as far as the caller may view them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counted {
    /// Of which kind the things are.
    pub subject: Subject,
    /// The collection of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<CollectionName>,
    /// What is done.
    pub action: Verb,
    /// To how many.
    pub count: u64,
}

/// What a deletion would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deletion {
    /// How many records it would delete or change.
    pub count: u64,
    /// The same by collection: `delete` where a record would go, `update` where a reference would become null.
    pub counts: Vec<Counted>,
}

impl JsonAnswer for Deletion {}

/// What one operation did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperationChanges {
    /// Which operation.
    pub operation: OperationId,
    /// When it began: RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// The user whose request it was; null where nobody was signed in.
    pub by: Option<UserId>,
    /// The operation that this one undid; null where it undid none.
    pub reverts: Option<OperationId>,
    /// Some of it is in the journal no more, its beginning or what was erased: the counts are of what is left, and it cannot be undone.
    #[serde(default, rename = "partial", skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
    /// How many things it changed that the caller may view.
    pub count: u64,
    /// The same by kind.
    pub counts: Vec<Counted>,
    /// The absolute address of the changes that come after; null where there are no more.
    pub next: Option<String>,
    /// The changes, in the order in which they were made.
    pub results: Vec<Change>,
}

impl JsonAnswer for OperationChanges {}

/// Which fields could not be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotRestored {
    /// The collection that has the field no more, or in whose field the value became null by a conversion.
    pub collection: CollectionName,
    /// The field.
    pub field: String,
    /// In how many records it had a value.
    pub count: u64,
}

/// What a revert did, or has begun to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reverted {
    /// The operation that the revert is: reverting it does everything again.
    pub operation: OperationId,
    /// The operation that it undoes.
    pub reverts: OperationId,
    /// `done`; or `running` or `waiting` where it is done in the background: `/api/operations/{operation}/` tells how far it is.
    pub state: OperationState,
    /// How many things it changed that the caller may view; 0 while it runs.
    pub count: u64,
    /// The same by kind.
    pub counts: Vec<Counted>,
    /// How many were changed since, and left as they are.
    pub skipped: u64,
    /// What could not be put back, since its field is gone, or was converted since.
    pub not_restored: Vec<NotRestored>,
}

impl JsonAnswer for Reverted {}

/// What a revert would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reverting {
    /// The operation that it would undo.
    pub reverts: OperationId,
    /// How many things it would change that the caller may view.
    pub count: u64,
    /// The same by kind.
    pub counts: Vec<Counted>,
    /// How many were changed since, and would stay as they are.
    pub skipped: u64,
    /// What could not be put back, since its field is gone, or was converted since.
    pub not_restored: Vec<NotRestored>,
}

impl JsonAnswer for Reverting {}

/// What becomes of things that were changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// Nothing is undone.
    #[default]
    Refuse,
    /// They stay as they are.
    Skip,
    /// They go back too.
    Overwrite,
}

impl Changed {
    /// Takes the word of a parameter.
    pub fn take(&mut self, value: &str) -> Result<(), FieldError> {
        *self = match value {
            "skip" => Self::Skip,
            "overwrite" => Self::Overwrite,
            _ => return Err(invalid("This is skip or overwrite.")),
        };
        Ok(())
    }

    /// As the parameter `changed`; nothing where it is left out.
    pub fn to_pairs(self) -> Pairs {
        match self {
            Self::Refuse => Vec::new(),
            Self::Skip => vec![parameter("changed", "skip")],
            Self::Overwrite => vec![parameter("changed", "overwrite")],
        }
    }
}

/// The parameters of a revert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RevertQuery {
    /// `changed`.
    pub changed: Changed,
    /// Nothing is undone; what would be is told.
    pub dry_run: bool,
}

impl Query for RevertQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        read_each(pairs, |query: &mut Self, name, value| match name {
            "changed" => Some(query.changed.take(value)),
            "dry_run" => Some(truth(&mut query.dry_run, value)),
            _ => None,
        })
    }

    fn to_pairs(&self) -> Pairs {
        self.changed.to_pairs().into_iter().chain(flags([("dry_run", self.dry_run)])).collect()
    }
}

/// The parameters of a restoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RestoreQuery {
    /// Fields that the version had, and the collection has no more, come back too. For admins.
    pub fields: bool,
}

impl Query for RestoreQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        read_each(pairs, |query: &mut Self, name, value| (name == "fields").then(|| truth(&mut query.fields, value)))
    }

    fn to_pairs(&self) -> Pairs {
        flags([("fields", self.fields)])
    }
}

/// The parameters of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeleteQuery {
    /// Nothing is deleted; what would be is told.
    pub dry_run: bool,
}

impl Query for DeleteQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        read_each(pairs, |query: &mut Self, name, value| (name == "dry_run").then(|| truth(&mut query.dry_run, value)))
    }

    fn to_pairs(&self) -> Pairs {
        flags([("dry_run", self.dry_run)])
    }
}

/// The parameters of an operation's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OperationQuery {
    /// How many changes are passed over.
    pub offset: u64,
    /// So many at most.
    pub page_size: Option<usize>,
}

impl Query for OperationQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        read_each(pairs, |query: &mut Self, name, value| match name {
            "offset" => Some(
                value
                    .parse()
                    .map(|offset| query.offset = offset)
                    .map_err(|_| invalid("This is not a number of changes.")),
            ),
            "page_size" => Some(page_size(value).map(|size| query.page_size = Some(size))),
            _ => None,
        })
    }

    fn to_pairs(&self) -> Pairs {
        let offset = (self.offset > 0).then(|| parameter("offset", &self.offset));
        offset.into_iter().chain(self.page_size.map(|size| parameter("page_size", &size))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn the_queries_read_back_as_they_were_written() {
        for raw in ["changed=skip", "changed=overwrite&dry_run=true", "dry_run=true", ""] {
            assert_eq!(encode(&RevertQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
        assert_eq!(encode(&DeleteQuery::from_pairs(decode("dry_run=true")).unwrap().to_pairs()), "dry_run=true");
        for raw in ["offset=7", "page_size=3", "offset=7&page_size=200"] {
            assert_eq!(encode(&OperationQuery::from_pairs(decode(raw)).unwrap().to_pairs()), raw);
        }
        assert!(OperationQuery::from_pairs(decode("page_size=0")).is_err());
        assert!(RevertQuery::from_pairs(decode("changed=no")).is_err());
        assert!(DeleteQuery::from_pairs(decode("dry_run=x")).is_err());
        assert!(OperationQuery::from_pairs(decode("offset=-1")).is_err());
    }
}
