//! How values become values of a field that is defined otherwise. What loses nothing happens by itself; what could lose something has
//! to be asked for, by a [`Conversion`].
//!
//! - `definition`: what a definition says of it
//! - `step`: what one step makes of a value
//! - `date`, `number`: days and numbers in other notations
//! - `fit`: what loses nothing, and what to do about what would

mod date;
mod definition;
mod fit;
mod number;
mod step;

use serde_json::Value;

use crate::{
    field::{Field, FieldType},
    json::Exact,
    problem::FieldError,
    reader::invalid,
    record::Member,
    validate::{Ends, check_exact},
};

pub use definition::{Conversion, ConversionStep, Mark, With, Word};
pub use number::Notation;

impl Conversion {
    /// Has `notation` look at a value that is to become a number.
    pub fn note(&self, to: &FieldType, value: &Value, notation: &mut Notation) {
        let mut value = value.clone();
        for step in self.0.iter().take_while(|step| **step != Word::Number.into()) {
            value = step.apply(to, &value).unwrap_or(value);
        }
        if let Value::String(text) = &value {
            notation.look(to, text);
        }
    }
}

/// Makes a value of a field of type `from` a value of `to`; `convert` says how, where something may be lost.
pub fn carry_over(
    from: &FieldType,
    to: &Field,
    convert: &Conversion,
    member: Member<'_>,
) -> Result<Exact, Vec<FieldError>> {
    let mut value = Exact::from(member);
    let mut may_lose = false;
    for step in &convert.0 {
        if let (ConversionStep::Word(Word::Number), Some(text)) = (step, value.as_str())
            && number::says_mark(&to.kind, text)
        {
            // Nothing stands in for what is only not understood.
            return Err(vec![invalid(
                "The numbers of this field are not all written in one way, or could be read in two. Say what stands before a fraction, for all of them: {\"number\": \"point\"} or {\"number\": \"comma\"}.",
            )]);
        }
        if let Some(converted) = step.apply(&to.kind, &value) {
            value = converted.into();
        }
        may_lose |= step.may_lose();
    }
    match fit::fit(from, to, may_lose, &value) {
        // Definitions of before have it as it was sent.
        Err(errors) => convert
            .fallback()
            .map(Exact::from)
            .map_or(Err(errors), |fallback| Ok(check_exact(to, &fallback, Ends::Kept).unwrap_or(fallback))),
        fitting => fitting,
    }
}

#[cfg(test)]
mod tests;
