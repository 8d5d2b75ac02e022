//! Wiring: from the arguments of a verb, over the ports' adapters, to the logic of the layers below, to an answer.
//!
//! No decision is made here.

mod answer;
mod deployments;
mod entries;
mod failure;
mod host;
mod live;
mod marks;
mod notifying;
mod pipeline;
mod publisher;
mod stage;
mod state;
mod summary;
mod verbs;
mod workflows;
mod workspace;

use tagship_report::terminal::Style;
use tagship_runner::Screen;

use answer::Answer;
pub use entries::{comment, decide, gate, pipeline, release, rollback, rollout, run, serve, validate};

/// How the screen wants things rendered.
pub(crate) fn style(screen: &Screen) -> Style {
    Style { color: screen.color, width: screen.width, unicode: true }
}
