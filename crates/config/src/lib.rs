//! tagship-config
