//! Signing in, and setting a new server up. Both are forms of `common`.

use common::{
    CallError,
    endpoints::{root::Root, tokens::Credentials},
    form::Form,
};

use super::form_state::FormState;
use crate::{
    effect::Effect,
    load::{Load, Ticket},
};

/// Which of the two forms is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Name and password.
    SignIn,
    /// The one-time code, and the first admin's name and password.
    SetUp,
}

/// Signing in.
pub struct SignIn {
    /// Which form is shown.
    pub kind: Kind,
    /// The form.
    pub state: FormState,
    /// The server has no users yet.
    pub setup_required: bool,
    /// Why signing in is asked for.
    pub reason: Option<String>,
    /// How asking the server what it is goes.
    pub look: Load,
}

impl SignIn {
    /// The form for name and password.
    pub fn new(reason: Option<String>) -> Self {
        Self {
            kind: Kind::SignIn,
            state: FormState::new(Form::sign_in()),
            setup_required: false,
            reason,
            look: Load::default(),
        }
    }

    /// Takes what the server is. A new one is set up first, unless somebody is typing already.
    pub fn know(&mut self, root: &Root) {
        self.setup_required = root.setup_required;
        let untouched = !self.state.form.is_changed();
        if root.setup_required && self.kind == Kind::SignIn && untouched {
            self.switch();
        }
    }

    /// Shows the other form; what was typed under the same label is kept.
    pub fn switch(&mut self) {
        let (kind, mut form) = match self.kind {
            Kind::SignIn => (Kind::SetUp, Form::set_up()),
            Kind::SetUp => (Kind::SignIn, Form::sign_in()),
        };
        for index in 0..form.inputs.len() {
            let typed = self.state.form.text(form.inputs[index].name()).to_owned();
            if !typed.is_empty() {
                form.set(index, typed);
            }
        }
        (self.kind, self.state) = (kind, FormState::new(form));
    }

    /// Sends the form, if all is well; otherwise goes to what is wrong.
    pub fn submit(&mut self, ticket: Ticket) -> Option<Effect> {
        let Some(body) = self.state.form.submit() else {
            self.state.go_to_error();
            return None;
        };
        // Whether the server answers will be known from this.
        self.look.error = None;
        let text = |name| self.state.form.text(name).to_owned();
        Some(match self.kind {
            Kind::SignIn => {
                Effect::SignIn(ticket, Credentials { username: text("username"), password: text("password") })
            }
            Kind::SetUp => Effect::SetUp(ticket, body.into_object()),
        })
    }

    /// Takes what the server said against it.
    pub fn refuse(&mut self, error: &CallError) {
        self.state.form.refuse_call(error);
        if self.kind == Kind::SignIn
            && let Some(password) = self.state.form.inputs.iter().position(|input| input.name() == "password")
        {
            self.state.go_to(password);
        } else {
            self.state.go_to_error();
        }
    }
}
