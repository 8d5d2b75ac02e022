//! A rollout that is walked through time: traffic comes, effects work, and someone looks every few seconds.

use std::collections::BTreeMap;

use tagship_domain::{
    Duration, Release, Timestamp, Version,
    analysis::{Analysis, Bound, Judge, Margin, Metric, MetricKind, OnNoData},
    event::Command,
    plan::{RolloutPlan, Step, Strategy},
    rollout::{
        Effect, EffectOutcome, EffectResult, Intended, Kind, Measured, Observation, Observed, PersonCommand,
        Phase, RolloutState,
    },
    routing::{HeaderMatch, HeaderName, HeaderText},
    scoring::Labelled,
    tally::Tally,
    threshold::{Point, Threshold},
    traffic::{Counters, TargetState, Weight},
};

use super::sample::{arm, by, noon, passed, pending_over, plan, release, version};
use crate::{look::questions, step};

/// A rollout on its way.
pub(crate) struct Walk {
    pub(crate) state: RolloutState,
    pub(crate) now: Timestamp,
    /// Requests per second, over both versions by weight.
    pub(crate) rate: u64,
    /// Of a thousand answers of stable and candidate, how many are errors.
    pub(crate) errors: [u64; 2],
    /// Of a thousand copied requests, how many the candidate answers differently, and how many it alone gets wrong.
    pub(crate) differs: [u64; 2],
    /// Why the counters cannot be read, while they cannot.
    pub(crate) outage: Option<String>,
    /// Why sources of single metrics cannot be asked, while they cannot.
    pub(crate) own_outage: Option<String>,
    /// What sources of labelled predictions say, by metric.
    pub(crate) labelled: BTreeMap<String, Result<Labelled, String>>,
    /// A newer release that waits.
    pub(crate) newer: Option<Release>,
    /// Whether orders to route are tried in vain.
    pub(crate) refuses_to_route: bool,
    /// Share that was in force at every transition, with the phase.
    pub(crate) story: Vec<(Phase, u8)>,
    /// Everything that was done, in order.
    pub(crate) done: Vec<Effect>,
    counters: BTreeMap<Version, Counters>,
}

impl Walk {
    /// Begins a deploy of v1.1.0, over v1.0.0 where something serves.
    pub(crate) fn begin(plan: &RolloutPlan, serves: bool) -> Self {
        let stable = release("v1.0.0");
        let state = pending_over(Kind::Deploy, serves.then_some(&stable), plan);
        let counters = [version("v1.0.0"), version("v1.1.0")].map(|version| (version, Counters::default()));
        Self {
            state,
            now: noon(),
            rate: 0,
            errors: [0, 0],
            differs: [0, 0],
            outage: None,
            own_outage: None,
            labelled: BTreeMap::new(),
            newer: None,
            refuses_to_route: false,
            story: vec![],
            done: vec![],
            counters: counters.into(),
        }
    }

    /// With traffic.
    pub(crate) fn under(self, rate: u64, errors: [u64; 2]) -> Self {
        Self { rate, errors, ..self }
    }

    /// Lets time pass and looks.
    pub(crate) fn passes(&mut self, seconds: u64) -> &RolloutState {
        self.now = self.now.after(Duration::from_secs(seconds));
        self.serve(seconds);
        self.look(&[]);
        &self.state
    }

    /// Lets time pass, looking every ten seconds, until this phase or for that long.
    pub(crate) fn until(&mut self, phase: Phase, at_most: u64) -> &RolloutState {
        for _ in 0..at_most.div_ceil(10) {
            if self.state.phase == phase {
                break;
            }
            self.passes(10);
        }
        assert_eq!(self.state.phase, phase, "{}", self.state.message);
        &self.state
    }

    /// Someone asks for something.
    pub(crate) fn told(&mut self, command: Command) -> &RolloutState {
        self.look(&[PersonCommand { command, by: by("bob") }]);
        &self.state
    }

