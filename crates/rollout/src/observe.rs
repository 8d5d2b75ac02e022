//! Looking at the world.

use tagship_domain::{
    plan::Smoke,
    rollout::{EffectOutcome, Look, Observation, Observed, PersonCommand, RolloutState},
    validation::{GoldenReport, Status},
};
use tagship_ports::model_runner::{GoldenBounds, Subject};

use crate::{look::questions, world::World};

/// Looks at the target, and runs golden cases where a step would use them.
pub(crate) async fn observe(
    world: &World<'_>,
    state: &RolloutState,
    outcomes: Vec<EffectOutcome>,
    commands: &[PersonCommand],
) -> Observation {
    let seen = world.target.observe(&state.model).await;
    let smoke = match &seen {
        Ok(target) if questions(state, target).smoke => Some(smoke(world, state).await),
        _ => None,
    };
    let target = seen.map_or_else(|error| Observed::Unreachable(error.to_string()), Observed::Seen);
    Observation {
        now: world.clock.now(),
        target,
        smoke,
        counters: None,
        newer: None,
        commands: commands.to_vec(),
        outcomes,
    }
}

async fn smoke(world: &World<'_>, state: &RolloutState) -> GoldenReport {
    let Smoke::GoldenCases { tolerance, max_latency, .. } = state.plan.smoke else {
        return unjudged("the plan has no golden cases".to_owned());
    };
    let candidate = &state.candidate;
    let subject = Subject::Endpoint { model: candidate.model.clone(), version: candidate.version.clone() };
    match world.releases.golden_cases(candidate).await {
        Ok(Some(cases)) => world.runner.run(&subject, &cases, GoldenBounds { tolerance, max_latency }).await,
        Ok(None) => unjudged(format!("release {candidate} has no golden cases")),
        Err(error) => unjudged(error.to_string()),
    }
}

/// A look as it lies in the journal.
pub(crate) fn evidence(state: &RolloutState, observation: &Observation) -> Look {
    let (arms, unreachable) = match &observation.target {
        Observed::Seen(target) => (target.arms.clone(), None),
        Observed::Unreachable(why) => (vec![], Some(why.clone())),
    };
    Look {
        at: observation.now,
        rollout: state.id.clone(),
        unreachable,
        arms,
        smoke: observation.smoke.clone(),
        metrics: vec![],
    }
}

fn unjudged(why: String) -> GoldenReport {
    GoldenReport { status: Status::Incomplete, cases: vec![], message: Some(why) }
}
