//! One record, read only: every value whole.

use std::collections::BTreeMap;

use common::{
    collection::Collection,
    id::{RecordId, UserId},
    record::Record,
    table::Referrers,
};

use crate::{
    effect::Effect,
    key::Action,
    load::{Load, Tickets},
};

/// One record, read only.
pub struct Detail {
    /// The record's collection.
    pub collection: Collection,
    /// The record, as far as it is known.
    pub record: Record,
    /// What the records are called that it refers to.
    pub names: BTreeMap<String, String>,
    /// What refers to it, once that is known.
    pub referrers: Vec<Referrers>,
    /// How reading it anew goes.
    pub load: Load,
    /// Who changed it last while it was shown here, where that is known.
    pub changed_by: Option<UserId>,
    /// What is said of that.
    pub notice: Option<String>,
    /// Lines that are scrolled away.
    pub scroll: usize,
    /// It is to be edited as soon as all of it is known.
    pub edits: bool,
}

impl Detail {
    /// A record that was seen in a list.
    pub fn new(collection: Collection, record: Record) -> Self {
        Self {
            collection,
            record,
            names: BTreeMap::new(),
            referrers: Vec::new(),
            load: Load::default(),
            changed_by: None,
            notice: None,
            scroll: 0,
            edits: false,
        }
    }

    /// Reads it anew.
    pub fn load(&mut self, tickets: &Tickets) -> Option<Effect> {
        let id = self.record.id()?;
        let ticket = self.load.begin(tickets);
        Some(Effect::Record(ticket, self.collection.name.clone(), id))
    }

    /// Reads it anew because somebody else changed it; `asks_name`: who that was is asked too.
    pub fn load_quietly(&mut self, tickets: &Tickets, asks_name: bool) -> Option<Effect> {
        let id: RecordId = self.record.id()?;
        let by = self.changed_by.filter(|_| asks_name);
        Some(Effect::Changed(self.load.begin_quietly(tickets), self.collection.name.clone(), id, by))
    }

    /// Scrolls, where `lines` stand in a window of `height`.
    pub fn go(&mut self, action: Action, lines: usize, height: usize) {
        self.scroll = scrolled(self.scroll, action, lines, height);
    }
}

/// How far a text of so many lines is scrolled after an action.
pub(crate) fn scrolled(scroll: usize, action: Action, lines: usize, height: usize) -> usize {
    let last = lines.saturating_sub(height);
    let page = height.saturating_sub(1).max(1);
    let target = match action {
        Action::Up => scroll.saturating_sub(1),
        Action::Down => scroll + 1,
        Action::PreviousPage => scroll.saturating_sub(page),
        Action::NextPage => scroll + page,
        Action::First => 0,
        Action::Last => last,
        _ => scroll,
    };
    target.min(last)
}
