//! Rows go into a file: which file, and how it is written.

use std::path::{Path, PathBuf};

use common::{
    collection::Collection,
    field::FieldType,
    form::Form,
    query::ListQuery,
    rows::{ExportQuery, RowFormat},
    selection::Selection,
    words::many::EXPORTS,
};

use super::{
    change::{choice, own},
    editing::Editing,
    form_state::FormState,
};
use crate::{
    effect::Effect,
    load::Ticket,
    many::{ExportTo, FileFault},
    words,
};

/// The form.
pub struct ExportForm {
    collection: Collection,
    records: ListQuery,
    is_chosen: bool,
    /// How it is written, and where.
    pub state: FormState,
    /// The name that goes with the format, as long as nobody has typed another.
    named: String,
    /// The file that is there already, and was asked about.
    asked: Option<PathBuf>,
    /// The export that is under way.
    waits_for: Option<Ticket>,
}

impl ExportForm {
    /// Of the rows that a table shows under its filter, or of the chosen ones.
    pub fn new(collection: Collection, selection: &Selection, shown: &ListQuery, fields: Vec<String>) -> Self {
        let is_chosen = !selection.is_empty();
        let mut all = Selection::default();
        all.choose_all(1);
        let rows = if is_chosen { selection.records(shown) } else { all.records(shown) };
        let records = ListQuery { ordering: shown.ordering.clone(), fields, ..rows };
        let labels = EXPORTS.map(|(label, ..)| label.to_owned()).to_vec();
        let format = choice(words::FORMAT, labels, EXPORTS[0].0.to_owned(), true);
        let text = FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false };
        let inputs = vec![format, own(words::FILE, text, String::new(), false, "")];
        let mut blank = Form::default();
        blank.inputs = inputs;
        let state = FormState::unmarked(blank);
        let mut form =
            Self { collection, records, is_chosen, state, named: String::new(), asked: None, waits_for: None };
        form.name();
        form
    }

    fn chosen(&self) -> (RowFormat, bool) {
        let text = self.state.form.inputs.first().map_or("", |input| &input.text);
        let found = EXPORTS.into_iter().find(|(label, ..)| *label == text);
        found.map_or((RowFormat::Csv, false), |(.., format, spreadsheet)| (format, spreadsheet))
    }

    /// Takes the name that goes with the format, and says what the format is.
    fn name(&mut self) {
        let (format, spreadsheet) = self.chosen();
        let named = format!("{}{}.{format}", self.collection.name, if spreadsheet { ".spreadsheet" } else { "" });
        let typed = self.state.form.inputs.get(1).map(|input| input.text.clone()).unwrap_or_default();
        if typed == self.named {
            self.state.set(1, named.clone());
            self.named = named;
        }
        let hint = EXPORTS.into_iter().find(|(.., known, marks)| (*known, *marks) == (format, spreadsheet));
        if let (Some(input), Some((_, hint, ..))) = (self.state.form.inputs.first_mut(), hint) {
            hint.clone_into(&mut input.field.help);
        }
    }

    /// An export is under way.
    pub fn is_under_way(&self) -> bool {
        self.waits_for.is_some()
    }

    /// Whether this is the answer that is waited for. It is not waited for any more.
    pub fn finish(&mut self, ticket: Ticket) -> bool {
        self.waits_for.take_if(|waits_for| *waits_for == ticket).is_some()
    }

    /// Takes why the file was not written.
    pub fn refuse(&mut self, fault: &FileFault, file: &Path) {
        if *fault == FileFault::IsThere {
            self.asked = Some(file.to_owned());
        }
        if let Some(input) = self.state.form.inputs.get_mut(1) {
            input.errors = vec![words::file_fault(fault)];
        }
        self.state.go_to_error();
    }

    /// The line above the form.
    pub fn notice(&self) -> &'static str {
        if self.is_under_way() {
            words::FETCHING
        } else if self.is_chosen {
            words::EXPORT_CHOSEN
        } else {
            words::EXPORT_LEAD
        }
    }
}

impl Editing for ExportForm {
    fn state(&self) -> &FormState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut FormState {
        &mut self.state
    }

    fn is_changed(&self) -> bool {
        false
    }

    fn typed(&mut self, into_form: &mut dyn FnMut(&mut FormState)) {
        into_form(&mut self.state);
        self.name();
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        let (format, spreadsheet) = self.chosen();
        let input = self.state.form.inputs.get_mut(1)?;
        let file = PathBuf::from(input.text.trim());
        if file.as_os_str().is_empty() {
            input.errors = vec![words::NAME_A_FILE.to_owned()];
            self.state.go_to_error();
            return None;
        }
        let query = ExportQuery { records: self.records.clone(), format: Some(format), spreadsheet };
        let (collection, replaces) = (self.collection.name.clone(), self.asked.as_ref() == Some(&file));
        self.waits_for = Some(ticket);
        Some(Effect::Export(ticket, Box::new(ExportTo { collection, query, file, replaces })))
    }
}
