//! Query strings as pairs, and what an endpoint's parameters must be able to do.

use crate::{
    problem::{FieldError, FieldErrors},
    reader::invalid,
    text::single_line,
};

/// A query string, decoded into pairs.
pub type Pairs = Vec<(String, String)>;

/// An endpoint's query parameters.
pub trait Query: Sized + Default {
    /// It has a `format` of its own. Elsewhere `format=json` says nothing.
    const READS_FORMAT: bool = false;

    /// Reads decoded pairs; an unknown parameter is an error under its name.
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors>;

    /// Reads what it knows of decoded pairs, and leaves the rest out.
    fn from_known_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        match Self::from_pairs(pairs.clone()) {
            Err(errors) => Self::from_pairs(pairs.into_iter().filter(|(name, _)| !errors.is_unknown(name)).collect()),
            read => read,
        }
    }

    /// Writes the pairs that differ from the default.
    fn to_pairs(&self) -> Pairs;
}

/// No parameter of this name.
pub fn unknown_parameter() -> FieldError {
    FieldError::new("unknown", "There is no query parameter of this name here.")
}

impl Query for () {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::new();
        for (name, _) in pairs {
            errors.push(name, unknown_parameter());
        }
        errors.or(())
    }

    fn to_pairs(&self) -> Pairs {
        Vec::new()
    }
}

/// Reads pairs one after the other. `take` gives `None` for a name that it does not know, and what is wrong with a value.
pub fn read_each<Q: Default>(
    pairs: Pairs,
    mut take: impl FnMut(&mut Q, &str, &str) -> Option<Result<(), FieldError>>,
) -> Result<Q, FieldErrors> {
    let (mut query, mut errors) = (Q::default(), FieldErrors::new());
    for (name, value) in pairs {
        match take(&mut query, &name, &value) {
            Some(Ok(())) => {}
            Some(Err(error)) => errors.push(name, error),
            None => errors.push(name, unknown_parameter()),
        }
    }
    errors.or(query)
}

/// Takes a value that is true or false.
pub fn truth(flag: &mut bool, value: &str) -> Result<(), FieldError> {
    *flag = match value {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return Err(invalid("This is true or false.")),
    };
    Ok(())
}

/// Writes the parameters that are true.
pub fn flags<const N: usize>(flags: [(&str, bool); N]) -> Pairs {
    flags.into_iter().filter(|(_, is_so)| *is_so).map(|(name, _)| parameter(name, "true")).collect()
}

/// One pair.
pub fn parameter(name: &str, value: &(impl ToString + ?Sized)) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// Splits and decodes a raw query string. `format=json` is taken off, as everywhere but where a format is chosen.
pub fn decode(raw: &str) -> Pairs {
    decode_for::<()>(raw)
}

/// The same for what a query is read of.
pub fn decode_for<Q: Query>(raw: &str) -> Pairs {
    form_urlencoded::parse(raw.as_bytes())
        .into_owned()
        .filter(|(name, value)| Q::READS_FORMAT || !(name == "format" && value == "json"))
        .collect()
}

/// Writes pairs as a query string, without the question mark.
pub fn encode(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What is said of a name that no field has.
pub fn no_such_field(name: &str) -> FieldError {
    invalid(format!("There is no field \"{}\".", single_line(name)))
}

/// More of something than one query may have.
pub(super) fn too_many(count: usize, most: usize) -> FieldError {
    FieldError::new(
        "too_many",
        format!("A query may have {most} of these; this one has {count}. Ask for less at once."),
    )
}
