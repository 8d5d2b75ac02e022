//! tagship-adapters
