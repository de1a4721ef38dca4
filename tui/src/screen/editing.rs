//! The parts that all editing forms share: they are typed into, left, and saved.

use super::form_state::FormState;
use crate::{effect::Effect, load::Ticket};

/// A form about a record, a collection or an account.
pub trait Editing {
    /// Its inputs.
    fn state(&self) -> &FormState;

    /// Its inputs, to move about in. What changes a text goes through [`typed`](Self::typed).
    fn state_mut(&mut self) -> &mut FormState;

    /// Something was typed that is not saved.
    fn is_changed(&self) -> bool;

    /// Lets the inputs take what was typed.
    fn typed(&mut self, into_form: &mut dyn FnMut(&mut FormState)) {
        into_form(self.state_mut());
    }

    /// Sends it, if all is well; otherwise goes to what is wrong.
    fn save(&mut self, ticket: Ticket) -> Option<Effect>;
}
