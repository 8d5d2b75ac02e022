//! tagship-testkit
