//! What a person who watches sees of long work. Nothing where stderr is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// Counts up, where nobody knows how much there is.
pub(super) fn counting(what: &'static str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), what, "{spinner} {msg}: {human_pos} in {elapsed}")
}

/// Shows bytes that are taken in, where nobody knows how many there are.
pub(super) fn receiving(what: &'static str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), what, "{spinner} {msg}: {bytes} in {elapsed}")
}

/// Counts up to `total`.
pub(super) fn up_to(total: u64, what: &'static str) -> ProgressBar {
    styled(ProgressBar::new(total), what, "{msg}: {wide_bar} {percent} % in {elapsed}")
}

fn styled(bar: ProgressBar, what: &'static str, template: &str) -> ProgressBar {
    let bar = bar.with_message(what);
    // A template that does not parse leaves the plain look.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
