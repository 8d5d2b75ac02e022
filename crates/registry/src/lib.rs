//! tagship-registry
