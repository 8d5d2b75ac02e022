//! Runs golden cases on a model file, in a process that does nothing else, with bounded memory and time.
//!
//! A model file may be hostile or merely too much for this machine, and an inference library that meets one may abort
//! or never return. So whoever wants the cases run starts a process for them; [`child_main`] is all that it does: it
//! binds itself, reads one request from standard input, and writes one answer to standard output.

mod child;
mod execute;

pub use child::{ChildError, child_main};
pub use execute::execute;
