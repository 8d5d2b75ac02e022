//! What people read: the comment, the step summary and the terminal, rendered from the documents of `domain`.
//!
//! Everything here is pure: documents in, text out. [`sentence`] words every state once, so that the comment, the
//! terminal and the description of a deployment agree. All foreign text passes through one cleaner ([`text`]) and,
//! for Markdown, through one escaper ([`markdown`]). This crate knows no forge, no clock and no file: who shows the
//! text, and where, is decided elsewhere.

pub mod advice;
mod excerpt;
mod explain;
mod facts;
pub mod html;
pub mod mark;
pub mod markdown;
mod measure;
pub mod notice;
mod number;
mod overview;
pub mod sarif;
pub mod sentence;
mod spark;
pub mod stage;
mod standing;
pub mod terminal;
pub mod text;
mod trend;
mod verdict;
mod way;

pub use explain::explain;
pub use mark::{Mark, Tone};
pub use notice::notice;
pub use sentence::{Headline, headline};
pub use standing::{ModelStanding, standing};
