//! A rollout on the screen while it runs: a line for every step and every look.

use std::sync::{Mutex, PoisonError};

use tagship_domain::{
    Duration,
    plan::{RolloutPlan, Strategy},
    rollout::{Look, Phase, RolloutState},
    traffic::Weight,
};
use tagship_report::{
    mark::Mark,
    sentence::phase_name,
    terminal::{self, Style, TimelineLine},
};
use tagship_rollout::Spectator;
use tagship_runner::Screen;

/// Where a rollout was when it was last shown.
type Shown = (Phase, usize, Weight);

/// Prints what happens to standard error.
pub(crate) struct LiveScreen<'a> {
    pub(crate) screen: &'a Screen,
    pub(crate) style: Style,
    pub(crate) shown: Mutex<Option<Shown>>,
}

impl Spectator for LiveScreen<'_> {
    fn recorded(&self, state: &RolloutState) {
        let now = (state.phase, state.step, state.weight.desired);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if !takes_time(&state.plan) || shown.replace(now) == Some(now) {
            return;
        }
        let line = TimelineLine {
            at: state.since,
            mark: Mark::of_phase(state.phase, state.kind),
            label: phase_name(state.phase).to_owned(),
            weight: Some(state.weight.applied.get()),
            message: state.message.clone(),
        };
        self.screen.say(line.render(&self.style).trim_end());
    }

    fn looked(&self, look: &Look, state: &RolloutState) {
        self.screen.say(terminal::look(look, state, &self.style).trim_end());
    }
}

/// Whether the answer at the end comes late enough that someone would wonder before.
fn takes_time(plan: &RolloutPlan) -> bool {
    plan.strategy != Strategy::AllAtOnce || plan.bake > Duration::default()
}
