//! Taking entries out of the journal. Blocks are written anew without them; what their makers have shrinks in the same commit.

use std::collections::{BTreeMap, BTreeSet};

use common::id::{RecordId, UserId};
use store::{
    Batch, CommitError, Expect, Reserve, Snapshot, Version,
    journal::{self as blocks, Appended, Block, Position},
};

use super::{Action, Back, Entry, RecordChange, Values, note_trimmed, parse};
use crate::domain::{core::Core, error::Result, keyspace, numbers::CollectionNumber};

/// Blocks that one commit writes anew.
const TOGETHER: usize = 200;

/// What makers of versions no longer have.
#[derive(Debug, Default)]
pub struct Freed(BTreeMap<Option<UserId>, i64>);

impl Freed {
    /// An entry goes.
    pub fn add(&mut self, change: &RecordChange, values: &Values) {
        let counted = change.counted(values);
        if counted > 0 {
            *self.0.entry(change.by).or_default() += counted;
        }
    }

    /// An entry that went comes back in another form.
    pub fn take_back(&mut self, change: &RecordChange, values: &Values) {
        let counted = change.counted(values);
        if counted > 0 {
            *self.0.entry(change.by).or_default() -= counted;
        }
    }

    /// Into the batch that removes the entries.
    pub async fn stage(self, core: &Core, snapshot: &Snapshot, batch: &mut Batch) -> Result<()> {
        for (maker, bytes) in self.0.into_iter().filter(|(_, bytes)| *bytes != 0) {
            let number = match maker {
                Some(user) => match core.owners.number(snapshot, user).await? {
                    Some(number) => Some(number),
                    None => continue,
                },
                None => None,
            };
            let additions = [0, 0, -bytes].map(store::Addition::of);
            batch.add_up_to(keyspace::usage(number), additions);
        }
        Ok(())
    }
}

/// What becomes of an entry.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time")]
pub enum Fate {
    /// It stays as it is.
    Stays,
    /// It goes.
    Goes,
    /// It is another from now on.
    Becomes(Entry),
}

/// An entry as it is written.
fn written(entry: &Entry) -> Result<Vec<u8>> {
    match entry {
        Entry::Record(change, values) => change.with(values),
        Entry::Other(change, operation) => Ok(super::entry::other(*operation, change)),
    }
}

/// Entries that are taken out, one block after another.
#[derive(Debug, Default)]
pub struct Removal {
    /// What is written.
    pub batch: Batch,
    freed: Freed,
    /// How many entries go.
    pub count: u64,
    /// Of every record the latest entry stays, which tells what the others would have led to.
    pub keeps_latest: bool,
    /// The last commit of which something goes that no other entry tells.
    last: Option<Version>,
}

impl Removal {
    /// Takes those entries out of a block that `goes` is true for.
    pub fn take(&mut self, block: &Block, mut goes: impl FnMut(&Appended, &Entry) -> bool) -> Result<()> {
        let mut kept = Vec::with_capacity(block.entries.len());
        for appended in &block.entries {
            let entry = parse(&appended.bytes)?;
            if goes(appended, &entry) {
                self.goes(appended.at, &entry);
            } else {
                kept.push(appended.clone());
            }
        }
        let gone = block.entries.len() - kept.len();
        if gone == 0 {
            return Ok(());
        }
        self.count += gone as u64;
        self.write(block, &kept);
        Ok(())
    }

    /// Does with each entry of a block what `fate` says.
    pub fn change(&mut self, block: &Block, fate: impl Fn(&Entry) -> Fate) -> Result<()> {
        let (mut kept, mut changed) = (Vec::with_capacity(block.entries.len()), 0);
        for appended in &block.entries {
            let before = parse(&appended.bytes)?;
            let after = match fate(&before) {
                Fate::Stays => {
                    kept.push(appended.clone());
                    continue;
                }
                Fate::Goes => None,
                Fate::Becomes(entry) => Some(entry),
            };
            changed += 1;
            match &before {
                before if after.is_none() => self.goes(appended.at, before),
                Entry::Record(change, values) => self.freed.add(change, values),
                Entry::Other(..) => {}
            }
            if let Some(after) = after {
                if let Entry::Record(change, values) = &after {
                    self.freed.take_back(change, values);
                }
                kept.push(Appended { at: appended.at, bytes: written(&after)?.into() });
            }
        }
        if changed > 0 {
            self.count += changed;
            self.write(block, &kept);
        }
        Ok(())
    }

    fn goes(&mut self, at: Position, entry: &Entry) {
        let mut is_told = false;
        if let Entry::Record(change, values) = entry {
            self.freed.add(change, values);
            is_told = match change.action {
                Action::Create | Action::Restore => self.keeps_latest,
                Action::Update => self.keeps_latest && change.owner_before == change.owner_after,
                Action::Delete => false,
            };
        }
        if !is_told {
            self.last = self.last.max(Some(at.version));
        }
    }

    fn write(&mut self, block: &Block, kept: &[Appended]) {
        self.batch.expect(block.key.clone(), Expect::Version(block.version));
        if kept.is_empty() {
            self.batch.delete(block.key.clone());
        } else {
            self.batch.put(block.key.clone(), blocks::pack(kept));
        }
    }

    /// The batch, with what makers no longer have.
    pub async fn finish(self, core: &Core, snapshot: &Snapshot) -> Result<Batch> {
        let Self { mut batch, freed, last, .. } = self;
        freed.stage(core, snapshot, &mut batch).await?;
        if let Some(last) = last {
            note_trimmed(snapshot, &mut batch, last).await?;
        }
        Ok(batch)
    }
}

/// Takes the older half of a record's versions out of the journal, for one that is to come. The latest stays.
pub async fn make_room(core: &Core, collection: CollectionNumber, id: RecordId) -> Result<()> {
    let _turn = core.making_room.lock().await;
    let (snapshot, deadline) = (core.store.snapshot().await?, core.deadline());
    let mut back = Back::new(&snapshot, None, collection, id).await?;
    let mut versions: Vec<Position> = Vec::new();
    while let Some((at, ..)) = back.entry().await? {
        versions.push(at);
        deadline.give_way().await?;
    }
    let kept = versions.len().div_ceil(2).max(1);
    let goes: BTreeSet<Position> = versions.into_iter().skip(kept).collect();
    let keeping = || Removal { keeps_latest: true, ..Removal::default() };
    let mut removal = keeping();
    let (mut done, mut together) = (None::<store::Key>, 0);
    for at in &goes {
        let Some(block) = blocks::block_of(&snapshot, *at).await? else { continue };
        if done.replace(block.key.clone()) == Some(block.key.clone()) {
            continue;
        }
        removal.take(&block, |appended, _| goes.contains(&appended.at))?;
        together += 1;
        if together == TOGETHER {
            together = 0;
            if !commit(core, &snapshot, std::mem::replace(&mut removal, keeping())).await? {
                return Ok(());
            }
        }
        deadline.give_way().await?;
    }
    commit(core, &snapshot, removal).await?;
    Ok(())
}

/// `false` where somebody else removes entries of the same blocks.
async fn commit(core: &Core, snapshot: &Snapshot, removal: Removal) -> Result<bool> {
    if removal.count == 0 {
        return Ok(true);
    }
    let mut batch = removal.finish(core, snapshot).await?;
    batch.use_reserve(Reserve::Most);
    match core.store.commit(batch).await {
        Ok(_) => Ok(true),
        Err(CommitError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
