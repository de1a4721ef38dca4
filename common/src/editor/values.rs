//! What becomes of the values of the records that exist, where a field is another than before: what can be said of that, and which of them
//! do not fit.

use super::{Editor, FieldPart};
use crate::{operation::InvalidRecords, problem::FieldErrors, reader::invalid};

impl Editor {
    /// The parts of a field that say what becomes of the values of the records that exist; none where nothing has to be said.
    pub fn of_values(&self, index: usize) -> Vec<FieldPart> {
        let field = self.draft.fields.get(index).filter(|_| self.is_edit());
        field.map(|field| field.of_values(self.misfits_of(index).next().is_some())).unwrap_or_default()
    }

    /// What is wrong with the values of the records that exist.
    fn misfits_of(&self, index: usize) -> impl Iterator<Item = &str> {
        let name = self.draft.fields.get(index).map_or("", |field| field.name.trim());
        self.misfits.iter().filter(move |(field, _)| field == name).map(|(_, message)| message.as_str())
    }

    /// Notes which values did not fit.
    pub(super) fn note_misfits(&mut self, misfits: Option<&InvalidRecords>) {
        let examples = misfits.iter().flat_map(|misfits| &misfits.examples);
        self.misfits = examples.map(|misfit| (misfit.field.clone(), misfit.message.clone())).collect();
    }

    /// What is wrong with how values are converted, and which of them do not fit: at the first input that says something of them.
    pub(super) fn errors_of_values(&self, index: usize, part: FieldPart) -> Vec<String> {
        if self.of_values(index).first() != Some(&part) {
            return Vec::new();
        }
        let member = if part.is_step() { "convert" } else { part.member() };
        let mut messages: Vec<&str> = self.errors.messages(&format!("fields.{index}.{member}")).collect();
        // What was found before something was changed counts no more.
        let is_told = self.refused || self.preview.is_some();
        messages.extend(self.misfits_of(index).filter(|_| is_told).take(1));
        messages.into_iter().map(str::to_owned).collect()
    }

    /// Notes which values the server refused.
    pub(super) fn note_refused_values(&mut self) {
        let told = self.errors.0.iter().flat_map(|(name, errors)| errors.iter().map(move |error| (name, error)));
        self.misfits = told.map(|(name, error)| (name.clone(), error.message.clone())).collect();
    }

    /// What is typed of values and cannot be read.
    pub(super) fn faults_of_values(&self) -> FieldErrors {
        let mut errors = FieldErrors::new();
        for (index, _) in self.draft.fields.iter().enumerate().filter(|(_, field)| !field.has_readable_map()) {
            errors.push(format!("fields.{index}.convert"), invalid("Write one on a line: old = new."));
        }
        errors
    }
}
