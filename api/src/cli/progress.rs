//! What a person who watches sees of long work. Nothing where stderr is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// Counts up, where nobody knows how much there is.
pub fn counting(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg}: {human_pos} in {elapsed}").ok();
    let bar = ProgressBar::new_spinner().with_message(what);
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
