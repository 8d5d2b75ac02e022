//! tagship-gate
