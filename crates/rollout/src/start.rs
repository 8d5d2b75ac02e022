//! The first state of a rollout, and when there must be none.

use std::collections::BTreeMap;

use tagship_domain::{
    Duration, Environment, Provenance, Release, Timestamp,
    plan::RolloutPlan,
    rollout::{Effect, Intended, Kind, Phase, Reason, RolloutId, RolloutState, WeightPair},
    routing::Routing,
    traffic::Weight,
};

use crate::analysis::Against;

/// What to start.
#[derive(Debug, Clone)]
pub struct StartRequest<'a> {
    /// Deploy or rollback.
    pub kind: Kind,
    /// Where.
    pub environment: &'a Environment,
    /// What is to serve.
    pub candidate: &'a Release,
    /// What serves now; absent on a first deployment. Of a rollback: the version that is gone away from.
    pub stable: Option<&'a Release>,
    /// What will be done.
    pub plan: &'a RolloutPlan,
    /// The newest state in the journal of this environment and model.
    pub previous: Option<&'a RolloutState>,
    /// The time.
    pub now: Timestamp,
    /// Who starts it.
    pub by: &'a Provenance,
    /// Why monitoring has a version left within its guard; absent where a person or an event starts this.
    pub fired: Option<&'a str>,
}

/// Why a rollout was not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartRefusal {
    /// Another one holds the lock.
    #[error(
        "start a rollout: {id} of {by} holds {environment} since {since} in phase {phase}; {}",
        if *.phase == Phase::RollbackFailed { "bring the target in order, then have going back tried again with `tagship rollback`, or take the lock away with `tagship unlock`" } else { "wait for its end or abort it" }
    )]
    Locked {
        /// Which.
        id: RolloutId,
        /// The environment.
        environment: Environment,
        /// Where it stands.
        phase: Phase,
        /// Since when.
        since: String,
        /// Who started it.
        by: String,
    },
    /// The candidate is the stable version.
    #[error("start a rollout: {environment} holds {release} already")]
    AlreadyStable {
        /// The environment.
        environment: Environment,
        /// What it holds.
        release: String,
    },
    /// The registry does not know what serves: the rollout that brought it could not record it.
    #[error(
        "start a rollout: {serves} serves {environment} since {id} ended, and the registry says {recorded}; assign {serves} \
         there, e.g. with `gto assign`"
    )]
    Unrecorded {
        /// What serves.
        serves: String,
        /// The environment.
        environment: Environment,
        /// The rollout that brought it.
        id: RolloutId,
        /// What the registry says.
        recorded: String,
    },
    /// Candidate and stable are different models.
    #[error("start a rollout: {candidate} cannot take over from {stable}, which is another model")]
    OtherModel {
        /// What was to be rolled out.
        candidate: String,
        /// What serves.
        stable: String,
    },
}

/// Starts a rollout: a state in phase Pending that holds the lock as soon as it lies in the journal.
///
/// Numbers of effects go on from the previous rollout, so that a target can tell a late runner of an earlier one.
/// What the previous rollout left to unload is taken over, unless it is needed again.
///
/// # Errors
/// A [`StartRefusal`]: nothing may be written then.
pub fn start(request: &StartRequest<'_>) -> Result<RolloutState, StartRefusal> {
    check(request)?;
    let StartRequest { kind, environment, candidate, stable, plan, previous, now, by, fired } = request;
    let begun = previous.map_or(*now, |previous| after(previous.since, *now));
    let mut state = RolloutState {
        id: id(environment, candidate, *previous),
        kind: *kind,
        model: candidate.model.clone(),
        environment: (*environment).clone(),
        candidate: (*candidate).clone(),
        stable: stable.cloned(),
        plan: fitted(plan, *kind, stable.is_some()),
        phase: Phase::Pending,
        reason: if fired.is_some() { Reason::GuardFired } else { Reason::Started },
        message: opening(request),
        cause: fired.map(str::to_owned),
        step: 0,
        settled: None,
        interrupted: None,
        waived: None,
        unfrozen: None,
        unlocked: None,
        guarded_until: None,
        weight: WeightPair::default(),
        routing: Routing::default(),
        judges: BTreeMap::new(),
        looked: None,
        assigned: false,
        queued: None,
        intended: vec![],
        seq: previous.map_or(0, |previous| previous.seq),
        started: begun,
        since: begun,
        deadline: Some(begun.after(plan.progress_deadline)),
        by: (*by).clone(),
    };
    for effect in left_over(request) {
        state.seq += 1;
        state.intended.push(Intended::new(state.seq, effect));
    }
    Ok(state)
}

