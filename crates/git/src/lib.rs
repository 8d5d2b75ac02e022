//! The `Repo` and `StateStore` ports on a git repository.
//!
//! Reading goes through libgit2, in process. Whatever moves a ref or touches a remote goes through the `git`
//! program: it has the credentials that the machine or the CI job is set up with, and its `update-ref` is a true
//! compare-and-swap. Invariants: a ref is moved locally only after the remote has accepted it, so a lost race
//! leaves nothing behind; nothing is ever forced; nothing ever prompts or waits without a limit.

mod credential;
mod differences;
mod error;
mod journal;
mod program;
mod publish;
mod read;
mod refname;
mod repository;
mod write;

pub use credential::Access;
pub use differences::TagDifferences;
pub use repository::GitRepo;

#[cfg(test)]
mod tests;
