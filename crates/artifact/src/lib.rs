//! tagship-artifact
