//! The one table of keys. What a key does, what the footer says and what the help page lists are all read from [`KEYS`].

mod configured;

use std::sync::OnceLock;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub(crate) use self::configured::with;

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// Signing in, or setting the server up.
    SignIn,
    /// The list of collections.
    Collections,
    /// The dashboard.
    Dashboard,
    /// A table of records.
    Records,
    /// The same, while rows of it are chosen.
    Chosen,
    /// A file on its way in: what is in it, and how far it is.
    Import,
    /// The list of users.
    Users,
    /// The invitations that nobody has used yet.
    Invitations,
    /// Migrations.
    Migrations,
    /// Where somebody is signed in.
    Sessions,
    /// The filter line above a table.
    Filter,
    /// One record, read only.
    Record,
    /// In a form: one line of text.
    Line,
    /// In a form: several lines of text.
    Area,
    /// In a form: one of several, or yes and no.
    Choice,
    /// In a form: any of several.
    Choices,
    /// Changes to look through.
    Changes,
    /// Charts of a collection.
    Insights,
    /// The saved views of a collection.
    Views,
    /// A page about the server.
    Sheet,
    /// How a collection's records are asked for.
    Api,
    /// The server's log.
    Log,
    /// A token, which is pasted.
    Token,
    /// The command palette.
    Palette,
    /// The help page.
    Help,
}

impl Context {
    /// Letters are text here, not commands.
    pub fn is_text(self) -> bool {
        matches!(self, Self::SignIn | Self::Filter | Self::Line | Self::Area | Self::Palette | Self::Token)
    }
}

/// The action of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
#[allow(missing_docs)] // `words::action` says what each one does.
pub enum Action {
    Up,
    Down,
    Left,
    Right,
    First,
    Last,
    HideColumn,
    ShowColumns,
    Narrower,
    Wider,
    Views,
    Share,
    Overwrite,
    CopyCell,
    CopyRow,
    CopyId,
    CopyLink,
    Insights,
    Join,
    AsTable,
    OtherField,
    PreviousPage,
    NextPage,
    WindowUp,
    WindowDown,
    AllRows,
    Suspend,
    Palette,
    Editor,
    Open,
    Back,
    Filter,
    Sort,
    New,
    Edit,
    Delete,
    Undo,
    Choose,
    ChooseRange,
    ChooseAll,
    Export,
    Import,
    Reload,
    SignOut,
    Dashboard,
    Span,
    Log,
    Failures,
    Server,
    Token,
    Backup,
    Level,
    ServerLevel,
    OwnToken,
    Api,
    Access,
    Activity,
    Trash,
    History,
    Restore,
    Users,
    Invitations,
    Migrations,
    Sessions,
    Password,
    EndOthers,
    Submit,
    NextInput,
    PreviousInput,
    PreviousChoice,
    NextChoice,
    Pick,
    TakeTheirs,
    LookUp,
    OtherForm,
    Retry,
    Save,
    AddField,
    RemoveField,
    FieldUp,
    FieldDown,
    Help,
    Quit,
}

/// A key with what is held down beside it.
pub(crate) type Key = (KeyCode, KeyModifiers);

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    /// The contexts in which the keys work.
    pub contexts: &'static [Context],
    /// Any of these.
    pub keys: &'static [Key],
    /// Its action.
    pub action: Action,
    /// The footer names it, as far as there is room; the help page names all.
    pub footer: bool,
}

const fn key(code: KeyCode) -> Key {
    (code, KeyModifiers::NONE)
}

const fn letter(c: char) -> Key {
    (KeyCode::Char(c), KeyModifiers::NONE)
}

const fn ctrl(c: char) -> Key {
    (KeyCode::Char(c), KeyModifiers::CONTROL)
}

const fn row(contexts: &'static [Context], keys: &'static [Key], action: Action, footer: bool) -> Binding {
    Binding { contexts, keys, action, footer }
}

use Action as A;
use Context as C;

