//! The terminal: taken over at the start, and given back however the client ends, a panic included. Between the two it is given back while the
//! client is suspended, or while an editor has it.

use std::{
    io::{self, IsTerminal, stdout},
    panic,
};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute, queue,
    style::ResetColor,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};

use crate::output::Output;

/// Takes the terminal over. A panic gives it back before it says anything.
pub fn open(output: &mut Output, has_mouse: bool) -> io::Result<()> {
    if !stdout().is_terminal() {
        return Err(io::ErrorKind::NotConnected.into());
    }
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // Both must go on where the terminal is gone.
        drop(execute!(stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show));
        drop(disable_raw_mode());
        hook(info);
    }));
    enter(output, has_mouse)
}

/// Takes it, the first time or again.
pub fn enter(output: &mut Output, has_mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    let mut bytes = Vec::new();
    queue!(bytes, EnterAlternateScreen, EnableBracketedPaste)?;
    if has_mouse {
        queue!(bytes, EnableMouseCapture)?;
    }
    output.send(bytes);
    Ok(())
}

/// Takes it anew from who has had it, and may have changed its modes.
pub fn again(output: &mut Output, has_mouse: bool) -> io::Result<()> {
    disable_raw_mode()?;
    enter(output, has_mouse)
}

/// Gives it back. Where it is gone there is nothing to give back, and one that takes nothing is not waited for.
pub fn leave(output: &mut Output) {
    let mut bytes = Vec::new();
    drop(queue!(bytes, DisableMouseCapture, DisableBracketedPaste, ResetColor, LeaveAlternateScreen, Show));
    output.send(bytes);
    output.settle();
    drop(disable_raw_mode());
}

/// What has the terminal take a text into the clipboard (OSC 52), where it does that.
pub fn copy(text: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    format!("\x1b]52;c;{}\x07", STANDARD.encode(text)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_sequence_that_it_is_copied_by() {
        assert_eq!(copy("a\x07\x1b]b"), b"\x1b]52;c;YQcbXWI=\x07");
    }
}
