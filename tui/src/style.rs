//! Colours and emphasis. Only the terminal's own sixteen colours are used, and only those that can be read on dark and on
//! light ground; the ground itself is the terminal's. Nothing is said by colour alone, so that `NO_COLOR` loses nothing.

use ratatui::style::{Color, Modifier, Style};

use crate::{config::ThemeName, ground};

/// A line of a page: its pieces, each with the column where it begins.
pub type Line = Vec<(usize, String, Style)>;

/// What a line of a plot is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plot {
    /// What is as it should be.
    Good,
    /// What is neither.
    Other,
    /// What was refused, or is slow.
    Refused,
    /// What failed.
    Failed,
}

/// How things look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Colours may be used.
    pub colour: bool,
    /// The ground is light.
    pub is_light: bool,
    /// Nothing but ASCII is drawn around what people wrote.
    pub ascii: bool,
}

impl Theme {
    /// As somebody asks, and the environment: <https://no-color.org>.
    pub fn new(name: ThemeName, ascii: bool) -> Self {
        let is_asked = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let colour = is_asked && name != ThemeName::Plain;
        let is_light = name == ThemeName::Light || (colour && name == ThemeName::Auto && ground::is_light());
        Self { colour, is_light, ascii }
    }

    fn coloured(self, style: Style, colour: Color) -> Style {
        if self.colour { style.fg(colour) } else { style }
    }

    /// The bar at the top.
    pub fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The row or option under the cursor.
    pub fn cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Headings and labels in focus.
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A heading under the cursor, keys in the footer.
    pub fn accent(self) -> Style {
        let colour = if self.is_light { Color::Blue } else { Color::Magenta };
        self.coloured(Style::new().add_modifier(Modifier::BOLD), colour)
    }

    /// Hints and secondary text.
    pub fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Errors.
    pub fn error(self) -> Style {
        self.coloured(Style::new().add_modifier(Modifier::BOLD), Color::Red)
    }

    /// What is worth a look: amber. Its own ground, since amber letters cannot be read on light ones.
    pub fn warning(self) -> Style {
        if self.colour {
            Style::new().fg(Color::Black).bg(Color::Yellow)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        }
    }

    /// A line of a plot; they are told apart by their marks too.
    pub fn plot(self, line: Plot) -> Style {
        let colour = match line {
            Plot::Good => Color::Blue,
            Plot::Other => Color::Cyan,
            Plot::Refused => Color::Magenta,
            Plot::Failed => Color::Red,
        };
        self.coloured(Style::new(), colour)
    }

    /// What a search found.
    pub fn found(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED))
    }

    /// Where text is typed.
    pub fn field(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }
}
