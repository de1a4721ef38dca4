//! What all forms about something have in common, whatever they are about: they are typed into, left, and saved.

use super::Filling;
use crate::{effect::Effect, message::Ticket};

/// A form about a record, a collection or an account.
pub trait Editing {
    /// Its inputs.
    fn filling(&self) -> &Filling;

    /// Its inputs, to move about in. What changes a text goes through [`typed`](Self::typed).
    fn filling_mut(&mut self) -> &mut Filling;

    /// Something was typed that is not saved.
    fn is_changed(&self) -> bool;

    /// Lets the inputs take what was typed.
    fn typed(&mut self, into_form: &mut dyn FnMut(&mut Filling)) {
        into_form(self.filling_mut());
    }

    /// Sends it, if all is well; otherwise goes to what is wrong.
    fn save(&mut self, ticket: Ticket) -> Option<Effect>;
}
