//! Records in and out as files, and many at once.

mod export;
mod many;
mod numbers;
