//! Environment variables that are not options of the server: each program knows the other's, so that it does not take them for misspelt.

/// The URL of the server that the terminal app opens.
pub const SERVER: &str = "COFFER_SERVER";
/// A file with certificates to believe in beside the system's. The server's command line has it too.
pub const CA_CERT: &str = "COFFER_CA_CERT";
/// The folder in which the terminal app keeps its sessions.
pub const STATE_DIR: &str = "COFFER_STATE_DIR";
/// The folder with settings of the terminal app, and with the servers that have a name.
pub const CONFIG_DIR: &str = "COFFER_CONFIG_DIR";

/// All that the terminal app reads.
pub const TERMINAL_APP: [&str; 4] = [SERVER, CA_CERT, STATE_DIR, CONFIG_DIR];
