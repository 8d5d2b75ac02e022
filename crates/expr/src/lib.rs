//! tagship-expr
