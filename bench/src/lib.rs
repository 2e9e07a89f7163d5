//! Empty: the benchmarks are the binary, `main.rs`.
