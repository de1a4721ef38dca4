//! Tables: which columns a collection has, how a value is shown in a cell, how a table is sorted, filtered and paged.
//! Both clients draw this model.

mod joined;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::joined::{join_fields, joined_cell, joined_columns, likely_join};

use crate::{
    collection::Collection,
    condition::{Condition, Operand, parse_line},
    field::FieldType,
    id::RecordId,
    name::{CollectionName, SERVER_MEMBERS},
    page::{Page, pages},
    query::{Filter, ListQuery, Lookup, OrderBy},
    record::Record,
    text,
};

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The member that it shows.
    pub name: String,
    /// The heading.
    pub label: String,
    /// Numbers stand at the right edge.
    pub numeric: bool,
    /// Rows can be ordered by it.
    pub sortable: bool,
}

/// The columns of a collection: its fields, then when a record was changed.
pub fn columns(collection: &Collection) -> Vec<Column> {
    let fields = collection.fields.iter().map(|field| Column {
        name: field.name.to_string(),
        label: text::label(field.name.as_str()),
        numeric: matches!(field.kind, FieldType::Integer { .. } | FieldType::Decimal { .. }),
        sortable: field.kind.indexable(),
    });
    let updated = Column { name: "updated_at".to_owned(), label: "Updated".to_owned(), numeric: false, sortable: true };
    fields.chain([updated]).collect()
}

/// A value as one line of text that is safe to show.
pub fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Bool(true)) => "yes".to_owned(),
        Some(Value::Bool(false)) => "no".to_owned(),
        Some(Value::String(text)) => text::single_line(text).into_owned(),
        Some(Value::Array(items)) if items.iter().all(|item| item.is_string() || item.is_number()) => {
            items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => text::single_line(&other.to_string()).into_owned(),
    }
}

/// A cell's text in pieces, each with whether words of a search stand there; `stretches` are characters, as [`Page::highlights`] has them. Where the
/// first is far behind, what comes long before it is left out.
///
/// [`Page::highlights`]: crate::page::Page::highlights
pub fn marked(text: &str, stretches: &Value) -> Vec<(String, bool)> {
    const FAR: usize = 40;
    const BEFORE: usize = 16;
    let place = |stretch: &Value, end: usize| usize::try_from(stretch.get(end)?.as_u64()?).ok();
    let stretches = stretches.as_array().into_iter().flatten();
    let mut pieces = Vec::new();
    let (mut chars, mut at) = (text.chars(), 0);
    for (from, to) in stretches.filter_map(|stretch| Some((place(stretch, 0)?, place(stretch, 1)?))) {
        if at == 0 && from > FAR {
            at = from - BEFORE;
            chars.nth(at - 1);
            pieces.push(("…".to_owned(), false));
        }
        pieces.push((chars.by_ref().take(from.saturating_sub(at)).collect(), false));
        pieces.push((chars.by_ref().take(to.saturating_sub(from)).collect(), true));
        at = to;
    }
    pieces.push((chars.collect(), false));
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}

/// What people call a record: the first of its own members that says anything, or else its id.
pub fn title(record: &Record) -> String {
    let own = record.as_object().iter().filter(|(name, _)| !SERVER_MEMBERS.contains(&name.as_str()));
    let title = own.map(|(_, value)| cell(Some(value))).find(|text| !text.trim().is_empty());
    title.unwrap_or_else(|| cell(record.get("id")))
}

/// What people call a record of this collection: what its field for that says, or else as [`title`].
pub fn title_of(collection: &Collection, record: &Record) -> String {
    let display = collection.fields.iter().find(|field| field.display);
    let said = display.map(|field| cell(record.get(field.name.as_str()))).filter(|text| !text.trim().is_empty());
    said.unwrap_or_else(|| title(record))
}

/// Where the name of what a member's value is the id of stands among [`Page::names`]: under the id; under the member and the id where that is a
/// number, which is another record's in another collection.
///
/// [`Page::names`]: crate::page::Page::names
pub fn name_key(member: &str, id: &Value) -> String {
    match id {
        Value::String(id) => id.clone(),
        id => format!("{member}.{id}"),
    }
}

/// What a member says where names are told of the ids in it; `None` where none is.
pub fn named(names: &BTreeMap<String, String>, member: &str, value: &Value) -> Option<String> {
    let name = |id: &Value| names.get(&name_key(member, id)).map(|name| text::single_line(name).into_owned());
    match value {
        Value::Array(ids) => {
            let known: Vec<Option<String>> = ids.iter().map(name).collect();
            let is_known = known.iter().any(Option::is_some);
            let parts = known.into_iter().zip(ids).map(|(name, id)| name.unwrap_or_else(|| cell(Some(id))));
            is_known.then(|| parts.collect::<Vec<_>>().join(", "))
        }
        id @ (Value::String(_) | Value::Number(_)) => name(id),
        _ => None,
    }
}

