//! Documents for a terminal, a log or a pipe: verdict first, aligned, readable at 80 columns.
//!
//! Whether colours and characters outside ASCII may be used, and how wide a line is, comes from the caller as a
//! [`Style`]; nothing here looks at the environment. Foreign text is cleaned of everything that a terminal would
//! act on.

mod analysis;
mod chain;
mod documents;
mod drift;
mod examination;
mod explanation;
mod hook;
mod looks;
mod overview;
mod paint;
mod plan;
mod progress;
mod quality;
mod rule;
mod slo;
mod table;
mod watch;

pub use analysis::look;
pub use chain::chain;
pub use documents::{decision, gate, release, validation};
pub use drift::drift;
pub use examination::examination;
pub use explanation::explanation;
pub use hook::hook;
pub use looks::looks;
pub use overview::overview;
pub use paint::Style;
pub use plan::plan;
pub use progress::{TimelineLine, rollout};
pub use quality::quality;
pub use rule::rule;
pub use slo::slo;
pub use table::table;
pub use watch::watch;

#[cfg(test)]
mod tests;
