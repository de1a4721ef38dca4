//! One integration binary: it drives the real server on port 0.

mod store;