    /// One look of a world in which everything works, and the looks that follow without time passing.
    fn look(&mut self, commands: &[PersonCommand]) {
        let mut commands = commands.to_vec();
        for _ in 0..64 {
            let observation = self.observation(std::mem::take(&mut commands));
            let due = self.due().map(|intended| intended.effect.clone()).collect::<Vec<_>>();
            self.done.extend(due);
            let transition = step(&self.state, &observation);
            self.state = transition.state;
            if !transition.changed {
                return;
            }
            self.story.push((self.state.phase, self.state.weight.desired.get()));
        }
        panic!("it runs in circles: {:?}", self.story);
    }

    pub(crate) fn observation(&self, commands: Vec<PersonCommand>) -> Observation {
        let weight = self.state.weight.desired.get();
        let stable = self.state.stable.as_ref().map(|_| arm("v1.0.0", 100 - weight));
        let arms = stable.into_iter().chain([arm("v1.1.0", weight)]).collect();
        let target = Observed::Seen(TargetState { arms });
        let measured = match &self.outage {
            Some(why) => Measured::Error(why.clone()),
            None => Measured::Counters(self.counters.clone()),
        };
        let asked = questions(&self.state, &target, self.now);
        Observation {
            now: self.now,
            target,
            smoke: Some(passed()),
            counters: asked.counters.then_some(measured),
            own: if asked.counters { self.own() } else { BTreeMap::new() },
            values: if asked.counters { self.values() } else { BTreeMap::new() },
            labelled: if asked.counters { self.labelled.clone() } else { BTreeMap::new() },
            missed: vec![],
            newer: self.newer.clone(),
            commands,
            unlock: None,
            outcomes: self
                .due()
                .map(|intended| EffectOutcome { seq: intended.seq, result: self.result_of(&intended.effect) })
                .collect(),
        }
    }

    fn result_of(&self, effect: &Effect) -> EffectResult {
        match effect {
            Effect::Route { .. } if self.refuses_to_route => EffectResult::Retry("not now".to_owned()),
            _ => EffectResult::Applied,
        }
    }

    /// What is to be done now.
    fn due(&self) -> impl Iterator<Item = &Intended> {
        self.state.intended.iter().filter(|intended| intended.is_due(self.now))
    }

    /// What sources of their own say of the metrics that have one: the same counts, from two instances.
    fn own(&self) -> BTreeMap<String, Result<BTreeMap<Version, Tally>, String>> {
        let split = |count: u64| [("a".to_owned(), count / 2), ("b".to_owned(), count - count / 2)].into();
        let tally = |(version, counters): (&Version, &Counters)| {
            let tally =
                Tally { total: split(counters.requests), bad: split(counters.errors), ..Tally::default() };
            (version.clone(), tally)
        };
        let counted = match &self.own_outage {
            Some(why) => Err(why.clone()),
            None => Ok(self.counters.iter().map(tally).collect()),
        };
        let metrics = self.state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
        let sourced = metrics.filter(|metric| metric.own_source);
        sourced.map(|metric| (metric.name.clone(), counted.clone())).collect()
    }

    /// What sources of values say: the share of errors of each version since the beginning.
    fn values(&self) -> BTreeMap<String, Result<BTreeMap<Version, Vec<Point>>, String>> {
        let point = |(version, counters): (&Version, &Counters)| {
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let share = (counters.requests > 0).then(|| counters.errors as f64 / counters.requests as f64);
            (version.clone(), vec![Point { at: self.now, value: share.into() }])
        };
        let answered = match &self.own_outage {
            Some(why) => Err(why.clone()),
            None => Ok(self.counters.iter().map(point).collect()),
        };
        let metrics = self.state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
        let valued = metrics.filter(|metric| metric.kind == MetricKind::Value);
        valued.map(|metric| (metric.name.clone(), answered.clone())).collect()
    }

    fn serve(&mut self, seconds: u64) {
        let weight = u64::from(self.state.weight.applied.get());
        let shares = if self.state.routing.matched.is_some() { [90, 10] } else { [100 - weight, weight] };
        for ((counters, share), errors) in self.counters.values_mut().zip(shares).zip(self.errors) {
            counters.requests += self.rate * seconds * share / 100;
            counters.errors = counters.requests * errors / 1000;
        }
        self.copy(seconds);
    }

