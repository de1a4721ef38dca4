//! Reading conditions: what binds tighter is read deeper, `not` before `and` before `or`.

use super::{
    Comparison, Condition, ConditionError, MAX_BYTES, MAX_COMPARISONS, MAX_DEPTH, Operand, Operator,
    lexer::{Token, tokens},
};
use crate::query::{Lookup, MAX_VALUES};

/// What the left side of a comparison may be called beside its name.
pub trait Names {
    /// The path that a text names: a member's name, or in the clients also its label.
    fn path(&self, text: &str) -> Option<String>;

    /// Whether the member that a path leads to is true or false, so that it is a condition by itself.
    fn is_boolean(&self, path: &str) -> bool;
}

/// Every name is one.
impl Names for () {
    fn path(&self, text: &str) -> Option<String> {
        Some(text.replace('.', "__"))
    }

    fn is_boolean(&self, _: &str) -> bool {
        true
    }
}

/// Reads a condition as a request brings it: names alone stand on the left.
pub fn parse(text: &str) -> Result<Condition, ConditionError> {
    let mut parser = Parser::new(text, &())?;
    let condition = parser.any(0)?;
    match parser.next() {
        None => Ok(condition),
        Some(Token::Word(word)) if matches!(word.as_str(), "&&" | "||" | "&" | "|") => {
            Err(parser.fail_before("Write \"and\" or \"or\" in place of this."))
        }
        Some(Token::Sign(",")) => Err(parser.fail_before("A value with a comma stands in quotation marks.")),
        Some(Token::Sign("(")) => Err(parser.fail_before("No function stands here: compare a field itself.")),
        Some(Token::Sign(")")) => Err(parser.fail_before("No \"(\" is open here.")),
        // A field, a word, a value: the word was meant to compare them.
        Some(Token::Word(word))
            if matches!(parser.peek(), Some(Token::Word(_) | Token::Quoted(_) | Token::Sign("("))) =>
        {
            let word = crate::text::single_line(&word).into_owned();
            let known = "=, !=, <, <=, >, >=, ~, in (a, b), is null, and lookups such as startswith";
            Err(parser.fail_before(&format!("\"{word}\" is no comparison. There are {known}.")))
        }
        Some(_) => Err(parser.fail_before("Write \"and\" or \"or\" before this.")),
    }
}

/// Reads a client's filter line: conditions, between which `and` may be left out, and words to search for, which are the words that belong
/// to no condition. What is in quotation marks by itself is searched for.
pub fn parse_line(text: &str, names: &dyn Names) -> Result<(Option<Condition>, Vec<String>), ConditionError> {
    let mut parser = Parser::new(text, names)?;
    let (mut parts, mut words) = (Vec::new(), Vec::new());
    while parser.peek().is_some() {
        if parser.is_keyword("and") && !parts.is_empty() {
            parser.next();
            parts.push(parser.denied(0)?);
        } else if let Some(word) = parser.search_word() {
            words.push(word);
        } else {
            match parser.any(0)? {
                Condition::All(more) => parts.extend(more),
                condition => parts.push(condition),
            }
        }
    }
    let condition = if parts.len() > 1 { Some(Condition::All(parts)) } else { parts.pop() };
    Ok((condition, words))
}

