//! Looking at the world.

use tagship_domain::{
    analysis::{Analysis, MetricReading},
    plan::Smoke,
    rollout::{EffectOutcome, Look, Measured, Observation, Observed, RolloutState},
    validation::{GoldenReport, Status},
};
use tagship_ports::{
    model_runner::{GoldenBounds, Subject},
    target::Needs,
};

use crate::{
    driver::Told,
    look::questions,
    moment::moment,
    sources::{Asked, ask},
    world::World,
};

/// Looks at the target, and runs golden cases where a step would use them.
pub(crate) async fn observe(
    world: &World<'_>,
    state: &RolloutState,
    outcomes: Vec<EffectOutcome>,
    told: &Told<'_>,
) -> Observation {
    let seen = world.target.observe(&state.model).await;
    let target = seen.map_or_else(|error| Observed::Unreachable(error.to_string()), Observed::Seen);
    let questions = questions(state, &target, moment(world.clock, state));
    let smoke = if questions.smoke { Some(smoke(world, state).await) } else { None };
    let (counters, asked) = if questions.counters {
        (Some(measure(world, state, &target).await), ask(world, state).await)
    } else {
        (None, Asked::default())
    };
    Observation {
        now: moment(world.clock, state),
        target,
        smoke,
        counters,
        own: asked.own,
        values: asked.values,
        labelled: asked.labelled,
        missed: asked.missed,
        newer: told.newer.cloned(),
        commands: told.commands.to_vec(),
        unlock: told.unlock.cloned(),
        outcomes,
    }
}

/// Reads the counters, from the source that was chosen, else from what the target said about itself.
async fn measure(world: &World<'_>, state: &RolloutState, target: &Observed) -> Measured {
    match (world.metrics, target) {
        (Some(source), _) => match source.counters(&state.model).await {
            Ok(counters) => Measured::Counters(counters),
            Err(error) => Measured::Error(error.to_string()),
        },
        (None, Observed::Seen(seen)) => {
            let counts = Needs { counters: true, ..Needs::default() };
            if let Err(error) = world.target.check(counts).await {
                return Measured::Error(error.to_string());
            }
            let arms = seen.arms.iter();
            Measured::Counters(arms.map(|arm| (arm.version.clone(), arm.counters.clone())).collect())
        }
        (None, Observed::Unreachable(why)) => Measured::Error(format!("the target does not answer: {why}")),
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

/// Whether the analysis took a look between two states of a rollout.
pub(crate) fn looked(before: &RolloutState, after: &RolloutState) -> bool {
    before.looked.is_some() && before.looked != after.looked
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
        metrics: readings(state, observation),
    }
}

/// What every metric says, where this observation was measured.
fn readings(state: &RolloutState, observation: &Observation) -> Vec<MetricReading> {
    let mut looks = observation.missed.iter().map(|missed| missed.at).chain([observation.now]);
    let is_new = state.looked.as_ref().is_some_and(|looked| looks.any(|at| at == looked.at));
    let analysis = state.plan.analysis.as_ref().filter(|_| is_new);
    let reading = |name: &str| {
        let judged = state.judges.get(name)?;
        Some(judged.measurement.clone().unwrap_or_default().named(name, judged))
    };
    analysis.into_iter().flat_map(Analysis::names).filter_map(reading).collect()
}

fn unjudged(why: String) -> GoldenReport {
    GoldenReport { status: Status::Incomplete, cases: vec![], message: Some(why) }
}
