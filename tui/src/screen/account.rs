//! The forms about accounts: the own password; for admins a new user, changes to one, and deleting one. A collection is deleted as a user
//! is: by its name.

use common::{
    CallError,
    collection::Collection,
    field::{Field, FieldType},
    form::{Form, Input},
    user::User,
};

use super::{editing::Editing, form_state::FormState};
use crate::{effect::Effect, load::Ticket, words};

/// Which of the forms it is.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountKind {
    /// The own password.
    Password,
    /// A new user.
    NewUser,
    /// Changes to this user.
    EditUser(User),
    /// This user goes, once the name has been typed.
    DeleteUser(User),
    /// This collection goes with its records, once its name has been typed.
    DeleteCollection(Box<Collection>),
}

impl AccountKind {
    /// The form's name in the path at the top.
    pub fn path(&self) -> String {
        match self {
            Self::Password => words::PASSWORD.to_owned(),
            Self::NewUser => words::NEW.to_owned(),
            Self::EditUser(user) => format!("{} › {}", user.username, words::EDITING),
            Self::DeleteUser(user) => format!("{} › {}", user.username, words::DELETING),
            Self::DeleteCollection(collection) => format!("{} › {}", collection.name, words::DELETING),
        }
    }

    /// What has to be typed for something to be deleted.
    fn name(&self) -> Option<&str> {
        match self {
            Self::DeleteUser(user) => Some(user.username.as_str()),
            Self::DeleteCollection(collection) => Some(collection.name.as_str()),
            Self::Password | Self::NewUser | Self::EditUser(_) => None,
        }
    }

    /// It deletes something.
    pub fn is_deletion(&self) -> bool {
        self.name().is_some()
    }
}

/// A form about an account.
pub struct AccountForm {
    /// Which it is.
    pub kind: AccountKind,
    /// The form.
    pub state: FormState,
}

impl AccountForm {
    /// A form as it is opened.
    pub fn new(kind: AccountKind) -> Self {
        let form = match &kind {
            AccountKind::Password => Form::change_password(),
            AccountKind::NewUser => Form::new_user(),
            AccountKind::EditUser(user) => Form::edit_user(user),
            AccountKind::DeleteUser(_) | AccountKind::DeleteCollection(_) => confirmation(),
        };
        Self { kind, state: FormState::new(form) }
    }

    /// The hint above the form.
    pub fn notice(&self) -> Option<String> {
        match &self.kind {
            AccountKind::DeleteUser(user) => Some(words::delete_user(user)),
            AccountKind::DeleteCollection(collection) => Some(words::delete_collection(collection)),
            AccountKind::EditUser(user) => user.usage.as_ref().map(words::usage_of),
            AccountKind::Password | AccountKind::NewUser => None,
        }
    }

    /// Takes what the server said against it.
    pub fn refuse(&mut self, error: &CallError) {
        self.state.form.refuse_call(error);
        self.state.go_to_error();
    }

    /// The message once the server has taken it.
    pub fn done(&self) -> String {
        let form = &self.state.form;
        match &self.kind {
            AccountKind::Password => words::PASSWORD_CHANGED.to_owned(),
            AccountKind::NewUser => words::user_made(form.text("username")),
            AccountKind::EditUser(user) => {
                let shut = user.is_active && form.text("is_active") == "false";
                words::user_saved(form.text("username"), shut || !form.text("password").is_empty())
            }
            AccountKind::DeleteUser(user) => words::user_deleted(user),
            AccountKind::DeleteCollection(collection) => words::collection_deleted(collection),
        }
    }
}

impl Editing for AccountForm {
    fn state(&self) -> &FormState {
        &self.state
    }

    fn state_mut(&mut self) -> &mut FormState {
        &mut self.state
    }

    fn is_changed(&self) -> bool {
        !self.kind.is_deletion() && self.state.form.is_changed()
    }

    fn save(&mut self, ticket: Ticket) -> Option<Effect> {
        let form = &mut self.state.form;
        let effect = match &self.kind {
            AccountKind::Password => form.submit_as().map(|change| Effect::ChangePassword(ticket, change)),
            AccountKind::NewUser => form.submit_as().map(|user| Effect::CreateUser(ticket, user)),
            AccountKind::EditUser(user) => form.submit_as().map(|patch| Effect::UpdateUser(ticket, user.id, patch)),
            AccountKind::DeleteUser(_) | AccountKind::DeleteCollection(_)
                if self.kind.name() != Some(form.text("username")) =>
            {
                if let (Some(input), Some(name)) = (form.inputs.first_mut(), self.kind.name()) {
                    input.errors = vec![words::not_the_name(name)];
                }
                None
            }
            AccountKind::DeleteUser(user) => Some(Effect::DeleteUser(ticket, user.id)),
            AccountKind::DeleteCollection(collection) => {
                Some(Effect::DeleteCollection(ticket, collection.name.clone(), collection.revision))
            }
        };
        if effect.is_none() {
            self.state.go_to_error();
        }
        effect
    }
}

/// One line for the name of what goes.
fn confirmation() -> Form {
    let mut form = Form::default();
    let kind = FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false };
    if let Ok(name) = "username".parse() {
        form.inputs.push(Input::new(Field { required: true, ..Field::new(name, kind) }, String::new()));
    }
    form
}
