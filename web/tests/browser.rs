//! The first-run story in a real browser.
