//! A file on its way in: which file, and how it is read; what is in it, which the server says without writing anything; how far the import is, and
//! what became of it.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use common::{
    collection::Collection,
    field::{FieldType, Unique},
    form::Form,
    id::OperationId,
    import::{ColumnAs, Import, ImportQuery, OnConflict, OnError},
    operation::Operation,
    text::label,
    words::many as shared,
};

use super::{
    change::{choice, flag, own},
    editing::Editing,
    form_state::FormState,
};
use crate::{
    effect::Effect,
    load::Ticket,
    many::{Checked, FileFault, Incoming, Sent},
    words,
};

/// The screen.
pub struct ImportScreen {
    /// Where the records go.
    pub collection: Collection,
    /// Which file, and how it is read.
    pub state: FormState,
    /// What each input is about.
    parts: Vec<Part>,
    query: ImportQuery,
    columns: Vec<ColumnAs>,
    unknown: Vec<String>,
    /// What is shown.
    pub stage: Stage,
    /// Lines that are scrolled away.
    pub scroll: usize,
    /// When the file was imported before, where that was asked about.
    after: Option<String>,
}

/// Where it is.
pub enum Stage {
    /// The form.
    Form,
    /// The server reads the file; nothing is written.
    Checking(Ticket, Arc<Sent>),
    /// What is in it.
    Checked(Box<Checked>),
    /// It is sent.
    Sending(Ticket, Arc<Sent>),
    /// It goes in in the background.
    UnderWay(OperationId, Option<Box<Operation>>),
    /// It is over.
    Over(Box<Ended>),
}

/// What became of an import.
#[derive(Debug, Clone)]
pub struct Ended {
    /// In a few words.
    pub title: &'static str,
    /// Why it is not in.
    pub error: Option<String>,
    /// The rows.
    pub import: Option<Import>,
    /// Which operation it was.
    pub operation: Option<OperationId>,
}

impl Ended {
    /// An import in the background.
    pub fn of(operation: &Operation) -> Self {
        Self {
            title: shared::stands(operation),
            error: operation.error.clone(),
            import: operation.import.as_deref().cloned(),
            operation: Some(operation.id),
        }
    }

    /// Rows were left out, and can be fetched.
    pub fn rejected(&self) -> Option<OperationId> {
        self.operation.filter(|_| self.import.as_ref().is_some_and(|import| import.rejected > 0))
    }
}

/// What an input is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    File,
    Key,
    Conflict,
    Dates,
    Comma,
    Spreadsheet,
    Empty,
    Skip,
    Column(String),
}

impl ImportScreen {
    /// With the form for a file.
    pub fn new(collection: Collection) -> Self {
        let mut screen = Self {
            collection,
            state: FormState::unmarked(Form::default()),
            parts: Vec::new(),
            query: ImportQuery::default(),
            columns: Vec::new(),
            unknown: Vec::new(),
            stage: Stage::Form,
            scroll: 0,
            after: None,
        };
        screen.lay_out(String::new());
        screen
    }

    /// With an import that is under way.
    pub fn under_way(collection: Collection, operation: OperationId, last: Option<Box<Operation>>) -> Self {
        Self { stage: Stage::UnderWay(operation, last), ..Self::new(collection) }
    }

    /// What is shown is the form.
    pub fn is_form(&self) -> bool {
        matches!(self.stage, Stage::Form)
    }

