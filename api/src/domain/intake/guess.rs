//! A definition for a file that no collection has yet: a field for each column, of the narrowest type that all of its cells have.

use std::{fs::File, io};

use base::Charge;
use common::{
    field::Field,
    import::{ColumnAs, Guess, ImportQuery, ReadAs},
    name::{FieldName, SERVER_MEMBERS},
    rows::{RowFormat, cell},
    validate::{canonical_date, canonical_datetime, parse_decimal},
};
use serde_json::json;

use super::{
    Unreadable,
    cells::{Cell, Table},
    convert::{is_day_by, is_moment_by, with_point},
    json::Rows,
    prepare::{Told, open},
};

/// Reads a file to its end. Each row is charged to `held` in turn.
pub fn guess(file: File, how: &ImportQuery, told: &Told, held: &mut Charge) -> Result<Guess, Unreadable> {
    let opened = open(file, how, told)?;
    let read = opened.read_as();
    let mut columns: Vec<Column> = Vec::new();
    if opened.format.is_table() {
        let mut table = Table::new(opened.text, opened.delimiter, held);
        let Some(first) = table.next() else { return Err(Unreadable::whole("The file has no headings.")) };
        columns.extend(first?.into_iter().map(|cell| Column::new(cell.text)));
        for row in table {
            let row = row?;
            for (i, column) in columns.iter_mut().enumerate() {
                column.meet(row.get(i), how);
            }
        }
    } else {
        for (count, object) in Rows::new(opened.text, opened.format == RowFormat::Json, held).enumerate() {
            let object = object?.map_err(|message| io::Error::new(io::ErrorKind::InvalidData, message))?;
            for (name, value) in object.as_object() {
                if !columns.iter().any(|column| column.heading == *name) {
                    // The rows so far do not have it.
                    columns.push(Column { is_nullable: count > 0, ..Column::new(name.clone()) });
                }
                let nested = value.is_object() || value.is_array();
                if let Some(column) = columns.iter_mut().find(|column| column.heading == *name) {
                    column.is_nested |= nested;
                    column.meet(cell(value, None, nested).map(|text| Cell { text, is_quoted: true }).as_ref(), how);
                }
            }
            for column in columns.iter_mut().filter(|column| !object.as_object().contains_key(&column.heading)) {
                column.is_nullable = true;
            }
        }
    }
    let mut fields: Vec<Field> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut told = Vec::new();
    for column in columns {
        let heading = column.heading.trim().to_owned();
        if heading.is_empty() {
            told.push(ColumnAs { heading, member: None });
            continue;
        }
        let name = name(&heading, &names);
        fields.push(column.field(&name)?);
        names.push(name.clone());
        told.push(ColumnAs { heading, member: Some(name) });
    }
    Ok(Guess { fields, read: ReadAs { columns: told, ..read } })
}

