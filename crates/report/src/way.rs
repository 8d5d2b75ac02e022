//! The way of the traffic as legs: which shares it goes through, how long each is held, what is done and what runs.

use tagship_domain::{
    plan::{Step, Strategy},
    rollout::{Kind, Phase, Reason, RolloutState},
    traffic::Weight,
    units::Duration,
};

use crate::mark::Mark;

/// One share of traffic on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leg {
    /// How it stands.
    pub(crate) mark: Mark,
    /// What it is, e.g. `25% for 10m`, `bake 1h at 95%`.
    pub(crate) name: String,
    /// Index of the first step of the plan after it; absent for legs that are no steps.
    until: Option<usize>,
}

impl Leg {
    fn new(name: String, until: Option<usize>) -> Self {
        Self { mark: Mark::Neutral, name, until }
    }

    /// Whether the traffic is here now, or was when it stopped.
    pub(crate) fn is_current(&self) -> bool {
        !matches!(self.mark, Mark::Passed | Mark::Neutral)
    }
}

/// The legs of a rollout; empty where there is no way to speak of: everything at once, or back at once.
pub(crate) fn legs(state: &RolloutState) -> Vec<Leg> {
    if state.kind == Kind::Rollback
        || state.phase == Phase::Failed
        || state.reason == Reason::ValidationFailed
    {
        return vec![];
    }
    let mut legs = match &state.plan.strategy {
        Strategy::Canary { steps } => of_steps(steps),
        Strategy::BlueGreen { preview, auto_promote, .. } => {
            vec![Leg::new(previewed(*preview, *auto_promote), None)]
        }
        Strategy::Shadow { mirror, length } => vec![Leg::new(format!("shadow {mirror} for {length}"), None)],
        Strategy::Matched { rule, length } => vec![Leg::new(format!("{rule} for {length}"), None)],
        Strategy::AB { share, length } => vec![Leg::new(format!("{share} for {length}"), None)],
        Strategy::AllAtOnce => vec![],
    };
    let before = legs.len();
    let full = state.plan.full();
    if state.plan.bake > Duration::default() {
        legs.push(Leg::new(format!("bake {} at {full}", state.plan.bake), None));
    }
    legs.push(Leg::new("100%".to_owned(), None));
    let Some(current) = current(state, &legs, before) else {
        return if legs.len() > 1 { legs } else { vec![] };
    };
    for leg in legs.iter_mut().take(current) {
        leg.mark = Mark::Passed;
    }
    if let Some(leg) = legs.get_mut(current) {
        leg.mark = match state.phase {
            Phase::Superseded => Mark::Back,
            phase => Mark::of_phase(phase, state.kind),
        };
    }
    if legs.len() > 1 { legs } else { vec![] }
}

fn previewed(preview: Duration, auto_promote: bool) -> String {
    let person = if auto_promote { "" } else { " until a person promotes" };
    if preview > Duration::default() && auto_promote {
        format!("preview {preview}")
    } else {
        format!("preview{person}")
    }
}

fn of_steps(steps: &[Step]) -> Vec<Leg> {
    let mut legs: Vec<Stay> = vec![];
    for (index, step) in steps.iter().enumerate() {
        let until = index + 1;
        match (step, legs.last_mut()) {
            (Step::SetWeight(weight), _) => legs.push(Stay::at(weight.to_string(), until)),
            (Step::Mirror(share), _) => legs.push(Stay::at(format!("shadow {share}"), until)),
            (Step::Pause(pause), Some(leg)) => leg.pause(*pause, until),
            (Step::Pause(pause), None) => {
                let mut leg = Stay::at(Weight::NONE.to_string(), until);
                leg.pause(*pause, until);
                legs.push(leg);
            }
        }
    }
    legs.into_iter().map(Stay::leg).collect()
}

/// Steps that stay at one share.
struct Stay {
    share: String,
    held: Duration,
    person: bool,
    until: usize,
}

impl Stay {
    fn at(share: String, until: usize) -> Self {
        Self { share, held: Duration::default(), person: false, until }
    }

    fn pause(&mut self, pause: Option<Duration>, until: usize) {
        self.held = self.held.plus(pause.unwrap_or_default());
        self.person |= pause.is_none();
        self.until = until;
    }

    fn leg(self) -> Leg {
        let held =
            if self.held > Duration::default() { format!(" for {}", self.held) } else { String::new() };
        let person = if self.person { " until a person promotes" } else { "" };
        Leg::new(format!("{}{held}{person}", self.share), Some(self.until))
    }
}

/// Index of the leg where the traffic is, or was when it stopped; past the last one when all is done.
fn current(state: &RolloutState, legs: &[Leg], before: usize) -> Option<usize> {
    let phase = state.interrupted.unwrap_or(state.phase);
    let of_step = || legs.iter().position(|leg| leg.until.is_some_and(|until| state.step < until));
    match phase {
        Phase::Pending | Phase::Waiting | Phase::Validating | Phase::Failed => None,
        Phase::Progressing | Phase::Paused => match &state.plan.strategy {
            Strategy::Canary { .. } => Some(of_step().unwrap_or(before)),
            Strategy::BlueGreen { .. }
            | Strategy::Shadow { .. }
            | Strategy::AB { .. }
            | Strategy::Matched { .. }
                if state.step == 0 =>
            {
                Some(0)
            }
            Strategy::BlueGreen { .. } if state.weight.desired == Weight::NONE => Some(0),
            _ => Some(before),
        },
        Phase::Baking => Some(before),
        Phase::Promoting | Phase::Finalising => Some(legs.len() - 1),
        Phase::Succeeded => Some(legs.len()),
        Phase::RollingBack | Phase::RolledBack | Phase::RollbackFailed | Phase::Superseded => of_step(),
    }
}

#[cfg(test)]
mod tests;
