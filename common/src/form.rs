//! Forms: the model that both clients draw. A form has inputs; an input holds what was typed as text, knows its field, and
//! says at once what is wrong with it, by the rules that the server will use. Forms that belong to no collection (sign-in,
//! set-up, password) are made of the same parts.

mod account;
mod input;
mod model;
mod value;

pub use self::{
    input::{Input, Widget},
    model::{ConflictingInput, Form},
    value::{input_text, parse_input},
};
