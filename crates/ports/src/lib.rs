//! tagship-ports
