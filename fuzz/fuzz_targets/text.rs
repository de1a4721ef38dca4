//! libFuzzer's way into [`coffer_fuzz::text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coffer_fuzz::text(bytes));
