//! Any of the screens, with its state.

use crate::screen::{
    AccountForm, ChangeForm, ChangesScreen, Collections, Dashboard, DefinitionForm, Detail, Editing, ExportForm,
    ImportScreen, Insights, JoinForm, RecordForm, Records, Sessions, Sheet, Views,
};

/// A screen with its state.
pub enum Screen {
    /// The list of collections.
    Collections(Collections),
    /// The dashboard.
    Dashboard(Box<Dashboard>),
    /// A table of records.
    Records(Box<Records>),
    /// One record, read only.
    Record(Box<Detail>),
    /// A record's form.
    Form(Box<RecordForm>),
    /// The collection editor.
    Definition(Box<DefinitionForm>),
    /// The list of users.
    Users(Box<Records>),
    /// Where somebody is signed in.
    Sessions(Box<Sessions>),
    /// A form about an account.
    Account(Box<AccountForm>),
    /// A field of many records is changed.
    Change(Box<ChangeForm>),
    /// Rows go into a file.
    Export(Box<ExportForm>),
    /// Another collection is joined to the table below.
    Join(Box<JoinForm>),
    /// A file comes in.
    Import(Box<ImportScreen>),
    /// Changes to look through.
    Changes(Box<ChangesScreen>),
    /// Charts of what the table below shows.
    Insights(Box<Insights>),
    /// The saved views of the table below.
    Views(Box<Views>),
    /// About the server, or a token.
    Sheet(Box<Sheet>),
}

impl Screen {
    /// The table, where the screen is one with pages and a filter line.
    pub fn table(&self) -> Option<&Records> {
        match self {
            Screen::Records(table) | Screen::Users(table) => Some(table),
            Screen::Sessions(sessions) => Some(&sessions.list),
            _ => None,
        }
    }

    /// The table to be changed, where the screen is one.
    pub fn table_mut(&mut self) -> Option<&mut Records> {
        match self {
            Screen::Records(table) | Screen::Users(table) => Some(table),
            Screen::Sessions(sessions) => Some(&mut sessions.list),
            _ => None,
        }
    }

    /// The form, where the screen is one.
    pub fn editing(&self) -> Option<&dyn Editing> {
        match self {
            Screen::Form(form) => Some(&**form),
            Screen::Definition(form) => Some(&**form),
            Screen::Account(form) => Some(&**form),
            Screen::Change(form) => Some(&**form),
            Screen::Export(form) => Some(&**form),
            Screen::Join(form) => Some(&**form),
            Screen::Import(import) if import.is_form() => Some(&**import),
            _ => None,
        }
    }

    /// The form to be changed, where the screen is one.
    pub fn editing_mut(&mut self) -> Option<&mut dyn Editing> {
        match self {
            Screen::Form(form) => Some(&mut **form),
            Screen::Definition(form) => Some(&mut **form),
            Screen::Account(form) => Some(&mut **form),
            Screen::Change(form) => Some(&mut **form),
            Screen::Export(form) => Some(&mut **form),
            Screen::Join(form) => Some(&mut **form),
            Screen::Import(import) if import.is_form() => Some(&mut **import),
            _ => None,
        }
    }
}
