//! The members of records that a query asks for by `fields`.

use common::{collection::Collection, json::Exact, record::Record};

/// Which members are sent.
pub(super) struct Members<'a> {
    asked: &'a [String],
    /// Former names of fields that are asked for, with those of today.
    former: Vec<(&'a str, &'a str)>,
}

impl<'a> Members<'a> {
    /// Those that are asked for; all where none are.
    pub(super) fn new(collection: &'a Collection, asked: &'a [String]) -> Self {
        let today = |asked: &'a String| Some((asked.as_str(), collection.field(asked)?.name.as_str()));
        let former = asked.iter().filter_map(today).filter(|(asked, name)| asked != name).collect();
        Self { asked, former }
    }

    /// Leaves those in a record, and what `stays` beside them. Who asks for a member by a former name gets it under that.
    pub(super) fn choose(&self, record: &mut Record, stays: impl Fn(&str) -> bool) {
        if self.asked.is_empty() {
            return;
        }
        for (asked, name) in &self.former {
            if let Some(value) = record.member(name).map(Exact::from) {
                record.set(*asked, value);
            }
        }
        let is_former = |name: &str| self.former.iter().any(|(_, today)| *today == name);
        record.retain(|name| self.asked.iter().any(|asked| asked == name) || (stays(name) && !is_former(name)));
    }
}