/// Whether a record refers to something, or has an owner, whose name is not told.
pub fn is_unnamed(collection: &Collection, record: &Record, names: &BTreeMap<String, String>) -> bool {
    let references = collection.fields.iter().filter(|field| matches!(field.kind, FieldType::Reference { .. }));
    let mut members = references.map(|field| field.name.as_str()).chain(["owner"]);
    members.any(|member| {
        let ids = record.get(member).into_iter().flat_map(|value| match value {
            Value::Array(ids) => ids.as_slice(),
            id => std::slice::from_ref(id),
        });
        ids.into_iter().any(|id| !id.is_null() && !names.contains_key(&name_key(member, id)))
    })
}

/// The question what a record refers to by name: a list of it alone.
pub fn names_query(collection: &Collection, id: RecordId) -> ListQuery {
    let is_it = Filter { field: "id".to_owned(), lookup: Lookup::Exact, value: id.to_string() };
    let references = collection.fields.iter().filter(|field| matches!(field.kind, FieldType::Reference { .. }));
    let fields = references.map(|field| field.name.to_string()).chain(["owner".to_owned()]).collect();
    ListQuery { filters: vec![is_it], fields, count: false, named: true, ..ListQuery::default() }
}

/// A field of another collection, or of the same, that can refer to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referring {
    /// The collection.
    pub collection: CollectionName,
    /// Its field.
    pub field: String,
}

impl Referring {
    /// The list of what refers to a record by it.
    pub fn query(&self, id: RecordId) -> ListQuery {
        let filter = Filter { field: self.field.clone(), lookup: Lookup::Exact, value: id.to_string() };
        ListQuery { filters: vec![filter], ..ListQuery::default() }
    }
}

/// What refers to a record by one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrers {
    /// By which.
    pub by: Referring,
    /// How many records do.
    pub count: u64,
    /// The newest of them, and what they are called.
    pub newest: Vec<(RecordId, String)>,
}

impl Referrers {
    /// Of the fields that can refer to a record so many are asked of at most.
    pub const ASKED: usize = 12;

    /// What is asked: how many there are, and the newest.
    pub fn query(by: &Referring, id: RecordId) -> ListQuery {
        let ordering = vec![OrderBy { field: "created_at".to_owned(), descending: true }];
        ListQuery { ordering, page_size: 5, named: true, fields: vec!["id".to_owned()], ..by.query(id) }
    }

    /// What the answer says; `None` where nothing refers.
    pub fn of(by: Referring, page: &Page<Record>) -> Option<Self> {
        let newest = page.results.iter().filter_map(|record| Some((record.id()?, called(record, &page.names))));
        (page.count > 0).then(|| Self { by, count: page.count, newest: newest.collect() })
    }
}

/// The fields of these collections that can refer to records of one.
pub fn referring(to: &CollectionName, collections: &[Collection]) -> Vec<Referring> {
    let refers =
        |kind: &FieldType| matches!(kind, FieldType::Reference { collection: Some(target), .. } if target == to);
    let of = |collection: &Collection| -> Vec<Referring> {
        let fields = collection.fields.iter().filter(|field| refers(&field.kind));
        fields.map(|field| Referring { collection: collection.name.clone(), field: field.name.to_string() }).collect()
    };
    collections.iter().flat_map(of).collect()
}

/// What a record of a page is called: the name that was told beside it, or else as [`title`].
pub fn called(record: &Record, names: &BTreeMap<String, String>) -> String {
    record.get("id").and_then(|id| named(names, "id", id)).unwrap_or_else(|| title(record))
}

/// A moment (RFC 3339) without its seconds, as a cell shows it: `2026-01-31 18:00`.
pub fn short_moment(moment: &str) -> String {
    moment.get(..16).map_or_else(|| moment.to_owned(), |minutes| minutes.replace('T', " "))
}

/// What a table shows: a query, and how many records there are in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableState {
    /// What is asked for.
    pub query: ListQuery,
    /// How many records match, once known.
    pub count: u64,
}

impl TableState {
    /// How many pages there are.
    pub fn pages(&self) -> u64 {
        pages(self.count, self.query.page_size)
    }

    /// "21–40 of 10 412", or "none".
    pub fn range(&self) -> String {
        if self.count == 0 {
            return "none".to_owned();
        }
        let page = self.query.page.clamp(1, self.pages());
        let first = (page - 1) * self.query.page_size + 1;
        let last = (first + self.query.page_size - 1).min(self.count);
        format!("{}–{} of {}", text::thousands(first), text::thousands(last), text::thousands(self.count))
    }

    /// Goes forward or back by pages, staying inside. Says whether the page changed.
    pub fn turn(&mut self, by: i64) -> bool {
        let target = self.query.page.saturating_add_signed(by).clamp(1, self.pages());
        std::mem::replace(&mut self.query.page, target) != target
    }

