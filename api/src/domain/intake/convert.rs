//! Cells as values of their fields. What cannot be one is left as it is: whoever checks the record says what is wrong with it.

use common::{
    field::{Field, FieldType},
    import::ImportQuery,
    json::{self, Exact},
    rows::unmarked,
    text::single_line,
    validate::parse_decimal,
};
use jiff::{
    civil::{Date, DateTime},
    fmt::strtime,
};
use serde_json::Value;

use super::{Unreadable, cells::Cell};

/// Words for true and false that spreadsheet programs write in other languages.
const WORDS: [(&str, bool); 8] = [
    ("wahr", true),
    ("ja", true),
    ("vrai", true),
    ("oui", true),
    ("falsch", false),
    ("nein", false),
    ("faux", false),
    ("non", false),
];

/// A cell's value; `None` where the row says nothing of the member.
pub(super) fn convert(field: &Field, cell: &Cell, how: &ImportQuery) -> Result<Option<Exact>, &'static str> {
    let has_texts = matches!(field.kind, FieldType::Text { .. } | FieldType::Email | FieldType::Url);
    let is_empty = cell.is_nothing() || (how.empty_is_null && cell.text.is_empty());
    if is_empty && field.nullable {
        return Ok(Some(Value::Null.into()));
    }
    if cell.text.is_empty() {
        return Ok(if has_texts { Some(Value::from("").into()) } else { None });
    }
    let text = if how.spreadsheet { unmarked(&cell.text) } else { &cell.text };
    if has_texts {
        return Ok(Some(Value::from(text).into()));
    }
    let trimmed = text.trim();
    if let Some(told) = misread(field, trimmed, how) {
        return Err(told);
    }
    let value = match &field.kind {
        FieldType::Integer { .. } | FieldType::Decimal { .. } if how.decimal_comma => with_point(trimmed),
        FieldType::Boolean => {
            let word = WORDS.iter().find(|(word, _)| trimmed.eq_ignore_ascii_case(word));
            return Ok(Some(word.map_or_else(|| Value::from(trimmed), |(_, value)| Value::from(*value)).into()));
        }
        FieldType::Date => how.dates.iter().find_map(|form| day(form, trimmed)),
        FieldType::Datetime => how.dates.iter().find_map(|form| moment(form, trimmed)),
        FieldType::Choice { many: true, .. } | FieldType::Reference { many: true, .. } => {
            let several = match json::parse_value(trimmed.as_bytes()) {
                Ok(Value::Array(items)) => items,
                _ => trimmed.split([';', '|', ',']).map(|part| part.trim().into()).collect(),
            };
            return Ok(Some(Value::Array(several).into()));
        }
        FieldType::Json { .. } => {
            return json::parse(trimmed.as_bytes()).map(Some).map_err(|_| "Value must be valid JSON.");
        }
        _ => None,
    };
    Ok(Some(Value::from(value.unwrap_or_else(|| trimmed.to_owned())).into()))
}

/// What is told of a cell that would be a value if it were read in another way, which nobody asked for.
fn misread(field: &Field, text: &str, how: &ImportQuery) -> Option<&'static str> {
    match field.kind {
        FieldType::Integer { .. } | FieldType::Decimal { .. }
            if !how.decimal_comma && text.contains(',') && with_point(text).is_some() =>
        {
            Some("A valid number is required. If a comma stands before decimals, say so (decimal=comma).")
        }
        FieldType::Integer { .. } | FieldType::Decimal { .. }
            if how.decimal_comma
                && text.contains('.')
                && with_point(text).is_none()
                && parse_decimal(text).is_some() =>
        {
            Some("A comma stands before decimals (decimal=comma), so a point stands between thousands alone: 1.234,50.")
        }
        FieldType::Date if how.dates.is_empty() && is_day_of_some_kind(text) => {
            Some("This is not YYYY-MM-DD. Say how dates are written (dates), such as DD.MM.YYYY.")
        }
        FieldType::Datetime if how.dates.is_empty() && is_day_of_some_kind(text) => {
            Some("This is not YYYY-MM-DDThh:mm. Say how dates are written (dates), such as DD.MM.YYYY hh:mm.")
        }
        _ => None,
    }
}

