//! What the command says of itself, and before and after it draws.

/// What the command is, in a line.
pub const ABOUT: &str = "Read and write the records of a Coffer server in the terminal";
/// The same, with what there is to know before the first start.
pub const LONG_ABOUT: &str = "\
Read and write the records of a Coffer server in the terminal.

Sign in with your name and password; on a new server, make the first admin with the code that the server printed. \
The key ? shows all keys, F1 does so where text is typed.

You stay signed in until you sign out or the session ends. The session is kept in a file that only you can read, one \
for each server, in $COFFER_STATE_DIR, or else in coffer/ below $XDG_STATE_HOME or ~/.local/state.

With https the server's certificate must be trusted by this machine; for a private authority set SSL_CERT_FILE. \
NO_COLOR is respected.

Keys, colours and the like are set in config.toml in $COFFER_CONFIG_DIR, or else in coffer/ below $XDG_CONFIG_HOME or \
~/.config; docs/terminal.md has its lines.";
/// Of `--completions`.
pub const COMPLETIONS_HELP: &str = "Write what a shell completes this program's options with, and end";
/// Of `--man`.
pub const MAN_HELP: &str = "Write the manual page, and end";
/// What `--server` takes.
pub const SERVER_HELP: &str = "The server's address, such as https://coffer.example.org, or the name of a profile; without it the profile called default, or http://127.0.0.1:8000";
/// What `--ca-cert` takes.
pub const CA_CERT_HELP: &str =
    "Believe the certificates in this PEM file too, such as one that a server signed for itself";
/// What `--theme` takes.
pub const THEME_HELP: &str = "Colours for a dark or a light ground, or none; auto asks the terminal [default: auto]";
/// What `--no-mouse` does.
pub const NO_MOUSE_HELP: &str = "Leave the mouse to the terminal, which copies text with it";
/// What `--ascii` does.
pub const ASCII_HELP: &str = "Draw lines and marks with ASCII characters";
/// What `--readonly` does.
pub const READONLY_HELP: &str = "Write nothing: neither records nor definitions, users or passwords";
/// What `--migrations` takes.
pub const MIGRATIONS_HELP: &str =
    "The folder of the files of migrations, which the page of migrations shows beside what is applied";
/// What `--refresh` takes.
pub const REFRESH_HELP: &str = "How often the dashboard asks: a time from 1s on, or off for when you press r; less often over a slow line [default: 1s]";
/// The file of `--ca-cert` is not there.
pub const NO_CA_CERT: &str = "cannot read";
/// The system lacks what an event loop needs.
pub const NO_RUNTIME: &str =
    "the system has no room for another program that waits for events; close some and try again";
/// There is no terminal.
pub const NO_TERMINAL: &str =
    "this needs a terminal, and its input or output is none; start it in a terminal without redirecting it";
/// The terminal cannot be written to or read from any more.
pub const TERMINAL_GONE: &str = "the terminal is gone";