    /// Orders by a column: first up, then down, then not at all. Goes to the first page.
    pub fn sort(&mut self, column: &str) {
        self.query.ordering = match self.direction(column) {
            None => vec![OrderBy { field: column.to_owned(), descending: false }],
            Some(false) => vec![OrderBy { field: column.to_owned(), descending: true }],
            Some(true) => Vec::new(),
        };
        self.query.page = 1;
    }

    /// How the table is ordered by a column: `Some(true)` for largest first.
    pub fn direction(&self, column: &str) -> Option<bool> {
        self.query.ordering.first().filter(|key| key.field == column).map(|key| key.descending)
    }

    /// Takes a filter line; see [`parse_filter_line`]. Goes to the first page.
    pub fn filter(&mut self, collection: &Collection, line: &str) -> Result<(), String> {
        let Asked { filters, filter, search } = parse_filter_line(collection, line)?;
        self.query = ListQuery { filters, filter, search, page: 1, ..self.query.clone() };
        Ok(())
    }
}

/// What a filter line asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Comparisons that all have to hold.
    pub filters: Vec<Filter>,
    /// What else has to hold.
    pub filter: Option<Condition>,
    /// Words to search for.
    pub search: String,
}

/// Reads a filter line: words to search for, and conditions such as `price >= 3`, `title ~ corn or not "In print"`; see
/// [`condition`](crate::condition). Fields are named by name or label. The error is a sentence for the person who typed it.
pub fn parse_filter_line(collection: &Collection, line: &str) -> Result<Asked, String> {
    let (condition, words) = parse_line(line, collection).map_err(|error| error.to_string())?;
    for comparison in condition.iter().flat_map(Condition::comparisons) {
        comparison.check(collection).map_err(|error| error.message)?;
    }
    let (filters, filter) = match condition.map(Condition::into_filters) {
        None => (Vec::new(), None),
        Some(Ok(filters)) => (filters, None),
        Some(Err(condition)) => (Vec::new(), Some(condition)),
    };
    Ok(Asked {
        filters,
        filter,
        search: words.iter().flat_map(|word| word.split_whitespace()).collect::<Vec<_>>().join(" "),
    })
}

/// The filter line that [`parse_filter_line`] reads as this query's filters and search.
pub fn filter_line(query: &ListQuery) -> String {
    let filters = query.filters.iter().filter_map(Condition::of).map(|condition| condition.to_string());
    let mut parts: Vec<String> = filters.collect();
    if let Some(condition) = &query.filter {
        let is_open = matches!(condition, Condition::Any(_)) && !(parts.is_empty() && query.search.is_empty());
        parts.push(if is_open { format!("({condition})") } else { condition.to_string() });
    }
    let mut line = parts.join(" and ");
    for word in query.search.split_whitespace() {
        // In quotes it stays a word; bare, it could be read as a part of a condition.
        let is_plain = word.chars().all(char::is_alphanumeric) && !KEYWORDS.contains(&word.to_lowercase().as_str());
        let quoted = Operand::Text(word.to_owned()).to_string();
        line = format!("{line} {}", if is_plain { word } else { &quoted });
    }
    line.trim_start().to_owned()
}

