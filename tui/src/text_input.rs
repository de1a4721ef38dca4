//! Text under a cursor, on one line or on several. Moving and deleting by characters and words is `tui-input`'s; lines,
//! pasting and what a key means here are added.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest, backend::crossterm::to_input_request};

/// A text that is being typed.
#[derive(Clone, Default)]
pub struct TextInput {
    input: Input,
    several_lines: bool,
}

impl TextInput {
    /// One line.
    pub fn line(text: impl Into<String>) -> Self {
        Self { input: Input::new(text.into()), several_lines: false }
    }

    /// Several lines.
    pub fn area(text: impl Into<String>) -> Self {
        Self { input: Input::new(text.into()), several_lines: true }
    }

    /// What stands there.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The line that the cursor is on, and the characters before it on that line.
    pub fn cursor(&self) -> (usize, usize) {
        let before: Vec<char> = self.text().chars().take(self.input.cursor()).collect();
        let row = before.iter().filter(|c| **c == '\n').count();
        let column = before.iter().rev().take_while(|c| **c != '\n').count();
        (row, column)
    }

    /// Takes a key. Says whether the text changed.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let request = match key.code {
            KeyCode::Enter if self.several_lines => Some(InputRequest::InsertChar('\n')),
            KeyCode::Home | KeyCode::End if self.several_lines && key.modifiers.is_empty() => {
                let (row, _) = self.cursor();
                self.go_to(row, if key.code == KeyCode::Home { 0 } else { usize::MAX });
                return false;
            }
            // AltGr arrives as Ctrl+Alt on some systems; Alt alone or Ctrl alone types nothing.
            KeyCode::Char(_) if key.modifiers.contains(KeyModifiers::ALT | KeyModifiers::CONTROL) => {
                to_input_request(&Event::Key(key))
            }
            KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::CONTROL) => {
                Some(InputRequest::InsertChar(c))
            }
            _ => to_input_request(&Event::Key(key)),
        };
        let changed = request.and_then(|request| self.input.handle(request));
        changed.is_some_and(|changed| changed.value)
    }

    /// Puts a pasted text in at the cursor. On one line, line breaks become spaces. Says whether the text changed.
    pub fn paste(&mut self, text: &str) -> bool {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = if self.several_lines { text } else { text.trim_end_matches('\n').replace('\n', " ") };
        let pasted: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let cursor = self.input.cursor();
        let mut whole: String = self.text().chars().take(cursor).collect();
        whole.push_str(&pasted);
        whole.extend(self.text().chars().skip(cursor));
        self.input = Input::new(whole).with_cursor(cursor + pasted.chars().count());
        !pasted.is_empty()
    }

    /// Goes a line up. Says whether there was one.
    pub fn up(&mut self) -> bool {
        let (row, column) = self.cursor();
        row > 0 && self.go_to(row - 1, column)
    }

    /// Goes a line down. Says whether there was one.
    pub fn down(&mut self) -> bool {
        let (row, column) = self.cursor();
        self.go_to(row + 1, column)
    }

    fn go_to(&mut self, row: usize, column: usize) -> bool {
        let lengths: Vec<usize> = self.text().split('\n').map(|line| line.chars().count()).collect();
        let Some(length) = lengths.get(row) else { return false };
        let start: usize = lengths[..row].iter().map(|length| length + 1).sum();
        self.input.handle(InputRequest::SetCursor(start + column.min(*length)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(input: &mut TextInput, code: KeyCode) -> bool {
        input.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn lines_are_walked_and_edited_in_place() {
        let mut input = TextInput::area("one\nlonger\nx");
        assert!(input.up());
        assert_eq!(input.cursor(), (1, 1));
        press(&mut input, KeyCode::End);
        press(&mut input, KeyCode::Enter);
        press(&mut input, KeyCode::Char('Ü'));
        assert_eq!(input.text(), "one\nlonger\nÜ\nx");
        assert!(input.down());
        assert!(!input.down());
    }

    #[test]
    fn a_paste_into_one_line_stays_one_line_and_brings_no_controls() {
        let mut input = TextInput::line("ab");
        press(&mut input, KeyCode::Left);
        input.paste("1\r\n2\u{1b}[2J\n");
        assert_eq!(input.text(), "a1 2[2Jb");
        press(&mut input, KeyCode::Char('!'));
        assert_eq!(input.text(), "a1 2[2J!b");
    }

    #[test]
    fn one_press_takes_back_a_whole_character() {
        let mut input = TextInput::line("e👩‍👩‍👧");
        assert!(press(&mut input, KeyCode::Backspace));
        assert_eq!(input.text(), "e");
    }

    #[test]
    fn control_keys_type_nothing() {
        let mut input = TextInput::line("");
        assert!(!input.key(KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL)));
        assert_eq!(input.text(), "");
    }
}
