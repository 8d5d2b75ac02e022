//! tagship-runner
