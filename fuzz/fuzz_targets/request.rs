//! libFuzzer's way into [`coffer_fuzz::request`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coffer_fuzz::request(bytes));
