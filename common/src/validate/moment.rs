//! Days and moments: read in the forms that people and programs write (those of Django REST Framework and ISO 8601), and written in one.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, format_description::well_known::Rfc3339};

/// A day as `YYYY-MM-DD`, read from that, from `YYYYMMDD`, or with months and days of one digit; where there is one.
pub fn canonical_date(text: &str) -> Option<String> {
    let date = read_date(text.trim())?;
    Some(format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
}

/// A moment as [`format_moment`] writes it, read leniently: seconds, time and offset may be left out (then they are zero), a point or
/// comma stands before a fraction of which six digits count, and an offset is `Z`, `+02`, `+0200`, `+02:00` or `+02:00:00`.
pub fn canonical_datetime(text: &str) -> Option<String> {
    within_years(read_datetime(text)?)
}

/// Whether a text is a moment, and one before the year 1 or after 9999 where clocks show UTC.
pub(super) fn is_out_of_range(text: &str) -> bool {
    read_datetime(text).is_some_and(|moment| within_years(moment).is_none())
}

fn within_years(moment: OffsetDateTime) -> Option<String> {
    let moment = moment.checked_to_offset(UtcOffset::UTC)?;
    (1..=9999).contains(&moment.year()).then(|| format_moment(moment))
}

fn read_datetime(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    let between = ['T', 't', '_', ' ', '\t'];
    let date_end = text.find(between).unwrap_or(text.len());
    let (date, time) = text.split_at(date_end);
    let date = read_date(date)?;
    let time = time.strip_prefix(between).unwrap_or(time).trim_start();
    let zone = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(zone);
    let clock = if time.is_empty() && date_end == text.len() { Time::MIDNIGHT } else { read_clock(clock.trim_end())? };
    Some(PrimitiveDateTime::new(date, clock).assume_offset(read_offset(zone)?))
}

/// The moment that is so long before one, which is written as [`format_moment`] does or as RFC 3339 has it.
pub fn before(moment: &str, time: time::Duration) -> Option<String> {
    let moment = OffsetDateTime::parse(moment, &Rfc3339).ok()?;
    moment.checked_sub(time).map(format_moment)
}

/// A moment as Coffer writes it: RFC 3339, `Z`, with six digits after the second's point, or none where they are all zero. (Python's
/// `datetime.fromisoformat` before 3.11 reads three, six or none.)
pub fn format_moment(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(UtcOffset::UTC);
    let whole = moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default();
    match (moment.microsecond(), whole.strip_suffix('Z')) {
        (1.., Some(second)) => format!("{second}.{:06}Z", moment.microsecond()),
        _ => whole,
    }
}

/// A day as people write it in forms, as Django reads them there: `2/29/2024`, `2/29/24` (month first), `Feb 29 2024`, `29 February, 2024`.
pub fn day_in_words(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let day = |year: &str, month: u32, day: &str| {
        let year = match year.len() {
            4 => number(year, 4)?,
            // As in `strptime`.
            2 => number(year, 2).map(|year| if year < 69 { 2000 + year } else { 1900 + year })?,
            _ => return None,
        };
        canonical_date(&format!("{year:04}-{month}-{day}"))
    };
    let slashed: Vec<&str> = text.trim().split('/').collect();
    if let [month, date, year] = slashed.as_slice() {
        return day(year, number(month, 2)?, date);
    }
    let words = text.trim().to_ascii_lowercase();
    let words: Vec<&str> = words.split(' ').collect();
    let [first, second, year] = words.as_slice() else { return None };
    let second = second.strip_suffix(',').unwrap_or(second);
    let (name, date) =
        if second.starts_with(|c: char| c.is_ascii_digit()) { (*first, second) } else { (second, *first) };
    let month = MONTHS.iter().position(|known| *known == name || known.get(..3) == Some(name))?;
    day(year, u32::try_from(month).ok()? + 1, date).filter(|_| year.len() == 4)
}

/// A time of the day as `hh:mm:ss`, with six digits of the second where they are not all zero, read as the time of a moment is.
pub fn canonical_time(text: &str) -> Option<String> {
    let text = text.trim();
    let moment = canonical_datetime(&format!("2000-01-01T{text}")).filter(|_| text.contains(':'))?;
    moment.get(11..).map(|time| time.trim_end_matches('Z').to_owned()).filter(|_| !text.contains(['Z', 'z', '+', '-']))
}

/// A stored day.
pub fn day_of(text: &str) -> Option<Date> {
    read_date(text)
}

fn read_date(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split('-').collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (number(year, 4)?, number(month, 2)?, number(day, 2)?),
        [all] if all.len() == 8 && all.is_ascii() => {
            (number(&all[..4], 4)?, number(&all[4..6], 2)?, number(&all[6..], 2)?)
        }
        _ => return None,
    };
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    (date.year() >= 1).then_some(date)
}

fn read_clock(text: &str) -> Option<Time> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let (parts, has_seconds) = read_parts(clock)?;
    let micros = match fraction {
        Some("") if has_seconds => 0,
        Some(digits) if has_seconds && is_digits(digits) => {
            let kept = digits.get(..digits.len().min(6))?;
            format!("{kept:0<6}").parse().ok()?
        }
        Some(_) => return None,
        None => 0,
    };
    Time::from_hms_micro(parts[0], parts[1], parts[2], micros).ok()
}