/// Refuses formats by which no day can be read.
pub(super) fn check_formats(dates: &[String]) -> Result<(), Unreadable> {
    let day = DateTime::constant(2026, 11, 28, 17, 45, 59, 0);
    for form in dates {
        let pattern = pattern(form);
        let written = strtime::format(&pattern, day).ok();
        let read = written.and_then(|text| {
            let moment = DateTime::strptime(&pattern, &text).ok().map(DateTime::date);
            moment.or_else(|| Date::strptime(&pattern, &text).ok())
        });
        if read != Some(day.date()) {
            let shown = single_line(form);
            return Err(Unreadable::at(
                "dates",
                format!(
                    "\"{shown}\" does not say how a day is written. Use YYYY, MM and DD, with hh, mm and ss for a time: DD.MM.YYYY; or %d.%m.%Y."
                ),
            ));
        }
    }
    Ok(())
}

/// Whether a text begins as `24.12.2026` or `12/24/26` do.
fn is_day_of_some_kind(text: &str) -> bool {
    let day = text.split([' ', 'T', ',']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['.', '/', '-']).collect();
    let are_digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    are_digits && matches!(lengths[..], [1 | 2, 1 | 2, 2 | 4])
}

/// A number with a comma before its decimals; anything else as it is.
pub(super) fn with_comma(text: String) -> String {
    let has_digits = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if has_digits { text.replace('.', ",") } else { text }
}

/// `1.234,50` as `1234.50`. Points and spaces count only between thousands, so that what is meant otherwise is not taken for a number.
pub(super) fn with_point(text: &str) -> Option<String> {
    let (whole, decimals) = text.split_once(',').map_or((text, None), |(whole, decimals)| (whole, Some(decimals)));
    let (sign, digits) = match whole.strip_prefix(['-', '+']) {
        Some(digits) if whole.starts_with('-') => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", whole),
    };
    let mut groups = digits.split(['.', ' ', '\u{a0}', '\u{202f}', '\'', '’']);
    let first = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let are_thousands = rest.iter().all(|group| group.len() == 3 && is_number(group));
    if !is_number(first) || !are_thousands || (!rest.is_empty() && first.len() > 3) || !decimals.is_none_or(is_number) {
        return None;
    }
    let decimals = decimals.map(|decimals| format!(".{decimals}")).unwrap_or_default();
    Some(format!("{sign}{first}{}{decimals}", rest.concat()))
}

