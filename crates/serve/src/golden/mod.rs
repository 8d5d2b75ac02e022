//! Runs golden cases on a model file, in a child process with bounded memory and time.
//!
//! A model file may be hostile or merely too much for this machine, and an inference library that meets one may abort
//! or never return. So the parent ([`ChildRunner`]) starts its own program again, with nothing of its environment; the
//! child ([`child_main`]) binds itself, reads one request from standard input, and writes one report to standard
//! output. Whatever else happens to the child, the parent's report is incomplete and says why.

mod child;
mod execute;
mod protocol;
mod runner;

pub use child::{ChildError, child_main};
pub use execute::execute;
pub use runner::ChildRunner;
