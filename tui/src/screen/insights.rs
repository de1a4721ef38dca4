//! Insights of a collection: a chart of each kind over the records that the table below shows; a bar filters the table.

use common::{
    collection::Collection,
    insight::{Bar, Chart, Insight, Kind, insights},
    query::ListQuery,
};

use super::cursor::moved;
use crate::{
    effect::Effect,
    key::Action,
    load::{Load, Ticket, Tickets},
    message::Answer,
    words,
};

/// The charts of a collection.
pub struct Insights {
    /// The collection of the table below.
    pub collection: Collection,
    /// What that table shows.
    pub shown: ListQuery,
    /// The charts: of each kind one, where the collection has a field for it.
    pub panels: Vec<Panel>,
    /// The chart that the keys are about.
    pub focus: usize,
    /// Charts are tables.
    pub as_table: bool,
}

/// One chart, and the fields that it can be of.
pub struct Panel {
    /// What it can show.
    pub choices: Vec<Insight>,
    /// What it shows.
    pub which: usize,
    /// Its data, once they are known, where any record has a value.
    pub chart: Option<Chart>,
    /// The data are known.
    pub is_known: bool,
    /// The bar under the cursor.
    pub selected: usize,
    /// How asking goes.
    pub load: Load,
}

impl Panel {
    /// What it shows.
    pub fn insight(&self) -> &Insight {
        &self.choices[self.which]
    }

    /// Its chart.
    pub fn drawn(&self) -> Option<&Chart> {
        self.chart.as_ref()
    }

    /// The bar under the cursor.
    pub fn bar(&self) -> Option<&Bar> {
        self.drawn()?.bars.get(self.selected)
    }
}

impl Insights {
    /// Of what a table shows.
    pub fn new(collection: Collection, shown: ListQuery) -> Self {
        let all = insights(&collection);
        let panels = Kind::ALL.into_iter().filter_map(|kind| {
            let choices: Vec<Insight> = all.iter().filter(|insight| insight.kind == kind).cloned().collect();
            (!choices.is_empty()).then(|| Panel {
                choices,
                which: 0,
                chart: None,
                is_known: false,
                selected: 0,
                load: Load::default(),
            })
        });
        Self { collection, shown, panels: panels.collect(), focus: 0, as_table: false }
    }

    /// Shows a member's chart first, where there is one.
    pub fn begin_with(&mut self, member: &str) {
        for (at, panel) in self.panels.iter_mut().enumerate() {
            if let Some(which) = panel.choices.iter().position(|choice| choice.name == member) {
                panel.which = which;
                self.focus = at;
            }
        }
    }

    /// Asks for all charts.
    pub fn ask(&mut self, tickets: &Tickets) -> Vec<Effect> {
        (0..self.panels.len()).map(|at| self.ask_one(at, tickets)).collect()
    }

    fn ask_one(&mut self, at: usize, tickets: &Tickets) -> Effect {
        let panel = &mut self.panels[at];
        let ticket = panel.load.begin(tickets);
        Effect::Insight(ticket, self.collection.name.clone(), Box::new((panel.insight().clone(), self.shown.clone())))
    }

    /// Takes a chart. Says whether it was waited for.
    pub fn take(&mut self, ticket: Ticket, answer: &Answer<Option<Chart>>) -> bool {
        let Some(panel) = self.panels.iter_mut().find_map(|panel| panel.load.finish(ticket).then_some(panel)) else {
            return false;
        };
        match answer {
            Ok(chart) => {
                let bars = chart.as_ref().map_or(0, |chart| chart.bars.len());
                (panel.chart, panel.is_known) = (chart.clone(), true);
                panel.selected = moved(panel.selected, 0, bars);
            }
            Err(failure) => panel.load.error = Some(words::failure(failure)),
        }
        true
    }

    /// The chart that the keys are about.
    pub fn current(&self) -> Option<&Panel> {
        self.panels.get(self.focus)
    }

    /// Moves the cursor among bars and charts, and has a chart show another field.
    pub fn go(&mut self, action: Action, tickets: &Tickets) -> Option<Effect> {
        let (focus, count) = (self.focus, self.panels.len().max(1));
        let panel = self.panels.get_mut(focus)?;
        let bars = panel.drawn().map_or(0, |chart| chart.bars.len());
        match action {
            Action::Up | Action::Left => panel.selected = moved(panel.selected, -1, bars),
            Action::Down | Action::Right => panel.selected = moved(panel.selected, 1, bars),
            Action::First => panel.selected = 0,
            Action::Last => panel.selected = bars.saturating_sub(1),
            Action::NextInput => self.focus = (focus + 1) % count,
            Action::PreviousInput => self.focus = (focus + count - 1) % count,
            Action::AsTable => self.as_table = !self.as_table,
            Action::OtherField if panel.choices.len() > 1 => {
                panel.which = (panel.which + 1) % panel.choices.len();
                (panel.chart, panel.is_known, panel.selected) = (None, false, 0);
                return Some(self.ask_one(focus, tickets));
            }
            _ => {}
        }
        None
    }
}