/// What of a plan applies. A rollback is all at once, for what it goes back to has served before. Where nothing serves
/// yet there is no traffic to share and nothing to compare with: all at once too, and measured only against fixed
/// bounds.
pub(crate) fn fitted(plan: &RolloutPlan, kind: Kind, has_stable: bool) -> RolloutPlan {
    let at_once = RolloutPlan {
        scale_down_delay: plan.scale_down_delay,
        abort_scale_down_delay: plan.abort_scale_down_delay,
        ..RolloutPlan::all_at_once(plan.smoke.clone(), plan.progress_deadline)
    };
    if kind == Kind::Rollback {
        return at_once;
    }
    if has_stable {
        return plan.clone();
    }
    let mut analysis = plan.analysis.clone();
    if let Some(analysis) = &mut analysis {
        analysis.metrics.retain(|metric| Against::Bound.applies(metric));
    }
    let analysis = analysis.filter(|analysis| !analysis.metrics.is_empty());
    let bake = if analysis.is_some() { plan.bake } else { Duration::default() };
    RolloutPlan {
        on_newer: plan.on_newer,
        on_failure: plan.on_failure,
        freeze: plan.freeze.clone(),
        next: plan.next.clone(),
        analysis,
        bake,
        ..at_once
    }
}

/// The time of a transition: now, but always after the one before, so that records outside keep their order even
/// where clocks of two machines do not agree.
pub(crate) fn after(before: Timestamp, now: Timestamp) -> Timestamp {
    now.max(before.after(Duration::from_millis(1)))
}

fn check(request: &StartRequest<'_>) -> Result<(), StartRefusal> {
    let StartRequest { environment, candidate, stable, previous, .. } = request;
    if let Some(previous) = previous.filter(|previous| previous.holds_lock()) {
        return Err(StartRefusal::Locked {
            id: previous.id.clone(),
            environment: (*environment).clone(),
            phase: previous.phase,
            since: previous.since.readable(),
            by: previous.by.actor.clone(),
        });
    }
    if let Some(previous) = previous.filter(|previous| is_unrecorded(previous, candidate))
        && stable.is_none_or(|stable| stable.digest != previous.candidate.digest)
    {
        return Err(StartRefusal::Unrecorded {
            serves: previous.candidate.to_string(),
            environment: (*environment).clone(),
            id: previous.id.clone(),
            recorded: stable.map_or_else(|| "nothing".to_owned(), ToString::to_string),
        });
    }
    match stable {
        Some(stable) if stable.model != candidate.model => {
            Err(StartRefusal::OtherModel { candidate: candidate.to_string(), stable: stable.to_string() })
        }
        Some(stable) if stable.version == candidate.version => Err(StartRefusal::AlreadyStable {
            environment: (*environment).clone(),
            release: stable.to_string(),
        }),
        _ => Ok(()),
    }
}

fn id(environment: &Environment, candidate: &Release, previous: Option<&RolloutState>) -> RolloutId {
    let number = |previous: &RolloutState| {
        previous.id.0.rsplit('-').next().and_then(|tail| tail.parse::<u64>().ok()).unwrap_or(previous.seq)
    };
    let number = previous.map_or(0, number).saturating_add(1);
    RolloutId(format!("{environment}-{}-{number}", candidate.version))
}

fn opening(request: &StartRequest<'_>) -> String {
    let StartRequest { kind, environment, candidate, stable, by, fired, .. } = request;
    let version = &candidate.version;
    let why = fired.map(|why| format!(", for its guard fired: {why}")).unwrap_or_default();
    match (kind, stable) {
        (Kind::Deploy, Some(stable)) => {
            format!("{} deploys {version} to {environment}, where {} serves", by.actor, stable.version)
        }
        (Kind::Deploy, None) => {
            format!("{} deploys {version} to {environment}, where nothing serves yet", by.actor)
        }
        (Kind::Rollback, Some(stable)) => {
            format!("{} rolls {environment} back from {} to {version}{why}", by.actor, stable.version)
        }
        (Kind::Rollback, None) => format!("{} rolls {environment} back to {version}", by.actor),
    }
}

fn left_over(request: &StartRequest<'_>) -> Vec<Effect> {
    let needed = |effect: &Effect| match effect {
        Effect::Cleanup { version } => {
            *version != request.candidate.version
                && request.stable.is_none_or(|stable| stable.version != *version)
        }
        _ => false,
    };
    let intended = request.previous.into_iter().flat_map(|previous| &previous.intended);
    let made_stable = serves_unpromoted(request).then_some(Effect::Rollback);
    let unloaded = intended.map(|intended| &intended.effect).filter(|effect| needed(effect)).cloned();
    made_stable.into_iter().chain(unloaded).collect()
}

/// Whether what serves could not be made stable when it was rolled out. The target may still hold another version to be
/// stable, which would get what a new candidate leaves: what serves is made stable first.
fn serves_unpromoted(request: &StartRequest<'_>) -> bool {
    request.stable.is_some() && request.previous.is_some_and(is_unpromoted)
}

/// Whether a rollout ended with its candidate serving, and the registry may say otherwise. Going back once more to what a
/// rollback brought back is what records that.
fn is_unrecorded(state: &RolloutState, candidate: &Release) -> bool {
    let serves = state.keeps_way_back() && state.weight.applied == Weight::ALL;
    is_unpromoted(state) || (serves && candidate.digest != state.candidate.digest)
}

/// Whether a rollout ended with its candidate serving without being stable.
fn is_unpromoted(state: &RolloutState) -> bool {
    (state.phase, state.reason) == (Phase::Failed, Reason::PromotionFailed)
}

#[cfg(test)]
mod tests;