/// A format as `strptime` takes it, of `DD.MM.YYYY` and its kin.
fn pattern(form: &str) -> String {
    if form.contains('%') {
        return form.to_owned();
    }
    let mut pattern = form.to_owned();
    for (token, directive) in [
        ("YYYY", "%Y"),
        ("YY", "%y"),
        ("MM", "%m"),
        ("DD", "%d"),
        ("hh", "%H"),
        ("HH", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
    ] {
        pattern = pattern.replace(token, directive);
    }
    // One digit is read by the same directive.
    let is_token = |pattern: &str, at: usize| !pattern[..at].ends_with('%');
    for (token, directive) in [("M", "%m"), ("D", "%d")] {
        if let Some(at) = pattern.match_indices(token).map(|(at, _)| at).find(|at| is_token(&pattern, *at)) {
            pattern.replace_range(at..=at, directive);
        }
    }
    pattern
}

fn day(form: &str, text: &str) -> Option<String> {
    Date::strptime(pattern(form), text).ok().filter(|date| is_whole(*date)).map(|date| date.to_string())
}

/// Whether its year has four digits: two that stand where four are meant are not of the first century.
fn is_whole(date: Date) -> bool {
    date.year() >= 1000
}

/// Whether one of these formats, without a time of day, says that a text is a day.
pub(super) fn is_day_by(forms: &[String], text: &str) -> bool {
    let has_time = |form: &str| {
        let pattern = pattern(form);
        ["%H", "%I", "%k", "%l", "%T", "%R", "%M", "%S"].iter().any(|directive| pattern.contains(directive))
    };
    forms.iter().any(|form| !has_time(form) && day(form, text).is_some())
}

/// Whether one of these formats says that a text is a moment.
pub(super) fn is_moment_by(forms: &[String], text: &str) -> bool {
    forms.iter().any(|form| moment(form, text).is_some())
}

fn moment(form: &str, text: &str) -> Option<String> {
    let pattern = pattern(form);
    let moment = DateTime::strptime(&pattern, text).ok();
    let moment = moment.or_else(|| Some(Date::strptime(&pattern, text).ok()?.at(0, 0, 0, 0)));
    moment.filter(|moment| is_whole(moment.date())).map(|moment| format!("{moment}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_commas_are_read_where_they_are_some() {
        for (text, number) in [
            ("1,5", Some("1.5")),
            ("1.234.567,89", Some("1234567.89")),
            ("-1 234,5", Some("-1234.5")),
            ("+3", Some("3")),
            ("1234", Some("1234")),
            ("1.23", None),
            ("1234.567", None),
            ("1,2,3", None),
            (",5", None),
            ("1,", None),
            ("x", None),
        ] {
            assert_eq!(with_point(text).as_deref(), number, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_another_way_is_told_what_to_say() {
        let field = |kind: Value| -> Field { serde_json::from_value(kind).unwrap() };
        let price = field(serde_json::json!({"name": "price", "type": "decimal", "places": 2}));
        let day = field(serde_json::json!({"name": "day", "type": "date"}));
        let at = field(serde_json::json!({"name": "at", "type": "datetime"}));
        let how = ImportQuery::default();
        for (field, text, says) in [
            (&price, "1,5", "decimal=comma"),
            (&price, "1.234,50", "decimal=comma"),
            (&day, "24.12.2026", "DD.MM.YYYY"),
            (&day, "12/24/26", "DD.MM.YYYY"),
            (&at, "24.12.2026 18:30", "hh:mm"),
        ] {
            assert!(misread(field, text, &how).is_some_and(|told| told.contains(says)), "{text}");
        }
        for (field, text) in [(&price, "x"), (&price, "1,2,3"), (&day, "2026-12-24"), (&day, "24.12."), (&at, "x")] {
            assert_eq!(misread(field, text, &how), None, "{text}");
        }
        let how = ImportQuery { decimal_comma: true, dates: vec!["DD.MM.YYYY".into()], ..how };
        for (text, is_told) in [("1.5", true), ("1234.5", true), ("1.234", false), ("1.234,5", false), ("a.b", false)] {
            assert_eq!(misread(&price, text, &how).is_some(), is_told, "{text}");
        }
        assert_eq!([misread(&price, "1,5", &how), misread(&day, "12/24/26", &how)], [None, None]);
        assert_eq!(["1.5", "-12", "1.x"].map(|text| with_comma(text.to_owned())), ["1,5", "-12", "1.x"]);
    }

    #[test]
    fn formats_that_say_no_day_are_refused() {
        for form in ["DD.MM.YYYY", "D.M.YY", "%d.%m.%Y %H:%M", "MM/DD/YYYY hh:mm:ss", "YYYYMMDD", "%d %b %Y"] {
            assert!(check_formats(&[form.to_owned()]).is_ok(), "{form}");
        }
        for form in ["foo", "TT.MM.JJJJ", "DD.MM", "MM.YYYY", "hh:mm", "%Q", "YYYY-MM-MM", "dd.mm.yyyy", "%"] {
            assert!(check_formats(&["DD.MM.YYYY".to_owned(), form.to_owned()]).is_err(), "{form}");
        }
    }

    #[test]
    fn days_are_read_by_their_format() {
        for (form, text, day_of) in [
            ("DD.MM.YYYY", "24.12.2026", Some("2026-12-24")),
            ("DD.MM.YYYY", "24.12.26", None),
            ("DD.MM.YY", "24.12.26", Some("2026-12-24")),
            ("D.M.YYYY", "1.2.2026", Some("2026-02-01")),
            ("MM/DD/YY", "02/01/26", Some("2026-02-01")),
            ("%d %b %Y", "01 Feb 2026", Some("2026-02-01")),
            ("DD.MM.YYYY", "31.02.2026", None),
            ("DD.MM.YYYY", "2026-02-01", None),
        ] {
            assert_eq!(day(form, text).as_deref(), day_of, "{form} {text}");
        }
        assert_eq!(moment("DD.MM.YYYY hh:mm", "24.12.2026 18:30").as_deref(), Some("2026-12-24T18:30:00Z"));
        assert_eq!(moment("DD.MM.YYYY", "24.12.2026").as_deref(), Some("2026-12-24T00:00:00Z"));
    }
}