/// What a word of a search could be taken for.
const KEYWORDS: [&str; 5] = ["and", "or", "not", "in", "is"];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::field::OnDelete;

    fn snacks() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}, {"name": "price", "type": "integer"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    #[test]
    fn a_filter_line_reads_and_writes() {
        let line = "price >= 3 and title ~ \"sweet corn\" fresh popped";
        let mut table = TableState::default();
        table.query.page = 7;
        table.filter(&snacks(), line).unwrap();
        assert_eq!(table.query.page, 1);
        assert_eq!(
            table.query.filters[1],
            Filter { field: "title".into(), lookup: Lookup::Icontains, value: "sweet corn".into() }
        );
        assert_eq!(filter_line(&table.query), line);
        let words = "\"a=b\" two words";
        table.filter(&snacks(), "price>=3 title~\"sweet corn\" fresh popped").unwrap();
        assert_eq!(filter_line(&table.query), line);
        table.filter(&snacks(), "Price > 3 or title = a").unwrap();
        assert_eq!((table.query.filters.len(), filter_line(&table.query).as_str()), (0, "price > 3 or title = \"a\""));
        table.filter(&snacks(), "\"a=b\" \"\" \"two  words\"").unwrap();
        assert_eq!((table.query.search.as_str(), filter_line(&table.query).as_str()), ("a=b two words", words));
        table.filter(&snacks(), words).unwrap();
        assert_eq!(table.query.search, "a=b two words");
    }

    #[test]
    fn a_filter_line_says_what_is_wrong() {
        assert_eq!(
            parse_filter_line(&snacks(), "cost>3").unwrap_err(),
            "At character 1: There is no field \"cost\". A text to search for stands in quotation marks."
        );
        assert_eq!(parse_filter_line(&snacks(), "price=x").unwrap_err(), "price: A valid integer is required.");
        assert!(parse_filter_line(&snacks(), "=> Ünicode=3").unwrap_err().contains("Name a field"));
        assert_eq!(parse_filter_line(&snacks(), "\"=> Ünicode=3\"").unwrap().search, "=> Ünicode=3");
    }

    #[test]
    fn paging_stays_inside_and_sorting_goes_round() {
        let mut table = TableState { count: 41, ..TableState::default() };
        assert!(table.turn(5));
        assert_eq!((table.query.page, table.range().as_str()), (3, "41–41 of 41"));
        assert!(!table.turn(1));
        table.sort("price");
        assert_eq!((table.query.page, table.direction("price")), (1, Some(false)));
        table.sort("price");
        assert_eq!(table.direction("price"), Some(true));
        table.sort("price");
        assert_eq!(table.direction("price"), None);
    }

    #[test]
    fn a_record_is_called_by_what_it_says_first() {
        let title = |value| title(&serde_json::from_value(value).unwrap());
        assert_eq!(title(json!({"id": "x", "a": "", "b": null, "c": "Corn\n", "d": 1})), "Corn ");
        let id = "01920000-0000-7000-8000-000000000001";
        assert_eq!(title(json!({"id": id, "a": " ", "owner": "x"})), id);
    }

    #[test]
    fn a_record_is_called_by_the_field_for_that_where_it_says_anything() {
        let mut collection = snacks();
        collection.fields[1].display = true;
        let title = |value| title_of(&collection, &serde_json::from_value(value).unwrap());
        assert_eq!(title(json!({"id": "x", "title": "Corn", "price": 3})), "3");
        assert_eq!(title(json!({"id": "x", "title": "Corn", "price": null})), "Corn");
    }

    #[test]
    fn what_can_refer_to_a_record_is_known_by_the_definitions() {
        let mut other = snacks();
        other.name = "sales".parse().unwrap();
        other.fields[0].kind = FieldType::Reference {
            collection: Some("snacks".parse().unwrap()),
            many: true,
            on_delete: OnDelete::SetNull,
        };
        let found = referring(&"snacks".parse().unwrap(), &[snacks(), other]);
        assert_eq!(found, [Referring { collection: "sales".parse().unwrap(), field: "title".into() }]);
        let query = found[0].query("7".parse().unwrap());
        assert_eq!(filter_line(&query), "title = 7");
    }

    #[test]
    fn ids_are_shown_by_name_where_one_is_told() {
        let names = BTreeMap::from([("a".to_owned(), "Ada\n".to_owned()), ("maker.7".to_owned(), "Seven".to_owned())]);
        assert_eq!(named(&names, "maker", &json!("a")).as_deref(), Some("Ada "));
        assert_eq!(named(&names, "maker", &json!(7)).as_deref(), Some("Seven"));
        assert_eq!(named(&names, "other", &json!(7)), None);
        assert_eq!(named(&names, "maker", &json!(["a", "b", 7])).as_deref(), Some("Ada , b, Seven"));
        for none in [json!(["b"]), json!([]), json!(null), json!("b")] {
            assert_eq!(named(&names, "maker", &none), None, "{none}");
        }
    }

    #[test]
    fn words_that_were_searched_for_are_pieces_of_their_own() {
        let shown = |text: &str, stretches: Value| {
            let piece = |(piece, is_marked)| if is_marked { format!("[{piece}]") } else { piece };
            marked(text, &stretches).into_iter().map(piece).collect::<String>()
        };
        assert_eq!(shown("Ein größer Gold", json!([[4, 8], [11, 15]])), "Ein [größ]er [Gold]");
        assert_eq!(shown("Gold", json!([[0, 4]])), "[Gold]");
        let far = format!("{}gold ring", "many words ".repeat(9));
        assert_eq!(shown(&far, json!([[99, 103]])), "…ords many words [gold] ring");
        for none in [json!([]), json!(null), json!([["x"]]), json!([[90, 95]])] {
            assert_eq!(shown("Gold", none.clone()).trim_start_matches('…'), if none[0][0] == 90 { "" } else { "Gold" });
        }
    }

    #[test]
    fn cells_are_one_safe_line() {
        assert_eq!(cell(Some(&json!("a\nb\x1b[2J"))), "a b\u{fffd}[2J");
        assert_eq!(cell(Some(&json!(["a", "b"]))), "a, b");
        assert_eq!(cell(Some(&json!({"a": 1}))), "{\"a\":1}");
        assert_eq!(cell(None), "");
    }
}
