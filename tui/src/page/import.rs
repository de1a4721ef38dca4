//! A file on its way in: what is in it and what is wrong with it, how far the import is, and what became of it.

use std::sync::atomic::Ordering;

use common::{
    import::{Import, preview::Preview},
    text::{bytes, single_line, thousands},
};
use ratatui::style::Style;

use crate::{
    many::{Checked, Sent},
    screen::{Ended, ImportScreen, Stage, goes_into},
    style::{Line, Theme},
    width::{cut, width, wrap},
    words,
};

/// Columns that a bar fills at most.
const BAR: usize = 60;
/// Columns of the field of a fault.
const FIELD: usize = 18;

/// The lines that it fills.
pub(crate) fn lines(screen: &ImportScreen, theme: Theme, columns: usize) -> Vec<Line> {
    let mut page = Page { lines: Vec::new(), theme, columns };
    let name = single_line(&screen.file().to_string_lossy()).into_owned();
    match &screen.stage {
        Stage::Form => {}
        Stage::Checking(_, sent) => page.sending(words::CHECKING, sent),
        Stage::Sending(_, sent) => page.sending(words::SENDING, sent),
        Stage::Checked(checked) => page.checked(screen, checked, &name),
        Stage::UnderWay(_, last) => {
            page.say(words::RUNNING, theme.strong());
            let (done, of, told) = last.as_ref().map_or((0, None, String::new()), |last| words::import_progress(last));
            page.bar(done, of);
            if let Some(last) = last {
                page.say(&told, Style::new());
                if let Some(import) = &last.import {
                    page.faults(import);
                }
            }
        }
        Stage::Over(ended) => page.over(ended),
    }
    page.lines
}

struct Page {
    lines: Vec<Line>,
    theme: Theme,
    columns: usize,
}

impl Page {
    fn say(&mut self, text: &str, style: Style) {
        for line in wrap(text, self.columns.saturating_sub(2)) {
            self.lines.push(vec![(1, line, style)]);
        }
    }

    fn gap(&mut self) {
        self.lines.push(Vec::new());
    }

    fn bar(&mut self, done: u64, of: Option<u64>) {
        let room = self.columns.saturating_sub(2).min(BAR);
        let of = of.unwrap_or(0).max(1);
        let full = usize::try_from(u128::from(done.min(of)) * room as u128 / u128::from(of)).unwrap_or(room);
        let pieces =
            [(1, "█".repeat(full), self.theme.accent()), (1 + full, "·".repeat(room - full), self.theme.quiet())];
        self.lines.push(pieces.into_iter().collect());
    }

    fn sending(&mut self, what: &str, sent: &Sent) {
        let (done, of) = (sent.done.load(Ordering::Relaxed), sent.of.load(Ordering::Relaxed));
        self.say(if of > 0 && done >= of { words::ALL_SENT } else { what }, self.theme.strong());
        self.bar(done, Some(of));
        if of > 0 {
            self.say(&format!("{} / {}", bytes(done.min(of)), bytes(of)), Style::new());
        }
    }

    fn checked(&mut self, screen: &ImportScreen, checked: &Checked, name: &str) {
        let read = checked.outcome.as_ref().map(words::read_as).map(|read| format!(" · {read}")).unwrap_or_default();
        self.say(&format!("{name} · {}{read}", bytes(checked.bytes)), Style::new());
        match &checked.outcome {
            Ok(import) => {
                self.say(&words::counted(import), self.theme.strong());
                if screen.is_faulty() {
                    self.say(&format!("! {}", words::FAULTY), self.theme.error());
                }
                self.faults(import);
            }
            Err(fault) => {
                for line in words::file_refusal(fault) {
                    self.say(&format!("! {line}"), self.theme.error());
                }
            }
        }
        self.preview(screen, &checked.preview);
    }

    fn over(&mut self, ended: &Ended) {
        let style = if ended.error.is_some() { self.theme.error() } else { self.theme.strong() };
        self.say(&words::sentence(ended.title), style);
        if let Some(error) = &ended.error {
            self.say(&single_line(error), Style::new());
        }
        if let Some(import) = &ended.import {
            if ended.error.is_none() {
                self.say(&words::counted(import), Style::new());
            }
            self.faults(import);
        }
    }

    /// What is wrong, by row.
    fn faults(&mut self, import: &Import) {
        if import.faults.is_empty() {
            return;
        }
        self.gap();
        self.say(words::FAULTS, self.theme.strong());
        let numbers: Vec<String> = import.faults.iter().map(|fault| thousands(fault.row)).collect();
        let fields: Vec<String> = import
            .faults
            .iter()
            .map(|fault| cut(&single_line(&words::fault_field(fault, words::WHOLE_ROW)), FIELD))
            .collect();
        let (first, second) = (widest(&numbers), widest(&fields));
        let at = 1 + first + 2;
        for ((fault, number), field) in import.faults.iter().zip(&numbers).zip(fields) {
            let reason = wrap(&single_line(&fault.message), self.columns.saturating_sub(at + second + 3));
            for (i, line) in reason.into_iter().enumerate() {
                let mut pieces = vec![(at + second + 2, line, Style::new())];
                if i == 0 {
                    pieces.push((1 + first - width(number), number.clone(), self.theme.strong()));
                    pieces.push((at, field.clone(), Style::new()));
                }
                self.lines.push(pieces);
            }
        }
        if import.rejected > import.faults.len() as u64 {
            self.say(words::MORE_FAULTS, self.theme.quiet());
        }
    }

    /// The columns: their headings, the fields that they go into, and their first values.
    fn preview(&mut self, screen: &ImportScreen, preview: &Preview) {
        if preview.columns.is_empty() {
            return;
        }
        self.gap();
        self.say(words::PREVIEW, self.theme.strong());
        let most = self.columns / 4;
        let shown = |text: &str| cut(&single_line(text), most);
        let headings: Vec<String> = preview.columns.iter().map(|column| shown(&column.heading)).collect();
        let members: Vec<String> =
            preview.columns.iter().map(|column| shown(&goes_into(&screen.collection, column))).collect();
        let (first, second) = (widest(&headings), widest(&members));
        for (i, (heading, member)) in headings.into_iter().zip(members).enumerate() {
            let values = preview.rows.iter().filter_map(|row| row.get(i)).map(|cell| single_line(cell).into_owned());
            let values = values.collect::<Vec<String>>().join(" · ");
            let (arrow, goes, at) = (1 + first + 1, 1 + first + 3, 1 + first + 3 + second + 2);
            let is_out = preview.columns[i].member.is_none();
            self.lines.push(vec![
                (1, heading, Style::new()),
                (arrow, "→".to_owned(), self.theme.quiet()),
                (goes, member, if is_out { self.theme.quiet() } else { self.theme.accent() }),
                (at, cut(&values, self.columns.saturating_sub(at + 1)), self.theme.quiet()),
            ]);
        }
    }
}

fn widest(texts: &[String]) -> usize {
    texts.iter().map(|text| width(text)).max().unwrap_or(0)
}
