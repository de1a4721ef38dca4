//! libFuzzer's way into [`coffer_fuzz::key_files`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coffer_fuzz::key_files(bytes));
