//! libFuzzer's way into [`coffer_fuzz::record`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coffer_fuzz::record(bytes));
