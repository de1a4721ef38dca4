//! Imports that cannot go on: their collection was deleted, or who began them may write there no more. They say so, and what became of what was written.

use common::name::CollectionName;

use crate::domain::{
    core::Core,
    error::{Error, Result},
    keyspace,
    numbered::Numbered,
    operations::{ImportPhase, ImportRows, Piece},
    schema,
};

impl ImportRows {
    /// The name of its collection, where that was deleted meanwhile.
    pub(super) async fn gone(&self, core: &Core) -> Result<Option<CollectionName>> {
        let snapshot = core.store.snapshot().await?;
        if schema::by_number(&core.schemas, &snapshot, self.collection).await?.is_some() {
            return Ok(None);
        }
        let numbered = snapshot.get(&keyspace::numbered(self.collection)).await?.ok_or(Error::NotFound)?;
        let Numbered { name, .. } = serde_json::from_slice(&numbered.value)?;
        Ok(Some(name))
    }

    /// Its collection was deleted: it ends, and what was written went along.
    pub(super) fn end_without(&mut self, core: &Core, name: &CollectionName) -> Piece {
        self.phase = ImportPhase::Over;
        let written = self.tally.created + self.tally.updated;
        let records = common::text::count(written, "record");
        let went = match written {
            0 => "nothing was written".to_owned(),
            1 => "the record that was written went with it".to_owned(),
            _ => format!("the {records} that were written went with it"),
        };
        Self::over(core, Some(format!("The collection \"{name}\" was deleted meanwhile, and {went}.")))
    }

    /// Whoever began it may not go on: what was written goes back, where all or nothing was asked for.
    pub(super) async fn end_refused(&mut self, core: &Core) -> Result<Piece> {
        let schema = self.schema(core, &core.store.snapshot().await?).await?;
        let name = &schema.collection.name;
        let who = if self.caller(core).await.is_err() {
            "Who began it was disabled or deleted meanwhile".to_owned()
        } else {
            format!(
                "Who began it may not write records of \"{name}\" any more, since its rules or their roles were changed"
            )
        };
        if self.take_back(Some(format!("{who}. What was written was taken back."))) {
            return Ok(Piece::default());
        }
        self.phase = ImportPhase::Over;
        let is_nothing = self.tally.created + self.tally.updated == 0;
        let left = if is_nothing { "Nothing was written." } else { "What was written stays." };
        Ok(Self::over(core, Some(format!("{who}. {left}"))))
    }
}