const EVERYWHERE: &[Context] = &[
    C::SignIn,
    C::Dashboard,
    C::Collections,
    C::Records,
    C::Chosen,
    C::Import,
    C::Filter,
    C::Record,
    C::Users,
    C::Invitations,
    C::Migrations,
    C::Sessions,
    C::Line,
    C::Area,
    C::Choice,
    C::Choices,
    C::Changes,
    C::Views,
    C::Insights,
    C::Sheet,
    C::Api,
    C::Log,
    C::Token,
    C::Palette,
    C::Help,
];
const SCREENS: &[Context] = &[
    C::Dashboard,
    C::Collections,
    C::Records,
    C::Chosen,
    C::Import,
    C::Record,
    C::Users,
    C::Invitations,
    C::Migrations,
    C::Sessions,
    C::Changes,
    C::Views,
    C::Insights,
    C::Sheet,
    C::Api,
    C::Log,
];
const READING: &[Context] = &[
    C::Collections,
    C::Records,
    C::Chosen,
    C::Import,
    C::Record,
    C::Users,
    C::Invitations,
    C::Migrations,
    C::Sessions,
    C::Changes,
    C::Views,
    C::Insights,
    C::Sheet,
    C::Api,
    C::Log,
    C::Help,
];
const TABLE: &[Context] = &[C::Records, C::Chosen];
const COLUMNS: &[Context] = &[C::Records, C::Chosen, C::Users, C::Sessions];
const LISTS: &[Context] = &[C::Collections, C::Records, C::Chosen, C::Users, C::Sessions, C::Changes];
const FORMS: &[Context] = &[C::Line, C::Area, C::Choice, C::Choices];
const SCROLLING: &[Context] = &[C::Record, C::Import, C::Sheet, C::Migrations, C::Api, C::Log, C::Help];
const CHOOSING: &[Context] = &[C::Choice, C::Choices];

