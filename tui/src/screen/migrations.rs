//! Migrations: those that the server knows of, and those that there are files of. One is looked at, applied, taken back or stopped.

use std::path::PathBuf;

use common::{migration::Listed, operation::Operation};

use crate::{
    key::Action,
    migrating::{Migrating, MigrationsTold, Planned},
    words,
};

/// The page.
pub struct Migrations {
    /// The folder of the files.
    pub dir: PathBuf,
    /// They, once they are known.
    pub rows: Option<Vec<Listed>>,
    /// Which of them the cursor is on.
    pub cursor: usize,
    /// What doing one, or taking it back, would do, as it was told last.
    pub plan: Option<Planned>,
    /// What is under way.
    pub under_way: Option<Operation>,
}

impl Migrations {
    /// Of the files in a folder.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, rows: None, cursor: 0, plan: None, under_way: None }
    }

    /// The one under the cursor.
    pub fn current(&self) -> Option<&Listed> {
        self.rows.as_ref()?.get(self.cursor)
    }

    /// What would be done with the one under the cursor, as far as it was asked.
    pub fn planned(&self) -> Option<&Planned> {
        let id = self.current()?.id();
        self.plan.as_ref().filter(|planned| planned.plan.migration == id)
    }

    /// What a key asks for: to be told first, and to be done where that was told just now.
    pub fn wanted(&self, action: Action) -> Option<Migrating> {
        let one = self.current()?;
        let was_told = |is_back| self.planned().is_some_and(|planned| planned.is_back == is_back);
        match action {
            Action::Delete => match (one.under_way(), &one.known) {
                (Some(operation), _) => Some(Migrating::Stop(operation)),
                (None, Some(_)) if was_told(true) => Some(Migrating::Revert(one.id())),
                (None, Some(_)) => Some(Migrating::PlanBack(one.id())),
                (None, None) => None,
            },
            Action::Open if one.known.is_some() => None,
            Action::Open if was_told(false) => Some(Migrating::Apply(Box::new(one.migration.clone()))),
            Action::Open => Some(Migrating::Plan(Box::new(one.migration.clone()))),
            _ => None,
        }
    }

    /// Takes what was told. Says what is to be said of it, and whether it is bad.
    pub fn take(&mut self, told: MigrationsTold) -> Option<(String, bool)> {
        self.cursor = self.cursor.min(told.rows.len().saturating_sub(1));
        self.rows = Some(told.rows);
        self.under_way = told.under_way;
        let asks = match &told.plan {
            Some(planned) if planned.is_back => Some(words::PRESS_D_AGAIN.to_owned()),
            Some(_) => Some(words::PRESS_ENTER_AGAIN.to_owned()),
            None => None,
        };
        self.plan = told.plan;
        told.fault.map(|fault| (fault, true)).or(told.done.or(asks).map(|said| (said, false)))
    }

    /// Moves the cursor. What was told of another row is forgotten.
    pub fn go(&mut self, is_down: bool) {
        let last = self.rows.as_ref().map_or(0, Vec::len).saturating_sub(1);
        self.cursor = if is_down { (self.cursor + 1).min(last) } else { self.cursor.saturating_sub(1) };
        self.plan = None;
    }
}
