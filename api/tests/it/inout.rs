//! Records in and out as files, and many at once.

mod batch;
mod export;
mod idempotency;
mod import;
mod large;
mod many;
mod numbers;