fn read_offset(text: &str) -> Option<UtcOffset> {
    let sign = match text {
        "" | "Z" | "z" => return Some(UtcOffset::UTC),
        text if text.starts_with('-') => -1,
        _ => 1,
    };
    let text = text.get(1..)?;
    let ([hours, minutes, seconds], _) = read_parts(text).filter(|_| text.len() >= 2)?;
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60 + i32::from(seconds);
    UtcOffset::from_whole_seconds(sign * seconds).ok()
}

/// Hours, minutes and seconds with colons between them, or of two digits each without; and whether there were seconds.
fn read_parts(text: &str) -> Option<([u8; 3], bool)> {
    let parts: Vec<&str> = if text.contains(':') {
        text.split(':').collect()
    } else if text.len().is_multiple_of(2) && text.is_ascii() {
        (0..text.len()).step_by(2).map(|at| &text[at..at + 2]).collect()
    } else {
        return None;
    };
    if parts.is_empty() || parts.len() > 3 {
        return None;
    }
    let mut read = [0; 3];
    for (place, part) in read.iter_mut().zip(&parts) {
        *place = u8::try_from(number(part, 2)?).ok()?;
    }
    Some((read, parts.len() == 3))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn number(text: &str, most: usize) -> Option<u32> {
    if text.len() > most || !is_digits(text) { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_django_rest_framework_reads_them() {
        for (text, moment) in [
            ("2024-01-01", "2024-01-01T00:00:00Z"),
            ("2024-01-01T12:00", "2024-01-01T12:00:00Z"),
            ("2024-01-01 12:00:00", "2024-01-01T12:00:00Z"),
            ("2024-01-01t12:00:00z", "2024-01-01T12:00:00Z"),
            ("2024-01-01T12", "2024-01-01T12:00:00Z"),
            ("2024-1-1 1:2", "2024-01-01T01:02:00Z"),
            ("20240101T120000Z", "2024-01-01T12:00:00Z"),
            ("2024-01-01T1200Z", "2024-01-01T12:00:00Z"),
            ("2024-01-01T12:00:00.1234567Z", "2024-01-01T12:00:00.123456Z"),
            ("2024-01-01T12:00:00.123456789Z", "2024-01-01T12:00:00.123456Z"),
            ("2024-01-01T12:00:00.999999999Z", "2024-01-01T12:00:00.999999Z"),
            ("2024-01-01T12:00:00.0000001Z", "2024-01-01T12:00:00Z"),
            ("2024-01-01T12:00:00.25Z", "2024-01-01T12:00:00.250000Z"),
            ("2024-01-01T12:00:00,5Z", "2024-01-01T12:00:00.500000Z"),
            ("2024-01-01T12:00:00+0000", "2024-01-01T12:00:00Z"),
            ("2024-01-01T12:00:00+02", "2024-01-01T10:00:00Z"),
            ("2024-01-01T12:00:00 +02:00", "2024-01-01T10:00:00Z"),
            ("2024-01-01T12:00:00-0930", "2024-01-01T21:30:00Z"),
            ("2024-01-01T12:00:00+02:00:30", "2024-01-01T09:59:30Z"),
            ("2024-01-01T12:00:00-00:00", "2024-01-01T12:00:00Z"),
            ("2024-01-01T12:00:00.Z", "2024-01-01T12:00:00Z"),
            ("2024-01-01_12:00:00Z", "2024-01-01T12:00:00Z"),
            ("2024-01-01\t12:00:00Z", "2024-01-01T12:00:00Z"),
            (" 2024-01-01T12:00Z ", "2024-01-01T12:00:00Z"),
            ("0001-01-01T00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(canonical_datetime(text).as_deref(), Some(moment), "{text}");
            assert_eq!(canonical_datetime(moment).as_deref(), Some(moment));
        }
        for wrong in [
            "",
            "yesterday",
            "2024-01-01T24:00",
            "2024-01-01T12:00:60Z",
            "2024-13-01T00:00Z",
            "2023-02-29",
            "2024-01-01T",
            "2024-01-01T12:00.5Z",
            "2024-01-01T12:00:00+2",
            "2024-01-01T12:00:00+24:00",
            "2024-01-01T12:00:00+02:60",
            "2024-001",
            "24-01-01T00:00Z",
            "9999-12-31T23:59:59-23:00",
            "0000-01-01T00:00Z",
            "0001-01-01T00:00+01:00",
            "é",
            "2024-01-01Té",
            "1704110400",
            "+2024-01-01",
            "2024-01-01T12:00:00Zx",
            "2024-01-01T12:00:00ZZ",
            "2024-01-01T:Z",
            "2024-01-01T12:00\u{2212}02:00",
        ] {
            assert_eq!(canonical_datetime(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_have_one_form() {
        for (text, day) in [
            ("2024-02-29", "2024-02-29"),
            ("2024-1-1", "2024-01-01"),
            ("20240101", "2024-01-01"),
            (" 2024-01-01 ", "2024-01-01"),
        ] {
            assert_eq!(canonical_date(text).as_deref(), Some(day));
        }
        for wrong in [
            "2023-02-29",
            "24-1-1",
            "2024-02-29T00:00:00Z",
            "+2024-01-01",
            "",
            "0000-01-01",
            "2024-01",
            "2024-001-1",
            "2024--1-1",
            "éé24-1-1",
            "12345678é",
        ] {
            assert_eq!(canonical_date(wrong), None, "{wrong}");
        }
    }
}
