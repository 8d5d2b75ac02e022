//! tagship-rollout
