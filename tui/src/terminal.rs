//! The terminal: taken over at the start, and given back however the client ends, a panic included.

use std::{
    io::{self, IsTerminal, stdout},
    panic,
};

use crossterm::{
    cursor::Show,
    event::{DisableBracketedPaste, EnableBracketedPaste},
    execute,
};
use ratatui::DefaultTerminal;

/// Takes the terminal over. A panic gives it back before it says anything.
pub fn open() -> io::Result<DefaultTerminal> {
    if !stdout().is_terminal() {
        return Err(io::ErrorKind::NotConnected.into());
    }
    let terminal = ratatui::try_init().inspect_err(|_| close())?;
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // ratatui's own hook, which runs next, does the rest; both must go on where the terminal is gone.
        drop(execute!(stdout(), DisableBracketedPaste, Show));
        hook(info);
    }));
    execute!(stdout(), EnableBracketedPaste)?;
    Ok(terminal)
}

/// Gives the terminal back. Where it is gone there is nothing to give back.
pub fn close() {
    drop(execute!(stdout(), DisableBracketedPaste, Show));
    drop(ratatui::try_restore());
}
