//! The Coffer web app.

fn main() {}
