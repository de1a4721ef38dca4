//! libFuzzer's way into [`coffer_fuzz::files`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coffer_fuzz::files(bytes));
