//! Wiring: from the arguments of a verb, over the ports' adapters, to the logic of the layers below, to an answer.
//!
//! No decision is made here, and no model is run: a program of this crate alone has no inference library in it. (Such
//! a library registers itself when a program starts, so that no linker can leave it out of what depends on it.)

mod addresses;
mod aliases;
mod answer;
mod attestations;
mod backends;
mod beside;
mod cursor;
mod deployments;
mod entries;
mod failure;
mod file_tree;
mod following;
mod host;
mod live;
mod marks;
mod monitoring;
mod notifying;
mod pipeline;
mod project;
mod publisher;
mod signatures;
mod sources;
mod stage;
mod staging;
mod state;
mod summary;
mod targets;
mod together;
mod transfers;
mod verbs;
mod verdicts;
mod whole;
mod workflows;
mod workspace;

use tagship_report::terminal::Style;
use tagship_runner::Screen;

use answer::Answer;
pub use entries::{
    alone, backtest, by_the_program, comment, decide, doctor, gate, import, init, lock, misunderstood,
    monitor, pipeline, plan, pull, registry, release, rollback, rollback_by, rollout, rollout_by, schema,
    sign, small_decide, small_gate, small_validate, status, target, telling, unlock, validate, verify,
};

/// How the screen wants things rendered.
pub fn style(screen: &Screen) -> Style {
    Style { color: screen.color, width: screen.width, unicode: true }
}
