//! The help page: every key of the table that holds where it was asked for.

use ratatui::style::Style;

use crate::{
    key::{self, Context},
    model::Model,
    style::Line,
    width::{width, wrap},
    words,
};

/// The lines of the help page.
pub(crate) fn lines(model: &Model, columns: usize) -> Vec<Line> {
    let theme = model.theme;
    let contexts: Vec<Context> = vec![model.context_below_help()];
    let mut lines = Vec::new();
    for context in contexts {
        lines.push(vec![(1, words::help_heading(context).to_owned(), theme.strong())]);
        let rows: Vec<(String, &str)> = key::bindings(context)
            .map(|binding| {
                let keys: Vec<String> = binding.keys.iter().map(|key| key::name(*key)).collect();
                (keys.join(" or "), words::action(binding.action, context).1)
            })
            .collect();
        let widest = rows.iter().map(|(keys, _)| width(keys)).max().unwrap_or(0).min(columns / 2);
        for (keys, what) in rows {
            let indent = if width(&keys) > widest {
                lines.push(vec![(2, keys, theme.accent())]);
                None
            } else {
                Some(keys)
            };
            for (i, line) in wrap(what, columns.saturating_sub(widest + 6)).into_iter().enumerate() {
                let mut pieces = vec![(widest + 4, line, Style::new())];
                if let (0, Some(keys)) = (i, &indent) {
                    pieces.push((2, keys.clone(), theme.accent()));
                }
                lines.push(pieces);
            }
        }
        for note in words::help_notes(context) {
            lines.push(Vec::new());
            for line in wrap(note, columns.saturating_sub(2)) {
                lines.push(vec![(1, line, Style::new())]);
            }
        }
    }
    lines
}
