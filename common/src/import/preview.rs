//! The beginning of a file, as a client shows it before it is sent: the first rows, and the field that each column goes into.

use crate::{
    call_error::CallError,
    collection::Collection,
    import::{
        ColumnAs, ReadAs,
        columns::{Called, Columns, find},
    },
};

/// Bytes of a file that are read for its first rows.
pub const HEAD: u32 = 65_536;
/// Rows that are shown.
const ROWS: usize = 8;

/// The beginning of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// The headings, each with what it is taken for.
    pub columns: Vec<ColumnAs>,
    /// The first rows under them. There are none of JSON.
    pub rows: Vec<Vec<String>>,
}

/// The beginning of a file whose text begins so. `read` is how the server read it; where it refused to, what is shown is taken from the text.
pub fn preview(
    collection: &Collection,
    map: &[(String, Option<String>)],
    read: Option<&ReadAs>,
    head: &str,
    is_cut: bool,
) -> Preview {
    let mut rows = beginning(read, head, is_cut);
    let headings = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
    let columns = match read {
        Some(read) => read.columns.clone(),
        None => taken_for(collection, map, &Columns::of(&headings)),
    };
    Preview { columns, rows }
}

/// The headings and the first rows of a file whose text begins so. There are none of JSON.
pub fn beginning(read: Option<&ReadAs>, head: &str, is_cut: bool) -> Vec<Vec<String>> {
    let is_json = head.trim_start().starts_with(['[', '{']);
    let delimiter = read.and_then(|read| read.delimiter.as_deref()?.chars().next());
    let delimiter = delimiter.unwrap_or_else(|| usual_delimiter(head));
    let mut rows = if is_json { Vec::new() } else { first_rows(head, delimiter) };
    if is_cut && rows.len() <= ROWS {
        // The last of them may be cut off.
        rows.truncate(rows.len().saturating_sub(1).max(1));
    }
    rows
}

/// Headings that the server knows no field of, by its refusal.
pub fn unknown_headings(error: &CallError) -> Vec<String> {
    let errors = error.problem().map(|problem| &problem.errors.0);
    let unknown = errors.iter().flat_map(|errors| errors.iter());
    let unknown = unknown.filter(|(_, errors)| errors.iter().any(|error| error.code == "unknown"));
    unknown.map(|(heading, _)| heading.clone()).collect()
}

/// What columns are taken for where the server refused to say: what they were mapped to, or a field of this name.
fn taken_for(collection: &Collection, map: &[(String, Option<String>)], columns: &[Called]) -> Vec<ColumnAs> {
    let taken = columns.iter().enumerate().map(|(at, column)| {
        let mapped = map.iter().find(|(heading, _)| find(columns, heading) == Some(at));
        let named = || {
            let name = column.heading.to_lowercase().replace([' ', '-'], "_");
            let field = collection.field(&name).or_else(|| collection.field(&column.field));
            field.map(|field| field.name.to_string())
        };
        let member = mapped.map_or_else(named, |(_, member)| member.clone());
        ColumnAs { heading: column.heading.clone(), member }
    });
    taken.collect()
}

fn usual_delimiter(head: &str) -> char {
    let line = head.lines().next().unwrap_or_default();
    [',', ';', '\t'].into_iter().max_by_key(|delimiter| line.matches(*delimiter).count()).unwrap_or(',')
}

/// The first rows of text with cells, the headings before them.
fn first_rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut chars) = (false, text.trim_start_matches('\u{feff}').chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if is_quoted || cell.is_empty() => is_quoted = !is_quoted,
            c if c == delimiter && !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {}
            '\n' | '\r' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
                if rows.len() > ROWS {
                    return rows;
                }
            }
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_in_quotation_marks_may_have_anything_in_them() {
        let read = |text, delimiter| first_rows(text, delimiter);
        assert_eq!(
            read("\u{feff}a;b\r\n\"x;\"\"y\"\"\nz\";2\r\n;\r\n", ';'),
            [["a", "b"], ["x;\"y\"\nz", "2"], ["", ""]]
        );
        assert_eq!(read("a,b\n1,2", ','), [["a", "b"], ["1", "2"]]);
        assert_eq!(read("a,b\r1,2\r", ','), [["a", "b"], ["1", "2"]]);
        assert_eq!(read(&"a\n".repeat(99), ',').len(), 9);
    }

    #[test]
    fn a_file_that_the_server_refused_is_shown_as_it_looks() {
        let collection: Collection = serde_json::from_value(serde_json::json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "goods", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "unit_price", "type": "integer"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let map = [("Notes".to_owned(), None)];
        let shown = preview(&collection, &map, None, "Unit price;Notes;Wort\n1;;x\n2;;", true);
        let members: Vec<_> = shown.columns.iter().map(|column| column.member.as_deref()).collect();
        assert_eq!(members, [Some("unit_price"), None, None]);
        assert_eq!(shown.rows, [["1", "", "x"]]);
        assert_eq!(preview(&collection, &[], None, " [{\"a\": 1}]", false), Preview::default());
        let map = [("#1".to_owned(), Some("unit_price".to_owned()))];
        let shown = preview(&collection, &map, None, ",a,a\n1,x,y\n", false);
        let columns: Vec<_> =
            shown.columns.iter().map(|column| (column.heading.as_str(), column.member.as_deref())).collect();
        assert_eq!(columns, [("#1", Some("unit_price")), ("a", None), ("#3", None)]);
    }
}
