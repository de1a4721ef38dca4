//! A definition for a file that no collection has yet: a field for each column, of the narrowest type that all of its cells have.

use std::{fs::File, io};

use base::Charge;
use common::{
    field::{Field, MAX_DECIMAL_DIGITS},
    import::{
        ColumnAs, Guess, ImportQuery, ReadAs,
        columns::{Called, Columns, find},
    },
    rows::{RowFormat, cell},
    text::single_line,
    validate::{canonical_date, canonical_datetime, parse_decimal},
};
use serde_json::json;

use super::{
    MAX_COLUMNS, Unreadable,
    cells::{Cell, Table},
    complaint,
    convert::{is_day_by, is_moment_by, with_point},
    headings::RowNumbers,
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
            if row.iter().all(Cell::is_nothing) {
                continue;
            }
            for (i, column) in columns.iter_mut().enumerate() {
                column.meet(row.get(i), how);
            }
        }
    } else {
        for (count, object) in Rows::new(opened.text, opened.format == RowFormat::Json, held).enumerate() {
            let object = object?.map_err(|wrong| complaint(format!("Row {}: {}", count + 1, wrong.message)))?;
            for (name, value) in object.as_object() {
                if !columns.iter().any(|column| column.heading == *name) {
                    if columns.len() >= MAX_COLUMNS {
                        let told = format!("Row {}: the file has more than {MAX_COLUMNS} names.", count + 1);
                        return Err(complaint(told).into());
                    }
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
    if columns.is_empty() {
        return Err(Unreadable::whole("The file has no rows, so nothing says which fields there are."));
    }
    let (mut fields, mut told) = (Vec::<Field>::new(), Vec::new());
    let headings: Vec<String> = columns.iter().map(|column| column.heading.clone()).collect();
    let called = Columns::of(&headings);
    let mut mapped = Vec::with_capacity(how.map.len());
    for (heading, member) in &how.map {
        let Some(at) = find(&called, heading) else {
            return Err(Unreadable::at("map", format!("The file has no heading \"{}\".", single_line(heading))));
        };
        mapped.push((at, member));
    }
    for (i, (column, Called { heading, field, is_unnamed, .. })) in columns.into_iter().zip(called.clone()).enumerate()
    {
        let mapped = mapped.iter().find(|(at, _)| *at == i);
        let name = match mapped {
            Some((_, member)) => (*member).clone(),
            None if is_unnamed && (!column.has_values || (i == 0 && column.counts_rows)) => None,
            None => Some(field),
        };
        if let Some(name) = &name {
            fields.push(
                column
                    .field(name)
                    .map_err(|_| Unreadable::at("map", format!("No field can be called \"{}\".", single_line(name))))?,
            );
        }
        told.push(ColumnAs { heading, member: name });
    }
    Ok(Guess { fields, read: ReadAs { columns: told, ..read } })
}

/// What was met in a column.
struct Column {
    heading: String,
    is_nullable: bool,
    is_nested: bool,
    has_values: bool,
    is_multiline: bool,
    counts_rows: bool,
    row_numbers: RowNumbers,
    may: [bool; 5],
    places: u32,
    /// Digits before the point.
    whole: usize,
}

const BOOLEAN: usize = 0;
const INTEGER: usize = 1;
const DECIMAL: usize = 2;
const DATE: usize = 3;
const DATETIME: usize = 4;

impl Column {
    fn new(heading: String) -> Self {
        let (is_nullable, is_nested, has_values, is_multiline) = (false, false, false, false);
        let (counts_rows, row_numbers, may) = (true, RowNumbers::default(), [true; 5]);
        Self {
            heading,
            is_nullable,
            is_nested,
            has_values,
            is_multiline,
            counts_rows,
            row_numbers,
            may,
            places: 0,
            whole: 0,
        }
    }

    fn meet(&mut self, cell: Option<&Cell>, how: &ImportQuery) {
        let Some(cell) = cell.filter(|cell| !cell.is_nothing()) else {
            self.is_nullable = true;
            return;
        };
        let text = cell.text.trim();
        self.has_values = true;
        self.counts_rows &= self.row_numbers.go_on(text);
        self.is_multiline |= text.contains('\n');
        let with_point = if how.decimal_comma { with_point(text) } else { None };
        // A point that does not stand between thousands makes it no number.
        let is_other = how.decimal_comma && with_point.is_none() && text.contains('.');
        let number = with_point.as_deref().unwrap_or(text);
        // A zero in front is a part of a code, and lost in a number.
        let digits = number.trim_start_matches(['-', '+']);
        let is_code = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !number.starts_with('+');
        let decimal = parse_decimal(number).filter(|_| plain && !is_code && !is_other);
        if let Some(decimal) = decimal {
            let whole = decimal.trunc().abs().to_string().len();
            (self.places, self.whole) = (self.places.max(decimal.scale()), self.whole.max(whole));
        }
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
        // Values that are filled up to the same places must have room for them.
        if kind == "decimal" && self.whole + self.places as usize <= MAX_DECIMAL_DIGITS as usize {
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
        assert_eq!(fields("Preis\n1.5\n", &comma), expected([json!({"name": "preis", "type": "text"})]));
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
        // As R and pandas write tables, with a column of row numbers in front; and without the room for the same places in all values.
        assert_eq!(
            fields(",x\n0,12345678901234567890.5\n1,0.12345678901234\n", &ImportQuery::default()),
            expected([json!({"name": "x", "type": "decimal"})])
        );
        assert_eq!(
            fields("\"\",a,a,\n\"Mazda\",1,2,\n\"Fiat\",3,4,\n", &ImportQuery::default()),
            expected([
                json!({"name": "column_1", "type": "text"}),
                json!({"name": "a", "type": "integer"}),
                json!({"name": "a_2", "type": "integer"})
            ])
        );
        let map = vec![("#1".to_owned(), Some("row".to_owned())), ("a".to_owned(), None)];
        assert_eq!(
            fields(",a\n1,x\n2,y\n", &ImportQuery { map, ..ImportQuery::default() }),
            expected([json!({"name": "row", "type": "integer"})])
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
