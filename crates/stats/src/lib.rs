//! tagship-stats
