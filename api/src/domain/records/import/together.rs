//! The rows of one commit where they refer to each other: each has its id before any of them is looked at, and what needs one that does not fit does not
//! fit either.

use std::collections::{HashMap, HashSet};

use common::{
    id::RecordId,
    import::OnConflict,
    problem::{FieldError, FieldErrors},
};
use serde_json::Value;

use super::{
    rows::{Staging, Waiting},
    seen::Seen,
    tree::{digest, own_fields, unique_keys},
};
use crate::domain::{error::Result, intake::Row};

impl Staging<'_> {
    /// Gives the rows of a commit their ids, before any of them is looked at.
    pub(super) async fn meet_all(&mut self, rows: &[Row], seen: &mut Seen) -> Result<()> {
        seen.tree.own.clear();
        for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.faults.is_empty()) {
            if at % 64 == 0 {
                tokio::task::yield_now().await;
            }
            let body = &row.record;
            let takes_id = self.takes_ids();
            let Ok(id) = self.schema.collection.ids.asked(body.get("id").filter(|_| takes_id)) else { continue };
            let Ok(found) = self.find(body, id).await? else { continue };
            let id = match found {
                Some(stored) if self.how.on_conflict == OnConflict::Update => stored.id,
                // It stays as it is.
                Some(_) => continue,
                None => {
                    let (id, at) = self.identity(id).await?;
                    if seen.tree.made.contains_key(&id) {
                        continue;
                    }
                    seen.tree.made.insert(id, row.number);
                    seen.tree.own.insert(row.number, (id, at));
                    id
                }
            };
            for key in unique_keys(self.schema, body) {
                seen.tree.named.entry(digest(key.as_bytes())).or_insert(id);
            }
        }
        Ok(())
    }

    /// Takes out the rows that refer to rows of this commit which do not fit.
    pub(super) fn leave_dependents(&self, fit: &mut Vec<Waiting>, seen: &Seen, faults: &mut Vec<(usize, FieldErrors)>) {
        let tree = &seen.tree;
        let alive: HashSet<u64> = fit.iter().map(|one| one.row).collect();
        // The rows that need one, by its number, and the field.
        let (mut needed, mut dead) = (HashMap::<u64, Vec<(usize, &str)>>::new(), Vec::new());
        for (i, one) in fit.iter().enumerate() {
            for field in own_fields(&self.schema.collection) {
                let value = one.planned.record.get(field.name.as_str()).unwrap_or(&Value::Null);
                for row in RecordId::all_in(value).filter_map(|id| tree.made.get(&id)) {
                    if !tree.own.contains_key(row) || *row == one.row {
                        continue;
                    }
                    let needs = needed.entry(*row).or_default();
                    if needs.is_empty() && !alive.contains(row) {
                        dead.push(*row);
                    }
                    needs.push((i, field.name.as_str()));
                }
            }
        }
        let mut left = HashSet::new();
        while let Some(row) = dead.pop() {
            for (i, field) in needed.remove(&row).unwrap_or_default() {
                if left.insert(i) {
                    let message = format!("Row {row}, which this refers to, does not fit.");
                    faults.push((fit[i].at, FieldErrors::of(field, FieldError::new("does_not_exist", message))));
                    dead.push(fit[i].row);
                }
            }
        }
        let mut at = 0;
        fit.retain(|_| {
            at += 1;
            !left.contains(&(at - 1))
        });
    }

    /// Notes which rows of a commit do not fit, so that later ones do not find what they would have made.
    pub(super) fn leave_faulty(rows: &[Row], faults: &[(usize, FieldErrors)], seen: &mut Seen) {
        seen.tree.forget(faults.iter().filter_map(|(at, _)| Some(rows.get(*at)?.number)));
    }
}
