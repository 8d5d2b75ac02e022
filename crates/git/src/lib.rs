//! tagship-git
