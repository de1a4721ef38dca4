//! Days and moments in other notations.

/// The parts of a pattern, the longest first.
const PARTS: [(&str, usize); 6] = [("YYYY", 0), ("MM", 1), ("DD", 2), ("hh", 3), ("mm", 4), ("ss", 5)];

/// Whether a pattern says a day.
pub(super) fn is_pattern(pattern: &str) -> bool {
    ["YYYY", "MM", "DD"].iter().all(|part| pattern.matches(part).count() == 1)
        && ["hh", "mm", "ss"].iter().all(|part| pattern.matches(part).count() <= 1)
}

/// The text of a pattern as RFC 3339 has it: a day, or a moment in UTC where the pattern has hours. `None` where the text is not of the
/// pattern. Numbers may lack their leading zeros where something else stands behind them.
pub(super) fn read(pattern: &str, text: &str) -> Option<String> {
    let (mut pattern, mut text) = (pattern, text.trim());
    let mut found = [None::<u32>; 6];
    while !pattern.is_empty() {
        if let Some((part, at)) = PARTS.iter().find(|(part, _)| pattern.starts_with(part)) {
            let digits = text.bytes().take(part.len()).take_while(u8::is_ascii_digit).count();
            if digits == 0 || (*at == 0 && digits < 4) {
                return None;
            }
            found[*at] = text[..digits].parse().ok();
            (pattern, text) = (&pattern[part.len()..], &text[digits..]);
        } else {
            let next = pattern.chars().next()?;
            text = text.strip_prefix(next)?;
            pattern = &pattern[next.len_utf8()..];
        }
    }
    if !text.is_empty() {
        return None;
    }
    let [year, month, day, hour, minute, second] = found;
    let date = format!("{:04}-{:02}-{:02}", year?, month?, day?);
    Some(match hour {
        None => date,
        Some(hour) => format!("{date}T{hour:02}:{:02}:{:02}Z", minute.unwrap_or(0), second.unwrap_or(0)),
    })
}
