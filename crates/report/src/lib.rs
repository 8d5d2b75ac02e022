//! tagship-report