    /// Somebody waits for an answer.
    pub fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Checking(..) | Stage::Sending(..))
    }

    /// The file as it was typed.
    pub fn file(&self) -> PathBuf {
        PathBuf::from(self.state.form.inputs.first().map_or("", |input| input.text.trim()))
    }

    fn lay_out(&mut self, file: String) {
        let here = self.parts.get(self.state.focus).cloned();
        let text = || FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false };
        let query = &self.query;
        let keys = self.collection.fields.iter().filter(|field| field.unique != Unique::No);
        let keys = keys.map(|field| field.name.to_string()).chain(["id".to_owned()]).collect();
        let mut inputs = vec![
            (Part::File, own(words::FILE, text(), file, false, words::FILE_HINT)),
            (Part::Key, {
                let mut input = choice(words::KEY, keys, query.key.clone().unwrap_or_default(), false);
                words::KEY_HINT.clone_into(&mut input.field.help);
                input
            }),
        ];
        if query.key.is_some() {
            let at = OnConflict::WORDS.iter().position(|(_, conflict)| *conflict == query.on_conflict);
            let labels = words::ROW_CONFLICTS.map(str::to_owned).to_vec();
            let text = labels[at.unwrap_or_default()].clone();
            inputs.push((Part::Conflict, choice(words::CONFLICT, labels, text, true)));
        }
        inputs.extend([
            (Part::Dates, own(words::DATES, text(), query.dates.join(", "), false, words::DATES_HINT)),
            (Part::Comma, flag(words::DECIMAL_COMMA, query.decimal_comma)),
            (Part::Spreadsheet, flag(words::SPREADSHEET, query.spreadsheet)),
            (Part::Empty, flag(words::EMPTY_IS_NULL, query.empty_is_null)),
            (Part::Skip, {
                let mut input = flag(words::SKIP, query.on_error == OnError::Skip);
                words::SKIP_HINT.clone_into(&mut input.field.help);
                input
            }),
        ]);
        for column in &self.columns {
            let members = self.collection.fields.iter().map(|field| field.name.to_string());
            let mut choices: Vec<String> = [words::LEFT_OUT.to_owned()].into_iter().chain(members).collect();
            let member = column.member.clone().unwrap_or_else(|| words::LEFT_OUT.to_owned());
            // A member of the server's own, or what a reference is found by.
            if !choices.contains(&member) {
                choices.push(member.clone());
            }
            let input = choice(&column.heading, choices, member, true);
            inputs.push((Part::Column(column.heading.clone()), input));
        }
        (self.parts, self.state.form.inputs) = inputs.into_iter().unzip();
        let focus = self.parts.iter().position(|part| Some(part) == here.as_ref()).unwrap_or_default();
        self.state.go_to(focus);
    }

    /// Takes what stands in the form.
    fn read(&mut self) {
        let before = (self.file(), self.query.key.is_some());
        for (part, input) in self.parts.iter().zip(&self.state.form.inputs) {
            let (text, is_on) = (&input.text, input.text == "true");
            match part {
                Part::File => {}
                Part::Key => {
                    let key = Some(text.clone()).filter(|key| !key.is_empty());
                    if key.is_some() != self.query.key.is_some() {
                        self.query.on_conflict = if key.is_some() { OnConflict::Update } else { OnConflict::Fail };
                    }
                    self.query.key = key;
                }
                Part::Conflict => {
                    let at = words::ROW_CONFLICTS.iter().position(|known| known == text);
                    if let Some((_, conflict)) = at.and_then(|at| OnConflict::WORDS.get(at))
                        && self.query.key.is_some()
                    {
                        self.query.on_conflict = *conflict;
                    }
                }
                Part::Dates => {
                    let forms = text.split(',').map(|form| form.trim().to_owned());
                    self.query.dates = forms.filter(|form| !form.is_empty()).collect();
                }
                Part::Comma => self.query.decimal_comma = is_on,
                Part::Spreadsheet => self.query.spreadsheet = is_on,
                Part::Empty => self.query.empty_is_null = is_on,
                Part::Skip => self.query.on_error = if is_on { OnError::Skip } else { OnError::Abort },
                Part::Column(heading) => {
                    let member = Some(text.clone()).filter(|text| text != words::LEFT_OUT);
                    let column = self.columns.iter_mut().find(|column| column.heading == *heading);
                    if let Some(column) = column.filter(|column| column.member != member) {
                        column.member.clone_from(&member);
                        self.query.map.retain(|(known, _)| known != heading);
                        self.query.map.push((heading.clone(), member));
                    }
                }
            }
        }
        if before.1 != self.query.key.is_some() {
            self.lay_out(self.state.form.inputs.first().map(|input| input.text.clone()).unwrap_or_default());
        }
    }

    /// Another file has other columns.
    fn forget_columns(&mut self) {
        if !self.columns.is_empty() || !self.query.map.is_empty() {
            (self.columns, self.unknown) = (Vec::new(), Vec::new());
            self.query.map.clear();
            let file = self.state.form.inputs.first().map(|input| input.text.clone()).unwrap_or_default();
            let focus = self.state.text_input.clone();
            self.lay_out(file);
            self.state.text_input = focus;
        }
        self.after = None;
    }

    /// Takes what the server says of the file.
    pub fn checked(&mut self, checked: Checked) {
        (self.columns, self.unknown) = (checked.preview.columns.clone(), checked.unknown.clone());
        let file = self.state.form.inputs.first().map(|input| input.text.clone()).unwrap_or_default();
        self.lay_out(file);
        if let Err(FileFault::Local(_)) = &checked.outcome
            && let Err(fault) = &checked.outcome
        {
            self.stage = Stage::Form;
            self.state.form.inputs[0].errors = vec![words::file_fault(fault)];
            self.state.go_to_error();
            return;
        }
        (self.stage, self.scroll) = (Stage::Checked(Box::new(checked)), 0);
    }

    /// How many rows would come in, where all that is needed for it is known.
    pub fn ready(&self) -> Option<u64> {
        let Stage::Checked(checked) = &self.stage else { return None };
        let import = checked.outcome.as_ref().ok()?;
        let is_faulty = import.rejected > 0 && self.query.on_error == OnError::Abort;
        Some(import.rows - import.rejected.min(import.rows)).filter(|rows| *rows > 0 && !is_faulty)
    }

    /// Rows do not fit, and nothing would be written.
    pub fn is_faulty(&self) -> bool {
        let Stage::Checked(checked) = &self.stage else { return false };
        let rejected = checked.outcome.as_ref().is_ok_and(|import| import.rejected > 0);
        rejected && self.query.on_error == OnError::Abort
    }

    /// Sends the file.
    pub fn send(&mut self, ticket: Ticket) -> Effect {
        let mut incoming = self.incoming();
        incoming.query.map.extend(self.unknown.iter().map(|heading| (heading.clone(), None)));
        self.stage = Stage::Sending(ticket, Arc::clone(&incoming.sent));
        Effect::Import(ticket, Box::new(incoming))
    }

    /// The file was imported before: the next time it is sent all the same, and once.
    pub fn ask_again(&mut self, before: &str) {
        self.after = Some(before.to_owned());
    }

    fn incoming(&self) -> Incoming {
        let file = self.file();
        // As the command has it, files of an export for a spreadsheet are read as such.
        let is_marked = file.to_string_lossy().to_ascii_lowercase().contains(".spreadsheet.");
        let query = ImportQuery { spreadsheet: self.query.spreadsheet || is_marked, ..self.query.clone() };
        let collection = self.collection.clone();
        Incoming { collection, file, query, after: self.after.clone(), sent: Arc::default() }
    }

    /// Goes back to the form; what is on its way is given up.
    pub fn back_to_form(&mut self) {
        if let Stage::Checking(_, sent) | Stage::Sending(_, sent) = &self.stage {
            sent.is_given_up.store(true, Ordering::Relaxed);
        }
        self.stage = Stage::Form;
    }
}

impl Editing for ImportScreen {
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
        let before = self.file();
        into_form(&mut self.state);
        self.read();
        if self.file() != before {
            self.forget_columns();
        }
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        if self.file().as_os_str().is_empty() {
            self.state.form.inputs[0].errors = vec![words::NAME_A_FILE.to_owned()];
            self.state.go_to_error();
            return None;
        }
        let incoming = self.incoming();
        self.stage = Stage::Checking(ticket, Arc::clone(&incoming.sent));
        Some(Effect::Check(ticket, Box::new(incoming)))
    }
}

/// The field that a column goes into, as people read it.
pub(crate) fn goes_into(collection: &Collection, column: &ColumnAs) -> String {
    match &column.member {
        None => words::LEFT_OUT.to_owned(),
        Some(member) => match collection.field(member) {
            Some(field) => format!("{} ({})", label(member), field.kind.word()),
            None => member.clone(),
        },
    }
}
