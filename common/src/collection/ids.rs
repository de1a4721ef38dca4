//! What the ids of a collection's records are.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    field::{Field, FieldType},
    id::RecordId,
    problem::FieldError,
    reader::{Reader, invalid},
};

use super::{Collection, server_fields::server_field};

/// What the ids of a collection's records are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Ids {
    /// UUIDs, which rise with the time of creation.
    #[default]
    Uuid,
    /// Rising numbers, each given once.
    Integer,
}

impl Ids {
    /// Both words.
    pub const WORDS: [&'static str; 2] = ["uuid", "integer"];

    /// The word in `ids`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Integer => "integer",
        }
    }

    /// Those of every collection that says nothing of it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an id is one of these.
    pub fn fit(self, id: RecordId) -> bool {
        (self == Self::Integer) == id.number().is_some()
    }

    /// Reads it from a body; `None` where nothing is said.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let value = reader.take("ids").filter(|value| !value.is_null())?;
        let read = serde_json::from_value(value).ok();
        read.or_else(|| reader.fail("ids", invalid(format!("Use {}.", Self::WORDS.join(" or ")))))
    }

    /// The id that a body or a row asks for; `None` where it asks for none.
    pub fn asked(self, sent: Option<&Value>) -> Result<Option<RecordId>, FieldError> {
        let Some(sent) = sent.filter(|sent| !sent.is_null() && **sent != "") else { return Ok(None) };
        match RecordId::from_value(sent).filter(|id| self.fit(*id)) {
            Some(id) => Ok(Some(id)),
            None if self == Self::Integer => Err(invalid("The ids of this collection are numbers from 1 on.")),
            None => Err(invalid("This is not the id of a record.")),
        }
    }
}

impl Collection {
    /// One of the server's members of its records as a field, so that lists can be filtered and ordered by it.
    pub fn server_field(&self, name: &str) -> Option<Field> {
        let mut field = server_field(name)?;
        if name == "id" && self.ids == Ids::Integer {
            field.kind = FieldType::Integer { min: None, max: None };
        }
        Some(field)
    }
}