    /// Copies requests as they were ordered; half of them get a label.
    fn copy(&mut self, seconds: u64) {
        let Some(shadow) = &self.state.routing.shadow else { return };
        let counted = self.counters.entry(shadow.version.clone()).or_default();
        let shadow_counts = counted.shadow.get_or_insert_default();
        let copies = self.rate * seconds * u64::from(shadow.share.get()) / 100;
        shadow_counts.failed += copies * self.errors[1] / 1000;
        shadow_counts.compared += copies - copies * self.errors[1] / 1000;
        shadow_counts.labelled = shadow_counts.compared / 2;
        shadow_counts.disagreed = shadow_counts.compared * self.differs[0] / 1000;
        shadow_counts.only_candidate_wrong = shadow_counts.labelled * self.differs[1] / 1000;
        shadow_counts.only_stable_wrong = shadow_counts.labelled / 200;
    }
}

pub(crate) fn percent(share: u8) -> Weight {
    Weight::percent(share).unwrap()
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// The header by which requests of the cohort `beta` are known.
pub(crate) fn beta() -> HeaderMatch {
    HeaderMatch { header: HeaderName::new("x-cohort").unwrap(), exact: HeaderText::new("beta").unwrap() }
}

/// 10, then 50 percent, five minutes each.
pub(crate) fn canary() -> RolloutPlan {
    let steps = vec![
        Step::SetWeight(percent(10)),
        Step::Pause(Some(minutes(5))),
        Step::SetWeight(percent(50)),
        Step::Pause(Some(minutes(5))),
    ];
    RolloutPlan { strategy: Strategy::Canary { steps }, ..plan() }
}

/// The same, judged by errors.
pub(crate) fn judged() -> RolloutPlan {
    RolloutPlan { analysis: Some(analysis(vec![errors()])), ..canary() }
}

/// Copies of all requests for five minutes, then the canary with clients that stay on their side.
pub(crate) fn shadowed() -> RolloutPlan {
    let Strategy::Canary { steps } = canary().strategy else { unreachable!("a canary has steps") };
    let shadow = [Step::Mirror(percent(100)), Step::Pause(Some(minutes(5)))];
    RolloutPlan {
        strategy: Strategy::Canary { steps: shadow.into_iter().chain(steps).collect() },
        sticky: Some(HeaderName::new("x-user-id").unwrap()),
        ..judged()
    }
}

pub(crate) fn analysis(metrics: Vec<Metric>) -> Analysis {
    Analysis { interval: minutes(1), max_wait: minutes(30), metrics, kayenta: None }
}

pub(crate) fn errors() -> Metric {
    Metric {
        name: "errors".to_owned(),
        kind: MetricKind::ErrorRatio,
        judge: Judge::TwoSpeed,
        tolerance: 1.0,
        promote_margin: Margin::Ratio(1.5),
        bound: None,
        min_samples: 50,
        label_delay: Duration::default(),
        on_no_data: OnNoData::Wait,
        failure_limit: 0,
        inconclusive_limit: 0,
        consecutive_error_limit: 4,
        own_source: false,
        threshold: None,
        scoring: None,
        kayenta: None,
        dry_run: false,
        weight: 1.0,
    }
}

/// The same, counted by a source of its own.
pub(crate) fn sourced() -> Metric {
    Metric { own_source: true, ..errors() }
}

/// At most three percent errors, as a value that a query gives.
pub(crate) fn valued(success: &str) -> Metric {
    let threshold = Threshold { success: Some(success.to_owned()), ..Threshold::default() };
    Metric {
        own_source: true,
        threshold: Some(threshold),
        ..Metric::with_defaults("share", MetricKind::Value)
    }
}

/// At most three percent errors.
pub(crate) fn bounded() -> Metric {
    Metric { bound: Some(Bound::MaxErrorRatio(0.03)), ..errors() }
}
