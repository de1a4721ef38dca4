//! What the columns of a file are called: by what they are mapped, and the fields that they would be. Whoever guesses, imports or shows a file asks here.

use std::collections::{HashMap, HashSet};

use crate::name::{FieldName, SERVER_MEMBERS};

/// Characters of a field's name at most that is made of a heading.
const LONGEST: usize = 50;

/// The columns of a file so far.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    count: usize,
    headings: HashSet<String>,
    fields: HashSet<String>,
    /// Of names that came more than once, the number that the next of them gets: a file may have thousands of the same.
    next: HashMap<String, usize>,
}

/// What one is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// By what it is mapped: its heading; or its position, `#3`, where it has none, or another before it has the same.
    pub heading: String,
    /// The field that it would be.
    pub field: String,
    /// There is no heading.
    pub is_unnamed: bool,
    /// Another column before it has the same heading.
    pub is_repeated: bool,
}

impl Columns {
    /// The next column, by what stands at its head.
    pub fn add(&mut self, heading: &str) -> Called {
        self.count += 1;
        let (text, position) = (heading.trim(), self.count);
        let mut heading = text.to_owned();
        let (is_unnamed, is_known) = (text.is_empty(), self.headings.contains(&heading));
        if is_unnamed || is_known {
            heading = at(position);
            while self.headings.contains(&heading) {
                heading.insert(0, '#');
            }
        }
        let base = field(text).unwrap_or_else(|| format!("column_{position}"));
        let mut name = base.clone();
        while self.fields.contains(&name) {
            let n = self.next.entry(base.clone()).or_insert(2);
            name = format!("{base}_{n}");
            *n += 1;
        }
        self.headings.insert(heading.clone());
        self.fields.insert(name.clone());
        Called { heading, field: name, is_unnamed, is_repeated: is_known && !is_unnamed }
    }

    /// All columns of a file, by what stands at their heads.
    pub fn of<'a>(headings: impl IntoIterator<Item = &'a String>) -> Vec<Called> {
        let mut columns = Self::default();
        headings.into_iter().map(|heading| columns.add(heading)).collect()
    }
}

/// A column by its position, the first being 1.
pub fn at(position: usize) -> String {
    format!("#{position}")
}

/// The column that a mapping means: the one that is called so, or stands at the position.
pub fn find(columns: &[Called], heading: &str) -> Option<usize> {
    let by_position =
        || heading.strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < columns.len());
    columns.iter().position(|column| column.heading == heading).or_else(by_position)
}

/// What a field can be called that a heading is made to.
fn field(heading: &str) -> Option<String> {
    let mut name = String::new();
    for c in heading.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            'ä' => name.push_str("ae"),
            'ö' => name.push_str("oe"),
            'ü' => name.push_str("ue"),
            'ß' => name.push_str("ss"),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    name.truncate(LONGEST);
    let name = name.trim_end_matches('_').to_owned();
    let is_good = name.parse::<FieldName>().is_ok() && !SERVER_MEMBERS.contains(&name.as_str());
    is_good.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_name_of_its_own_to_be_mapped_by_and_one_as_a_field() {
        let called = |headings: &[&str]| {
            let headings: Vec<String> = headings.iter().map(|heading| (*heading).to_owned()).collect();
            Columns::of(&headings)
        };
        let told = |headings: &[&str]| -> Vec<(String, String)> {
            called(headings).into_iter().map(|column| (column.heading, column.field)).collect()
        };
        let expected = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        assert_eq!(
            told(&["", "a", " a ", "Größe (cm)", "id", "A", ""]),
            expected(&[
                ("#1", "column_1"),
                ("a", "a"),
                ("#3", "a_2"),
                ("Größe (cm)", "groesse_cm"),
                ("id", "column_5"),
                ("A", "a_3"),
                ("#7", "column_7")
            ])
        );
        // A heading that looks like a position is one all the same.
        assert_eq!(told(&["#2", "", "#2"]), expected(&[("#2", "column_1"), ("##2", "column_2"), ("#3", "column_3")]));
        let columns = called(&["#2", "b", "b"]);
        for (heading, at) in
            [("#2", Some(0)), ("b", Some(1)), ("#3", Some(2)), ("#1", Some(0)), ("#4", None), ("#0", None), ("x", None)]
        {
            assert_eq!(find(&columns, heading), at, "{heading}");
        }
    }
}
