//! tagship-decide