/// Every key, in the order in which help and footer show them. Ctrl-C, which quits from anywhere, stands at the end.
pub(crate) const KEYS: &[Binding] = &[
    row(&[C::Chosen], &[letter('x')], A::Choose, true),
    row(&[C::Chosen], &[letter('X')], A::ChooseRange, true),
    row(&[C::Chosen], &[letter('a')], A::ChooseAll, true),
    row(&[C::Chosen], &[letter('e')], A::Edit, true),
    row(&[C::Chosen], &[letter('d'), key(KeyCode::Delete)], A::Delete, true),
    row(&[C::Chosen], &[letter('w')], A::Export, true),
    row(&[C::Chosen], &[key(KeyCode::Esc)], A::Back, true),
    row(&[C::Import], &[key(KeyCode::Enter), ctrl('s')], A::Submit, true),
    row(&[C::Import], &[letter('d'), key(KeyCode::Delete)], A::Delete, true),
    row(&[C::Import], &[letter('w')], A::Export, true),
    row(&[C::Import], &[key(KeyCode::Esc)], A::Back, true),
    row(&[C::Collections, C::Records], &[key(KeyCode::Enter)], A::Open, true),
    row(&[C::Chosen], &[key(KeyCode::Enter)], A::Open, false),
    row(&[C::Dashboard], &[key(KeyCode::Enter), key(KeyCode::Esc), letter('D')], A::Back, true),
    row(&[C::Dashboard], &[letter('t')], A::Span, true),
    row(&[C::Dashboard], &[letter('l')], A::Log, true),
    row(&[C::Dashboard], &[letter('f')], A::Failures, true),
    row(&[C::Dashboard], &[letter('S')], A::Server, true),
    row(&[C::Insights], &[key(KeyCode::Enter)], A::Open, true),
    row(&[C::Insights], &[key(KeyCode::Left), letter('h')], A::Left, false),
    row(&[C::Insights], &[key(KeyCode::Right), letter('l')], A::Right, false),
    row(&[C::Insights], &[key(KeyCode::Tab)], A::NextInput, true),
    row(&[C::Insights], &[key(KeyCode::BackTab), (KeyCode::Tab, KeyModifiers::SHIFT)], A::PreviousInput, false),
    row(&[C::Insights], &[letter('f')], A::OtherField, true),
    row(&[C::Insights], &[letter('t')], A::AsTable, true),
    row(&[C::Insights], &[letter('w')], A::Export, true),
    row(&[C::Views], &[key(KeyCode::Enter)], A::Open, true),
    row(&[C::Views], &[letter('n')], A::New, true),
    row(&[C::Views], &[letter('e')], A::Edit, true),
    row(&[C::Views], &[letter('s')], A::Share, true),
    row(&[C::Views], &[letter('w')], A::Overwrite, true),
    row(&[C::Views], &[letter('d'), key(KeyCode::Delete)], A::Delete, true),
    row(&[C::Changes], &[key(KeyCode::Enter)], A::Restore, true),
    row(&[C::Changes], &[letter('u')], A::Undo, true),
    row(&[C::Changes], &[letter('l')], A::Level, true),
    row(&[C::Api, C::Log], &[letter('l')], A::Level, true),
    row(&[C::Log], &[letter('L')], A::ServerLevel, true),
    row(&[C::Token], &[key(KeyCode::Enter)], A::Submit, true),
    row(&[C::Token], &[ctrl('o')], A::OwnToken, true),
    row(&[C::Token], &[key(KeyCode::Tab)], A::NextInput, true),
    row(&[C::Token], &[key(KeyCode::Up)], A::Up, false),
    row(&[C::Token], &[key(KeyCode::Down)], A::Down, false),
    row(&[C::Token], &[key(KeyCode::PageUp)], A::PreviousPage, false),
    row(&[C::Token], &[key(KeyCode::PageDown)], A::NextPage, false),
    row(&[C::Invitations], &[letter('n')], A::New, true),
    row(&[C::Invitations], &[letter('d'), key(KeyCode::Delete)], A::Delete, true),
    row(&[C::Migrations], &[key(KeyCode::Enter)], A::Open, true),
    row(&[C::Migrations], &[letter('d'), key(KeyCode::Delete)], A::Delete, true),
    row(
        &[C::Changes, C::Views, C::Insights, C::Sheet, C::Invitations, C::Migrations, C::Api, C::Log, C::Token],
        &[key(KeyCode::Esc)],
        A::Back,
        true,
    ),
    row(COLUMNS, &[letter('/')], A::Filter, true),
    row(COLUMNS, &[letter('s')], A::Sort, true),
    row(&[C::Dashboard, C::Collections, C::Records, C::Chosen, C::Users], &[letter('n')], A::New, true),
    row(&[C::Collections, C::Records, C::Record], &[letter('e')], A::Edit, true),
    row(&[C::Users], &[key(KeyCode::Enter), letter('e')], A::Edit, true),
    row(
        &[C::Collections, C::Records, C::Record, C::Users, C::Sessions],
        &[letter('d'), key(KeyCode::Delete)],
        A::Delete,
        true,
    ),
    row(&[C::Users], &[letter('i')], A::Sessions, true),
    row(&[C::Users], &[letter('v')], A::Invitations, true),
    row(&[C::Sessions], &[letter('a')], A::EndOthers, true),
    row(&[C::Collections, C::Records, C::Chosen, C::Import, C::Record], &[letter('u')], A::Undo, true),
    row(&[C::Records], &[letter('x')], A::Choose, true),
    row(&[C::Records], &[letter('X')], A::ChooseRange, false),
    row(&[C::Records], &[letter('a')], A::ChooseAll, false),
    row(&[C::Records], &[letter('w')], A::Export, true),
    row(TABLE, &[letter('m')], A::Import, true),
    row(READING, &[key(KeyCode::Up), letter('k')], A::Up, false),
    row(READING, &[key(KeyCode::Down), letter('j')], A::Down, false),
    row(COLUMNS, &[key(KeyCode::Left), letter('h')], A::Left, false),
    row(COLUMNS, &[key(KeyCode::Right), letter('l')], A::Right, false),
    row(COLUMNS, &[letter('c')], A::HideColumn, false),
    row(COLUMNS, &[letter('C')], A::ShowColumns, false),
    row(COLUMNS, &[letter('<')], A::Narrower, false),
    row(COLUMNS, &[letter('>')], A::Wider, false),
    row(LISTS, &[key(KeyCode::PageUp), ctrl('b')], A::WindowUp, false),
    row(LISTS, &[key(KeyCode::PageDown), ctrl('f'), letter(' ')], A::WindowDown, false),
    row(COLUMNS, &[letter('[')], A::PreviousPage, false),
    row(COLUMNS, &[letter(']')], A::NextPage, false),
    row(COLUMNS, &[key(KeyCode::Backspace)], A::AllRows, false),
    row(SCROLLING, &[key(KeyCode::PageUp)], A::PreviousPage, false),
    row(SCROLLING, &[key(KeyCode::PageDown), letter(' ')], A::NextPage, false),
    row(READING, &[key(KeyCode::Home), letter('g')], A::First, false),
    row(READING, &[key(KeyCode::End), letter('G')], A::Last, false),
    row(SCREENS, &[letter('r'), key(KeyCode::F(5))], A::Reload, true),
    row(&[C::Dashboard, C::Collections], &[letter('o')], A::SignOut, true),
    row(SCREENS, &[letter(':'), ctrl('k')], A::Palette, true),
    row(&[C::Filter, C::Palette], &[key(KeyCode::Enter)], A::Submit, true),
    row(&[C::Filter, C::Palette], &[key(KeyCode::Esc)], A::Back, true),
    row(&[C::Palette], &[key(KeyCode::Up), ctrl('p'), key(KeyCode::BackTab)], A::Up, false),
    row(&[C::Palette], &[key(KeyCode::Down), ctrl('n'), key(KeyCode::Tab)], A::Down, false),
    row(&[C::Area], &[ctrl('g')], A::Editor, true),
    row(&[C::SignIn], &[key(KeyCode::Enter)], A::Submit, true),
    row(FORMS, &[ctrl('s')], A::Save, true),
    row(FORMS, &[ctrl('t')], A::TakeTheirs, true),
    row(&[C::Line], &[ctrl('o')], A::LookUp, true),
    row(FORMS, &[ctrl('n')], A::AddField, true),
    row(FORMS, &[ctrl('x')], A::RemoveField, true),
    row(FORMS, &[(KeyCode::Up, KeyModifiers::CONTROL)], A::FieldUp, false),
    row(FORMS, &[(KeyCode::Down, KeyModifiers::CONTROL)], A::FieldDown, false),
    row(CHOOSING, &[key(KeyCode::Left)], A::PreviousChoice, true),
    row(CHOOSING, &[key(KeyCode::Right)], A::NextChoice, true),
    row(CHOOSING, &[letter(' ')], A::Pick, true),
    row(&[C::SignIn, C::Area], &[key(KeyCode::Tab)], A::NextInput, true),
    row(&[C::SignIn], &[key(KeyCode::Down)], A::NextInput, false),
    row(
        &[C::Line, C::Choice, C::Choices],
        &[key(KeyCode::Tab), key(KeyCode::Down), key(KeyCode::Enter)],
        A::NextInput,
        true,
    ),
    row(FORMS, &[key(KeyCode::BackTab), (KeyCode::Tab, KeyModifiers::SHIFT)], A::PreviousInput, false),
    row(FORMS, &[key(KeyCode::PageUp)], A::PreviousPage, false),
    row(FORMS, &[key(KeyCode::PageDown)], A::NextPage, false),
    row(FORMS, &[(KeyCode::Home, KeyModifiers::CONTROL)], A::First, false),
    row(FORMS, &[(KeyCode::End, KeyModifiers::CONTROL)], A::Last, false),
    row(&[C::SignIn], &[key(KeyCode::BackTab), key(KeyCode::Up)], A::PreviousInput, false),
    row(&[C::Line, C::Choice, C::Choices], &[key(KeyCode::Up)], A::PreviousInput, false),
    row(&[C::SignIn], &[ctrl('o')], A::OtherForm, true),
    row(&[C::SignIn], &[ctrl('r')], A::Retry, true),
    row(&[C::Records, C::Record, C::Users, C::Sessions], &[key(KeyCode::Esc)], A::Back, true),
    row(&[C::Help], &[key(KeyCode::Esc), letter('q'), letter('?'), key(KeyCode::F(1))], A::Back, true),
    row(FORMS, &[key(KeyCode::Esc)], A::Back, true),
    row(SCREENS, &[letter('q')], A::Quit, true),
    row(&[C::Collections], &[letter('D')], A::Dashboard, true),
    row(&[C::Dashboard, C::Collections], &[letter('U')], A::Users, true),
    row(&[C::Dashboard, C::Collections], &[letter('i')], A::Sessions, true),
    row(&[C::Dashboard, C::Collections], &[letter('p')], A::Password, true),
    row(&[C::Dashboard, C::Collections], &[letter('m')], A::Migrations, true),
    row(&[C::Dashboard, C::Collections], &[letter('T')], A::Token, true),
    row(&[C::Dashboard], &[letter('b')], A::Backup, true),
    row(&[C::Records, C::Record], &[letter('H')], A::History, false),
    row(&[C::Collections, C::Records], &[letter('E')], A::Api, false),
    row(&[C::Dashboard, C::Collections], &[letter('M')], A::Access, false),
    row(&[C::Records], &[letter('Z')], A::Trash, false),
    row(TABLE, &[letter('V')], A::Views, true),
    row(TABLE, &[letter('I')], A::Insights, true),
    row(TABLE, &[letter('J')], A::Join, true),
    row(TABLE, &[letter('y')], A::CopyCell, false),
    row(&[C::Records, C::Chosen, C::Record], &[letter('Y')], A::CopyRow, false),
    row(&[C::Records, C::Chosen, C::Record], &[letter('i')], A::CopyId, false),
    row(&[C::Records, C::Chosen, C::Record], &[letter('L')], A::CopyLink, false),
    row(&[C::Dashboard, C::Collections], &[letter('A')], A::Activity, true),
    row(SCREENS, &[letter('?'), key(KeyCode::F(1))], A::Help, true),
    row(&[C::Choice, C::Choices], &[letter('?'), key(KeyCode::F(1))], A::Help, true),
    row(&[C::SignIn, C::Filter, C::Line, C::Area, C::Token, C::Palette], &[key(KeyCode::F(1))], A::Help, true),
    row(EVERYWHERE, &[ctrl('z')], A::Suspend, false),
    row(EVERYWHERE, &[ctrl('c')], A::Quit, false),
];

