//! The `coffer-tui` command.

fn main() {}
