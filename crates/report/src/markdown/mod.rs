//! The comment and the step summary, in the Markdown that forges render.
//!
//! Whatever comes from outside passes through `inline`, the one escaper; blocks are made of nothing else, so no foreign
//! text can leave its place, form a link, a mention or a hidden marker.

mod analysis;
mod block;
mod checks;
mod facts;
mod findings;
mod fit;
mod incident;
mod inline;
mod metrics;
mod monitoring;
mod page;
mod progress;
mod reply;
mod section;
mod watch;

pub use fit::Limits;
pub use incident::incident;
pub use page::{comment, summary};
pub use reply::{Reply, ReplyAnswer, reply};
pub use watch::watch;

#[cfg(test)]
mod tests;
