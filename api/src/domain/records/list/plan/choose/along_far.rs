//! Whether rows are read in the order of what a reference leads to.

use super::{super::far_order::FarOrder, BY_KEY, Chooser, IdSource, KEY, MAX_IDS, Picked, TEST, as_f64};
use crate::domain::{error::Result, indexes::IndexKind};

impl Chooser<'_> {
    /// Whether rows are better read in the order of what a reference leads to than sorted, and how many are come by then. Matches that can be told by
    /// keys are looked up along it.
    pub(super) async fn along_far(
        &self,
        order: Option<FarOrder>,
        picked: &mut Picked,
        narrowest: usize,
    ) -> Result<Option<(FarOrder, f64)>> {
        let Some(order) = order.filter(|_| picked.sets.is_empty()) else { return Ok(None) };
        let is_all = self.all.is_empty() && !self.has_search;
        let is_exact = picked.is_exact(self);
        let matches = picked.by_ids.as_ref().map_or(picked.best.estimate, Vec::len);
        let is_read = picked.by_ids.is_none() && picked.best.index.kind == IndexKind::Records;
        // Of each that is sorted, what it leads to is read too.
        let each = 1.0 + if is_read { 1.0 } else { BY_KEY } + if is_exact { 0.0 } else { TEST };
        let sorted = as_f64(matches) * each + self.wanted.min(as_f64(matches)) * BY_KEY;
        // What no key tells can be tested on the way, in the hope that a page is full soon.
        let may_hope = self.may_hope && !self.counts && picked.by_ids.is_none() && !is_all;
        let hoped = order.walked(self.wanted, as_f64(narrowest));
        let tested = order.cost(hoped) + hoped * (BY_KEY + TEST);
        let otherwise = if may_hope { sorted.min(tested) } else { sorted };
        let walked = order.walked(self.wanted, as_f64(matches));
        let looked_up = if is_all { 0.0 } else { as_f64(matches) };
        let along = order.cost(walked) + (walked + looked_up) * KEY + self.size.min(as_f64(matches)) * BY_KEY;
        if is_exact && along < otherwise && (matches <= MAX_IDS || is_all) {
            if !is_all {
                let ids = if let Some(ids) = picked.by_ids.take() {
                    ids
                } else {
                    let covered = picked.covered.clone();
                    let source = IdSource { covered, estimate: matches, accesses: vec![picked.best.clone()] };
                    picked.ids_by.push(source.indexes());
                    self.ids(&source).await?
                };
                picked.counted = Some((ids.len() as u64, picked.best.index.clone()));
                picked.sets.push(ids.into_iter().collect());
            }
            return Ok(Some((order, walked)));
        }
        if !may_hope || tested >= sorted {
            return Ok(None);
        }
        picked.covered.clear();
        picked.counted = None;
        picked.ids_by.clear();
        Ok(Some((order, hoped)))
    }
}