/// What a heading can be called.
fn name(heading: &str, taken: &[String]) -> String {
    let mut name = String::new();
    for c in heading.trim().to_lowercase().chars() {
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
    let name: String = name.trim_end_matches('_').chars().take(50).collect();
    let good = |name: &str| name.parse::<FieldName>().is_ok() && !SERVER_MEMBERS.contains(&name);
    let base = if good(&name) { name } else { format!("column_{}", taken.len() + 1) };
    let mut free = base.clone();
    let mut n = 2;
    while taken.contains(&free) {
        free = format!("{base}_{n}");
        n += 1;
    }
    free
}

/// What was met in a column.
struct Column {
    heading: String,
    is_nullable: bool,
    is_nested: bool,
    has_values: bool,
    is_multiline: bool,
    may: [bool; 5],
    places: u32,
}

const BOOLEAN: usize = 0;
const INTEGER: usize = 1;
const DECIMAL: usize = 2;
const DATE: usize = 3;
const DATETIME: usize = 4;

impl Column {
    fn new(heading: String) -> Self {
        let (is_nullable, is_nested, has_values, is_multiline) = (false, false, false, false);
        Self { heading, is_nullable, is_nested, has_values, is_multiline, may: [true; 5], places: 0 }
    }

    fn meet(&mut self, cell: Option<&Cell>, how: &ImportQuery) {
        let Some(cell) = cell.filter(|cell| !cell.is_nothing()) else {
            self.is_nullable = true;
            return;
        };
        let text = cell.text.trim();
        self.has_values = true;
        self.is_multiline |= text.contains('\n');
        let number = if how.decimal_comma { with_point(text) } else { None };
        let number = number.as_deref().unwrap_or(text);
        // A zero in front is a part of a code, and lost in a number.
        let digits = number.trim_start_matches(['-', '+']);
        let is_code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !number.starts_with('+');
        let decimal = parse_decimal(number).filter(|_| plain && !is_code);
        self.places = self.places.max(decimal.map_or(0, |decimal| decimal.scale()));
        let is_now = [
            matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "wahr" | "falsch"),
            decimal.is_some() && number.parse::<i64>().is_ok_and(|number| number.unsigned_abs() <= 1 << 53),
            decimal.is_some(),
            (canonical_date(text).is_some() && text.contains('-')) || is_day_by(&how.dates, text),
            (canonical_datetime(text).is_some() && text.contains(':')) || is_moment_by(&how.dates, text),
        ];
        for (may, is_so) in self.may.iter_mut().zip(is_now) {
            *may &= is_so;
        }
    }

    fn field(&self, name: &str) -> io::Result<Field> {
        let kind =
            [("boolean", BOOLEAN), ("integer", INTEGER), ("decimal", DECIMAL), ("date", DATE), ("datetime", DATETIME)];
        let kind = kind.iter().find(|(_, at)| self.has_values && self.may[*at]).map(|(word, _)| *word);
        let kind = if self.is_nested { "json" } else { kind.unwrap_or("text") };
        let mut field = json!({"name": name, "type": kind});
        if kind == "decimal" {
            field["places"] = self.places.into();
        }
        if kind == "text" && self.is_multiline {
            field["multiline"] = true.into();
        }
        if self.is_nullable || (!self.has_values && kind != "text") {
            field["nullable"] = true.into();
        }
        serde_json::from_value(field).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use serde_json::Value;

    use super::*;

    fn fields(text: &str, how: &ImportQuery) -> Vec<Field> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        guess(file, how, &Told::default(), &mut base::MemoryBudget::unlimited().nothing()).unwrap().fields
    }

    fn expected<const N: usize>(fields: [Value; N]) -> Vec<Field> {
        fields.into_iter().map(|field| serde_json::from_value(field).unwrap()).collect()
    }

    #[test]
    fn types_are_the_narrowest_that_fit() {
        let text = "Größe (cm),code,price,on,at,yes,note,id\n12,007,1.5,2026-01-02,2026-01-02 03:04,true,,7\n-3,010,2,2026-01-03,2026-01-02T03:04:05Z,FALSE,\"a\nb\",8\n";
        assert_eq!(
            fields(text, &ImportQuery::default()),
            expected([
                json!({"name": "groesse_cm", "type": "integer"}),
                json!({"name": "code", "type": "text"}),
                json!({"name": "price", "type": "decimal", "places": 1}),
                json!({"name": "on", "type": "date"}),
                json!({"name": "at", "type": "datetime"}),
                json!({"name": "yes", "type": "boolean"}),
                json!({"name": "note", "type": "text", "multiline": true, "nullable": true}),
                json!({"name": "column_8", "type": "integer"}),
            ])
        );
        let comma = ImportQuery { decimal_comma: true, ..ImportQuery::default() };
        assert_eq!(
            fields("Preis\n\"1.234,50\"\n", &comma),
            expected([json!({"name": "preis", "type": "decimal", "places": 2})])
        );
        let dates = ImportQuery {
            dates: vec!["DD.MM.YYYY".to_owned(), "DD.MM.YYYY hh:mm".to_owned()],
            ..ImportQuery::default()
        };
        assert_eq!(
            fields("Tag;Wann\n24.12.2026;24.12.2026 18:30\n2026-12-25;25.12.2026 08:00\n", &dates),
            expected([json!({"name": "tag", "type": "date"}), json!({"name": "wann", "type": "datetime"})])
        );
        let objects = "{\"a\":1,\"b\":[1]}\n{\"a\":2.5}\n";
        assert_eq!(
            fields(objects, &ImportQuery::default()),
            expected([
                json!({"name": "a", "type": "decimal", "places": 1}),
                json!({"name": "b", "type": "json", "nullable": true})
            ])
        );
    }
}
