//! tagship-release