/// The action of a key in a context.
pub(crate) fn action(context: Context, pressed: KeyEvent) -> Option<Action> {
    // A terminal says Shift for capital letters and BackTab, or it does not.
    let shift = matches!(pressed.code, KeyCode::Char(_) | KeyCode::BackTab);
    let held = if shift { pressed.modifiers - KeyModifiers::SHIFT } else { pressed.modifiers };
    bindings(context).find(|binding| binding.keys.contains(&(pressed.code, held))).map(|binding| binding.action)
}

/// The table with other keys in it, as somebody has set them.
static CONFIGURED: OnceLock<Vec<Binding>> = OnceLock::new();

fn table() -> &'static [Binding] {
    CONFIGURED.get().map_or(KEYS, Vec::as_slice)
}

/// Takes a table with other keys, once, before anything is pressed.
pub(crate) fn configure(rows: Vec<Binding>) {
    // A second time nothing changes; the client starts once.
    drop(CONFIGURED.set(rows));
}

/// The rows that hold in a context.
pub(crate) fn bindings(context: Context) -> impl Iterator<Item = &'static Binding> {
    table().iter().filter(move |binding| binding.contexts.contains(&context))
}

/// How a key is written.
pub(crate) fn name((code, modifiers): Key) -> String {
    let name = match code {
        KeyCode::Enter => "Enter".to_owned(),
        KeyCode::Esc => "Esc".to_owned(),
        KeyCode::Tab => "Tab".to_owned(),
        KeyCode::BackTab => "Shift-Tab".to_owned(),
        KeyCode::Backspace => "Backspace".to_owned(),
        KeyCode::Delete => "Del".to_owned(),
        KeyCode::Up => "↑".to_owned(),
        KeyCode::Down => "↓".to_owned(),
        KeyCode::Left => "←".to_owned(),
        KeyCode::Right => "→".to_owned(),
        KeyCode::Home => "Home".to_owned(),
        KeyCode::End => "End".to_owned(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        KeyCode::F(n) => format!("F{n}"),
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => c.to_ascii_uppercase().to_string(),
        KeyCode::Char(c) => c.to_string(),
        _ => String::new(),
    };
    match modifiers {
        KeyModifiers::CONTROL => format!("Ctrl-{name}"),
        KeyModifiers::SHIFT => format!("Shift-{name}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Context; 25] = [
        C::SignIn,
        C::Dashboard,
        C::Collections,
        C::Records,
        C::Chosen,
        C::Import,
        C::Users,
        C::Invitations,
        C::Migrations,
        C::Sessions,
        C::Filter,
        C::Record,
        C::Line,
        C::Area,
        C::Choice,
        C::Choices,
        C::Changes,
        C::Views,
        C::Insights,
        C::Sheet,
        C::Api,
        C::Log,
        C::Token,
        C::Palette,
        C::Help,
    ];

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for context in ALL {
            let mut seen = Vec::new();
            for binding in bindings(context) {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{context:?}: {} stands twice", name(*key));
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn letters_are_text_where_text_is_typed() {
        for context in ALL.into_iter().filter(|context| context.is_text()) {
            for binding in bindings(context) {
                let types = |key: &Key| matches!(key, (KeyCode::Char(_), KeyModifiers::NONE));
                assert!(!binding.keys.iter().any(types), "{context:?}: {:?}", binding.action);
            }
        }
    }

    #[test]
    fn help_and_quit_are_everywhere() {
        for context in ALL {
            let has = |action| bindings(context).any(|binding| binding.action == action);
            assert!(has(A::Quit), "{context:?}");
            assert!(has(A::Help) || context == C::Help, "{context:?}");
        }
    }

    #[test]
    fn shift_does_not_hide_a_capital_letter() {
        assert_eq!(action(C::Records, KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT)), Some(A::Last));
        assert_eq!(action(C::Line, KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT)), Some(A::PreviousInput));
    }
}
