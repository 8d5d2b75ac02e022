//! The runtime around every verb: arguments, environment, event payload, inputs and outputs, exit code.
//!
//! The only crate that reads environment variables, prints, or knows how a host hands events and outputs to a
//! step. What a verb does is none of its business.

pub mod args;
pub mod commands;
pub mod context;
pub mod error;
pub mod event;
pub mod files;
pub mod handover;
mod inputs;
pub mod manifest;
pub mod outputs;
mod progress;
mod reference;
pub mod screen;
mod stop;
pub mod write;

pub use context::{Context, Host};
pub use error::Failure;
pub use progress::Progress;
pub use reference::command_line_reference;
pub use screen::Screen;
pub use stop::told_to_stop;
