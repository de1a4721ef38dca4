//! Conditions as text: one text for each, which parses to it again.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{Comparison, Condition, Operand, Operator};
use crate::query::Lookup;

/// A member of such a name stands in quotation marks.
const KEYWORDS: [&str; 5] = ["and", "or", "not", "in", "is"];

/// Which parts of a condition stand in parentheses.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Within {
    Any,
    All,
    Not,
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write(f, Within::Any)
    }
}

impl Condition {
    fn write(&self, f: &mut Formatter<'_>, within: Within) -> fmt::Result {
        let (parts, word, own) = match self {
            Self::All(parts) => (parts, " and ", Within::All),
            Self::Any(parts) => (parts, " or ", Within::Any),
            Self::Not(part) => {
                f.write_str("not ")?;
                return part.write(f, Within::Not);
            }
            Self::Is(comparison) => return comparison.fmt(f),
        };
        let is_open = own < within || (own == within && within != Within::Any) || within == Within::Not;
        let inner = if own == Within::All { Within::All } else { Within::Any };
        if is_open {
            f.write_char('(')?;
        }
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                f.write_str(word)?;
            }
            // A list in a list of its kind keeps its parentheses, so that it is read as what it is.
            match (own, part) {
                (Within::Any, Self::Any(_)) => part.write(f, Within::Not)?,
                _ => part.write(f, inner)?,
            }
        }
        if is_open {
            f.write_char(')')?;
        }
        Ok(())
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let path = self.path.replace("__", ".");
        let is_bare = !path.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && !path.is_empty()
            && path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
            && !KEYWORDS.contains(&path.to_ascii_lowercase().as_str());
        if is_bare {
            f.write_str(&path)?;
        } else {
            quoted(&path, f)?;
        }
        match self.operator {
            Operator::Null => return f.write_str(" is null"),
            Operator::Empty => return f.write_str(" is empty"),
            Operator::Differs => f.write_str(" != ")?,
            Operator::Lookup(lookup) => write!(f, " {} ", sign(lookup))?,
        }
        let is_list = self.operator == Operator::Lookup(Lookup::In);
        if is_list {
            f.write_char('(')?;
        }
        for (i, operand) in self.operands.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            operand.fmt(f)?;
        }
        if is_list {
            f.write_char(')')?;
        }
        Ok(())
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Now => return f.write_str("now()"),
            Self::Me => return f.write_str("me"),
            Self::Text(text) => text,
        };
        // Numbers, dates and truth values stand bare.
        let is_bare = text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':' | '+'));
        if is_bare || matches!(text.as_str(), "true" | "false") {
            return f.write_str(text);
        }
        quoted(text, f)
    }
}

fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// The sign or word of a lookup.
pub(super) fn sign(lookup: Lookup) -> &'static str {
    match lookup {
        Lookup::Exact => "=",
        Lookup::Gt => ">",
        Lookup::Gte => ">=",
        Lookup::Lt => "<",
        Lookup::Lte => "<=",
        Lookup::Icontains => "~",
        lookup => lookup.word(),
    }
}
