//! tagship
fn main() {}
