#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dacapo_tests::any_bytes::takes_document(bytes));
