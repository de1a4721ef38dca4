//! libFuzzer's way into [`coffer_fuzz::condition`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coffer_fuzz::condition(bytes));
