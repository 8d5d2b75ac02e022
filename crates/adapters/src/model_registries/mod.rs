//! Model registries that artifacts come from.

mod mlflow;
#[cfg(test)]
mod tests;

pub use mlflow::{Mlflow, Wanted, open as mlflow};
