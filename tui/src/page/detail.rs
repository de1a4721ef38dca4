//! One record, every value whole: a label, and the value below it, wrapped.

use common::{
    field::FieldType,
    table::{self, Referrers},
    text::{label, multi_line},
};
use ratatui::style::Style;
use serde_json::Value;

use crate::{
    screen::Detail,
    style::{Line, Theme},
    width::wrap,
    words,
};

/// Members that the server adds, in the order in which they are shown.
const OURS: [&str; 5] = ["owner", "created_at", "updated_at", "revision", "id"];

/// The lines that a record fills.
pub(crate) fn lines(detail: &Detail, theme: Theme, columns: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |indent: usize, text: &str, style: Style| {
        for line in wrap(text, columns.saturating_sub(indent + 1)) {
            lines.push(vec![(indent, line, style)]);
        }
    };
    if let Some(error) = &detail.load.error {
        say(1, &format!("! {error} {}", words::PRESS_R), theme.error());
    }
    for field in &detail.collection.fields {
        say(1, &label(field.name.as_str()), theme.strong());
        let Some(value) = detail.record.get(field.name.as_str()) else {
            // A list asked for some members only; the others are on their way.
            say(3, words::LOADING, theme.quiet());
            continue;
        };
        let name = table::named(&detail.names, field.name.as_str(), value);
        if let Some(name) = name.filter(|_| matches!(field.kind, FieldType::Reference { .. })) {
            say(3, &name, Style::new());
            // What it is called is not what it is addressed by.
            say(3, &table::cell(Some(value)), theme.quiet());
            continue;
        }
        match whole(&field.kind, value) {
            Some(text) => say(3, &multi_line(&text), Style::new()),
            None => say(3, words::NOTHING, theme.quiet()),
        }
    }
    for Referrers { by, count, newest } in &detail.referrers {
        say(1, &words::referred_by(&label(by.collection.as_str()), &label(&by.field), *count), theme.strong());
        for (_, title) in newest {
            say(3, title, Style::new());
        }
        if *count > newest.len() as u64 {
            say(3, words::MORE_REFERRERS, theme.quiet());
        }
    }
    for name in OURS {
        if let Some(value) = detail.record.get(name).filter(|value| !value.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let text = table::named(&detail.names, name, value).filter(|_| name == "owner").unwrap_or(text);
            say(1, &format!("{}: {}", label(name), multi_line(&text)), theme.quiet());
        }
    }
    lines
}

/// A value as text, on as many lines as it has; `None` for nothing.
fn whole(kind: &FieldType, value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Bool(flag) if !matches!(kind, FieldType::Json { .. }) => {
            words::option(if *flag { "true" } else { "false" })
        }
        Value::String(text) if !matches!(kind, FieldType::Json { .. }) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) && !matches!(kind, FieldType::Json { .. }) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
        }
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    Some(text).filter(|text| !text.is_empty())
}
