//! Fuzzes one parser; what it does is in `src/targets.rs`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tagship_artifact_fuzz::run("tf_graph", input));
