//! Rows that were chosen in a table, to do something to all of them: one by one, from one to another, a page, or all that the table's filter finds.
//! Both clients keep it.

use std::collections::BTreeSet;

use crate::{
    id::RecordId,
    many::{MAX_MANY, ManyQuery},
    query::{ListQuery, Query, decode},
};

/// Rows that can be chosen one by one: their ids stand in an address.
pub const MAX_CHOSEN: usize = 500;

/// What is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    chosen: BTreeSet<RecordId>,
    /// The row that was chosen last, where a range begins.
    last: Option<RecordId>,
    /// All that the filter finds, and how many these were; whatever is chosen beside it.
    all: Option<u64>,
}

impl Selection {
    /// How many rows.
    pub fn count(&self) -> u64 {
        self.all.unwrap_or(self.chosen.len() as u64)
    }

    /// Whether nothing is chosen.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Whether all that the filter finds are.
    pub fn is_all(&self) -> bool {
        self.all.is_some()
    }

    /// Whether this row is.
    pub fn has(&self, id: RecordId) -> bool {
        self.is_all() || self.chosen.contains(&id)
    }

    /// Whether all of these rows are; `None` for some of them.
    pub fn has_all(&self, rows: &[RecordId]) -> Option<bool> {
        match rows.iter().filter(|id| self.has(**id)).count() {
            0 => Some(false),
            some if some == rows.len() => Some(true),
            _ => None,
        }
    }

    /// Chooses a row, or takes it out. Of all that the filter finds none can be taken out: the rows that are seen stay, less that one.
    pub fn toggle(&mut self, rows: &[RecordId], id: RecordId) {
        if self.all.take().is_some() {
            self.chosen = rows.iter().copied().collect();
        }
        if !self.chosen.remove(&id) {
            self.add([id]);
        }
        self.last = Some(id);
    }

    /// Chooses the rows from the one that was chosen last to this one, as they stand there.
    pub fn range(&mut self, rows: &[RecordId], id: RecordId) {
        let place = |id| rows.iter().position(|row| *row == id);
        let (Some(to), from) = (place(id), self.last.and_then(place)) else { return };
        let from = from.unwrap_or(to);
        self.add(rows[from.min(to)..=from.max(to)].iter().copied());
        self.last = Some(id);
    }

    /// Chooses all of these rows, or takes all of them out where all are chosen.
    pub fn toggle_page(&mut self, rows: &[RecordId]) {
        if self.has_all(rows) == Some(true) {
            (self.all, self.last) = (None, None);
            self.chosen.retain(|id| !rows.contains(id));
        } else {
            self.add(rows.iter().copied());
        }
    }

    /// Chooses all that the filter finds.
    pub fn choose_all(&mut self, count: u64) {
        *self = Self { all: Some(count), ..Self::default() };
    }

    /// Chooses nothing.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, ids: impl IntoIterator<Item = RecordId>) {
        for id in ids {
            if self.chosen.len() < MAX_CHOSEN {
                self.chosen.insert(id);
            }
        }
    }

    /// The chosen rows as a list's query: those of the filter, or these ids whatever the filter says by now.
    pub fn records(&self, shown: &ListQuery) -> ListQuery {
        if self.is_all() {
            return ListQuery {
                filters: shown.filters.clone(),
                filter: shown.filter.clone(),
                search: shown.search.clone(),
                ..ListQuery::default()
            };
        }
        let ids: Vec<String> = self.chosen.iter().map(RecordId::to_string).collect();
        let query = ListQuery::from_pairs(decode(&format!("id__in={}", ids.join(","))));
        query.unwrap_or_default()
    }

    /// The chosen rows as what is to be changed or deleted. It asks for no more than were counted, so that what came meanwhile is not done
    /// unseen.
    pub fn many(&self, shown: &ListQuery, dry_run: bool) -> ManyQuery {
        let records = self.records(shown);
        let all = !records.narrows();
        ManyQuery { records, max: self.count().clamp(1, MAX_MANY), all, dry_run }
    }

    /// Whether they are more than one request changes.
    pub fn is_too_large(&self) -> bool {
        self.count() > MAX_MANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::encode;

    fn rows() -> Vec<RecordId> {
        (1..=5).map(|n| format!("01920000-0000-7000-8000-00000000000{n}").parse().unwrap()).collect()
    }

    #[test]
    fn rows_are_chosen_one_by_one_from_one_to_another_and_by_pages() {
        let (rows, mut chosen) = (rows(), Selection::default());
        chosen.toggle(&rows, rows[3]);
        chosen.range(&rows, rows[1]);
        assert_eq!((chosen.count(), chosen.has(rows[0]), chosen.has(rows[2])), (3, false, true));
        assert_eq!(chosen.has_all(&rows), None);
        chosen.toggle(&rows, rows[2]);
        assert_eq!(chosen.count(), 2);
        chosen.toggle_page(&rows);
        assert_eq!(chosen.has_all(&rows), Some(true));
        chosen.toggle_page(&rows);
        assert!(chosen.is_empty());
        // A range without a beginning is its end; one of a row that is not there is nothing.
        chosen.range(&rows[1..], rows[0]);
        assert!(chosen.is_empty());
        chosen.range(&rows, rows[4]);
        assert_eq!(chosen.count(), 1);
    }

    #[test]
    fn all_that_match_are_the_filter_and_the_chosen_are_their_ids() {
        let (rows, mut chosen) = (rows(), Selection::default());
        let shown = ListQuery::from_pairs(decode("price__gte=3&ordering=price&page=2&search=a")).unwrap();
        chosen.choose_all(1234);
        assert_eq!((chosen.count(), chosen.has(rows[0])), (1234, true));
        let many = |chosen: &Selection, shown: &ListQuery| encode(&chosen.many(shown, true).to_pairs());
        assert_eq!(many(&chosen, &shown), "price__gte=3&search=a&max=1234&dry_run=true");
        assert_eq!(many(&chosen, &ListQuery::default()), "max=1234&all=true&dry_run=true");
        // One is taken out: those that are seen stay.
        chosen.toggle(&rows, rows[0]);
        assert_eq!((chosen.count(), chosen.is_all()), (4, false));
        chosen.clear();
        chosen.toggle(&rows, rows[0]);
        assert_eq!(many(&chosen, &shown), format!("id__in={}&max=1&dry_run=true", rows[0]));
        chosen.choose_all(MAX_MANY + 1);
        assert!(chosen.is_too_large());
    }
}