struct Parser<'a> {
    /// Each with its place: characters from the beginning.
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// Where the text ends.
    end: usize,
    names: &'a dyn Names,
    comparisons: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &str, names: &'a dyn Names) -> Result<Self, ConditionError> {
        if text.len() > MAX_BYTES {
            let message = format!("A condition has at most {MAX_BYTES} bytes; this one has {}.", text.len());
            return Err(ConditionError { at: 0, message });
        }
        Ok(Self { tokens: tokens(text)?, next: 0, end: text.chars().count(), names, comparisons: 0 })
    }

    fn peek(&self) -> Option<&Token> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.next + ahead).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += usize::from(token.is_some());
        token
    }

    fn is_quoted(&self) -> bool {
        matches!(self.peek(), Some(Token::Quoted(_)))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn is_keyword(&self, word: &str) -> bool {
        self.is_keyword_at(0, word)
    }

    fn is_keyword_at(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_at(ahead), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn take_keyword(&mut self, word: &str) -> bool {
        let is_it = self.is_keyword(word);
        self.next += usize::from(is_it);
        is_it
    }

    /// Where the next token stands.
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ConditionError> {
        Err(ConditionError { at: self.at(), message: message.into() })
    }

    fn fail_before(&self, message: &str) -> ConditionError {
        let at = self.tokens.get(self.next.saturating_sub(1)).map_or(self.end, |(at, _)| *at);
        ConditionError { at, message: message.to_owned() }
    }

    /// Conditions with `or` between them.
    fn any(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.all(depth)?];
        while self.take_keyword("or") {
            parts.push(self.all(depth)?);
        }
        Ok(single(parts, Condition::Any))
    }

    /// Conditions with `and` between them.
    fn all(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.denied(depth)?];
        while self.take_keyword("and") {
            parts.push(self.denied(depth)?);
        }
        Ok(single(parts, Condition::All))
    }

    /// A comparison, or a condition in parentheses; or that one does not hold.
    fn denied(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        if depth > MAX_DEPTH {
            return self.fail(format!("Conditions stand at most {MAX_DEPTH} deep in each other."));
        }
        // A member may have this name.
        if self.is_keyword("not") && !matches!(self.peek_at(1), Some(Token::Sign(sign)) if *sign != "(") {
            self.next += 1;
            return Ok(Condition::Not(Box::new(self.denied(depth + 1)?)));
        }
        if !self.is_sign("(") {
            return self.comparison();
        }
        let opened = self.at();
        self.next += 1;
        let condition = self.any(depth + 1)?;
        if self.is_sign(")") {
            self.next += 1;
            return Ok(condition);
        }
        match self.peek() {
            None => {
                Err(ConditionError { at: opened, message: "This parenthesis is not closed. Add \")\".".to_owned() })
            }
            Some(_) => self.fail("Write \"and\", \"or\" or \")\" before this."),
        }
    }

    fn comparison(&mut self) -> Result<Condition, ConditionError> {
        let at = self.at();
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return self.fail(format!("A condition has at most {MAX_COMPARISONS} comparisons."));
        }
        let named = match self.peek() {
            Some(Token::Word(word) | Token::Quoted(word)) => word.clone(),
            Some(Token::Sign(sign)) => return self.fail(format!("Name a field before \"{sign}\".")),
            None => return self.fail("Here a field's name is missing, as in price < 3."),
        };
        let is_word = ["and", "or", "not", "in", "is"].iter().any(|word| self.is_keyword(word));
        if is_word && !matches!(self.peek_at(1), Some(Token::Sign(sign)) if !matches!(*sign, "(" | ")" | ",")) {
            return self.fail(format!("Here a condition is missing before \"{named}\"."));
        }
        if named.starts_with('!') && !self.is_quoted() {
            return self.fail("Write \"not\" in place of \"!\".");
        }
        if named.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !self.is_quoted() {
            return self.fail("A field stands on the left, and what it is compared with on the right.");
        }
        let Some(path) = self.names.path(&named) else {
            let named = crate::text::single_line(&named).into_owned();
            return self
                .fail(format!("There is no field \"{named}\". A text to search for stands in quotation marks."));
        };
        self.next += 1;
        let is = |operator, operands| Condition::Is(Comparison { path: path.clone(), operator, operands, at });
        let not = |condition| Condition::Not(Box::new(condition));
        if self.is_keyword("is") {
            self.next += 1;
            let denied = self.take_keyword("not");
            let operator = if self.take_keyword("null") {
                Operator::Null
            } else if self.take_keyword("empty") {
                Operator::Empty
            } else {
                return self.fail("After \"is\" stands null or empty, or not null, not empty.");
            };
            let condition = is(operator, Vec::new());
            return Ok(if denied { not(condition) } else { condition });
        }
        let denied = self.is_keyword("not") && self.is_keyword_at(1, "in");
        if denied || self.is_keyword("in") {
            self.next += 1 + usize::from(denied);
            let condition = is(Operator::Lookup(Lookup::In), self.list()?);
            return Ok(if denied { not(condition) } else { condition });
        }
        let Some(operator) = self.operator() else {
            if self.names.is_boolean(&path) {
                return Ok(is(Operator::Lookup(Lookup::Exact), vec![Operand::Text("true".to_owned())]));
            }
            return self.fail(format!("Compare \"{named}\" with something, as in {named} = 3, or write is null."));
        };
        self.next += 1;
        // Where nothing is compared with, that is what is asked for.
        for (word, without) in [("null", Operator::Null), ("empty", Operator::Empty)] {
            if self.is_keyword(word) && matches!(operator, Operator::Lookup(Lookup::Exact) | Operator::Differs) {
                self.next += 1;
                let condition = is(without, Vec::new());
                return Ok(if operator == Operator::Differs { not(condition) } else { condition });
            }
        }
        Ok(is(operator, vec![self.operand()?]))
    }

    /// The operator that comes next.
    fn operator(&self) -> Option<Operator> {
        Some(match self.peek()? {
            Token::Sign("=") => Operator::Lookup(Lookup::Exact),
            Token::Sign("!=") => Operator::Differs,
            Token::Sign("<") => Operator::Lookup(Lookup::Lt),
            Token::Sign("<=") => Operator::Lookup(Lookup::Lte),
            Token::Sign(">") => Operator::Lookup(Lookup::Gt),
            Token::Sign(">=") => Operator::Lookup(Lookup::Gte),
            Token::Sign("~") => Operator::Lookup(Lookup::Icontains),
            Token::Word(word) => {
                let (_, lookup) = Lookup::WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known))?;
                Operator::Lookup(*lookup).said_by_word()?
            }
            _ => return None,
        })
    }

    fn list(&mut self) -> Result<Vec<Operand>, ConditionError> {
        if !self.is_sign("(") {
            return self.fail("After \"in\" stands a list, as in kind in (sweet, salty).");
        }
        self.next += 1;
        let mut operands = Vec::new();
        loop {
            operands.push(self.operand()?);
            if operands.len() > MAX_VALUES {
                return self.fail(format!("A list has at most {MAX_VALUES} values."));
            }
            let (is_comma, is_end) = (self.is_sign(","), self.is_sign(")"));
            if !is_comma && !is_end {
                return self.fail("Write \",\" or \")\" here. A value with spaces stands in quotation marks.");
            }
            self.next += 1;
            if is_end {
                return Ok(operands);
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, ConditionError> {
        let operand = match self.peek() {
            Some(Token::Quoted(text)) => Operand::Text(text.clone()),
            Some(Token::Word(word)) if word == "me" => Operand::Me,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("now()") => Operand::Now,
            Some(Token::Word(word)) if word == "null" || word == "empty" => {
                return self.fail(format!(
                    "Nothing is compared with {word}: write is {word}, or the text in quotation marks."
                ));
            }
            Some(Token::Word(word)) => Operand::Text(word.clone()),
            // Of two signs neither is meant, as in == and <>.
            Some(Token::Sign(sign)) if !matches!(*sign, "(" | ")" | ",") => {
                return self.fail("Here a value is missing: one sign compares, such as = or !=.");
            }
            _ => return self.fail("Here a value is missing."),
        };
        self.next += 1;
        Ok(operand)
    }

    /// The next token, if it is a word that belongs to no condition: neither is it compared with anything, nor joined to a condition, nor
    /// one by itself.
    fn search_word(&mut self) -> Option<String> {
        let word = match self.peek()? {
            Token::Word(word) => word.clone(),
            Token::Quoted(text) => text.clone(),
            Token::Sign(_) => return None,
        };
        let is_quoted = self.is_quoted();
        let compares = match self.peek_at(1) {
            Some(Token::Sign(sign)) => !matches!(*sign, "(" | ")" | ","),
            Some(Token::Word(next)) => {
                let next = next.to_ascii_lowercase();
                let follows = |sign: &str| matches!(self.peek_at(2), Some(Token::Sign(found)) if *found == sign);
                let is_joint = matches!(next.as_str(), "and" | "or") && self.peek_at(2).is_some();
                let is_lookup = self.names.path(&word).is_some()
                    && self.peek_at(2).is_some()
                    && Lookup::WORDS
                        .iter()
                        .any(|(known, lookup)| *known == next && Operator::Lookup(*lookup).said_by_word().is_some());
                is_joint
                    || is_lookup
                    || (next == "in" && follows("("))
                    || (next == "not" && self.is_keyword_at(2, "in"))
                    || (next == "is" && ["not", "null", "empty"].iter().any(|word| self.is_keyword_at(2, word)))
            }
            _ => false,
        };
        let is_condition = !is_quoted
            && (self.is_keyword("not") && self.peek_at(1).is_some()
                || self.names.path(&word).is_some_and(|path| self.names.is_boolean(&path)));
        if compares || is_condition {
            return None;
        }
        self.next += 1;
        Some(word)
    }
}

impl Operator {
    /// A lookup that is said by its word, and compares with one value.
    fn said_by_word(self) -> Option<Self> {
        let Self::Lookup(lookup) = self else { return None };
        lookup.is_textual().then_some(self)
    }
}

fn single(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        _ => many(parts),
    }
}
