//! A rollout led by the real `start` and `step`, with every entry of its journal kept.

use std::collections::BTreeMap;

use tagship_domain::{
    Digest, Duration, Provenance, Release, Timestamp,
    analysis::{Analysis, Metric, MetricKind, MetricReading},
    event::Command,
    explanation::{Explanation, Recorded},
    plan::{RolloutPlan, Smoke, Step, Strategy},
    rollout::{
        Effect, EffectOutcome, EffectResult, Kind, Look, Measured, Observation, Observed, PersonCommand,
        RolloutState,
    },
    traffic::{Arm, Counters, TargetState, Weight},
};
use tagship_rollout::{StartRequest, start, step};

pub(crate) fn release(version: &str) -> Release {
    let byte = version.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Release {
        model: "churn".parse().unwrap(),
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte; 32]),
        commit: "ab".repeat(20).parse().unwrap(),
    }
}

pub(crate) fn by(actor: &str) -> Provenance {
    Provenance { actor: actor.to_owned(), run: Some(format!("https://ci.example/runs/{actor}")) }
}

/// A tenth for two minutes, then half for two minutes.
pub(crate) fn canary() -> RolloutPlan {
    let share = |percent| Step::SetWeight(Weight::percent(percent).unwrap());
    let pause = Step::Pause(Some(Duration::from_secs(120)));
    let steps = vec![share(10), pause, share(50), pause];
    RolloutPlan {
        strategy: Strategy::Canary { steps },
        ..RolloutPlan::all_at_once(Smoke::ReadyOnly, Duration::from_secs(600))
    }
}

/// The same, judged by errors every minute.
pub(crate) fn judged() -> RolloutPlan {
    let errors = Metric { min_samples: 50, ..Metric::with_defaults("errors", MetricKind::ErrorRatio) };
    let analysis = Analysis {
        interval: Duration::from_secs(60),
        max_wait: Duration::from_secs(1_800),
        metrics: vec![errors],
        kayenta: None,
    };
    RolloutPlan { analysis: Some(analysis), ..canary() }
}

pub(crate) struct Walk {
    pub(crate) state: RolloutState,
    pub(crate) now: Timestamp,
    pub(crate) chain: Vec<Recorded>,
    /// What becomes of orders.
    pub(crate) result: EffectResult,
    /// Versions that the target serves.
    pub(crate) served: Vec<&'static str>,
    pub(crate) reachable: bool,
    pub(crate) newer: Option<Release>,
    /// Of a thousand answers of stable and candidate, how many are errors; nothing where there is no traffic.
    pub(crate) errors: Option<[u64; 2]>,
    counters: BTreeMap<tagship_domain::Version, Counters>,
}

impl Walk {
    pub(crate) fn begin(plan: &RolloutPlan) -> Self {
        Self::begin_as(Kind::Deploy, plan, None)
    }

    pub(crate) fn begin_as(kind: Kind, plan: &RolloutPlan, fired: Option<&str>) -> Self {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let state = start(&StartRequest {
            kind,
            environment: &"production".parse().unwrap(),
            candidate: &release("v1.1.0"),
            stable: Some(&release("v1.0.0")),
            plan,
            previous: None,
            now,
            by: &by("alice"),
            fired,
        });
        let counters = ["v1.0.0", "v1.1.0"].map(|version| (version.parse().unwrap(), Counters::default()));
        let mut walk = Self {
            state: state.unwrap(),
            now,
            chain: vec![],
            result: EffectResult::Applied,
            served: vec!["v1.0.0", "v1.1.0"],
            reachable: true,
            newer: None,
            errors: None,
            counters: counters.into_iter().collect(),
        };
        walk.record(vec![]);
        walk
    }

    /// Writes an entry, as the driver does.
    fn record(&mut self, looks: Vec<Look>) {
        self.chain.push(Recorded {
            commit: format!("{:040x}", self.chain.len() + 1).parse().unwrap(),
            at: self.now,
            run: None,
            state: self.state.clone(),
            looks,
        });
    }

    pub(crate) fn passes(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now.after(Duration::from_secs(seconds));
        if let Some(errors) = self.errors {
            let share = u64::from(self.state.weight.applied.get());
            for (version, share, bad) in [("v1.0.0", 100 - share, errors[0]), ("v1.1.0", share, errors[1])] {
                let counters = self.counters.get_mut(&version.parse().unwrap()).unwrap();
                counters.requests += seconds * share;
                counters.errors = counters.requests * bad / 1_000;
            }
        }
        self.looks(vec![])
    }

    /// Minute by minute.
    pub(crate) fn minutes(&mut self, minutes: u64) -> &mut Self {
        for _ in 0..minutes {
            self.passes(60);
        }
        self
    }

    pub(crate) fn told(&mut self, command: Command) -> &mut Self {
        self.looks(vec![PersonCommand { command, by: by("bob") }])
    }

    /// Looks until nothing changes any more without time.
    pub(crate) fn looks(&mut self, commands: Vec<PersonCommand>) -> &mut Self {
        let mut commands = commands;
        for _ in 0..64 {
            let observation = self.observation(std::mem::take(&mut commands));
            let transition = step(&self.state, &observation);
            let is_new = transition.state != self.state;
            self.state = transition.state;
            if is_new {
                let look = self.evidence(&observation);
                self.record(vec![look]);
            }
            if !transition.changed {
                break;
            }
        }
        self
    }

    fn observation(&self, commands: Vec<PersonCommand>) -> Observation {
        let desired = self.state.weight.desired.get();
        let arm = |version: &&str| Arm {
            version: version.parse().unwrap(),
            digest: release(version).digest,
            ready: true,
            weight: Weight::percent(if *version == "v1.1.0" { desired } else { 100 - desired }).unwrap(),
            counters: Counters::default(),
        };
        let arms = self.served.iter().map(arm).collect();
        let outcomes = self.state.intended.iter().map(|intended| EffectOutcome {
            seq: intended.seq,
            result: match intended.effect {
                Effect::Publish | Effect::SetDeployment { .. } => EffectResult::Applied,
                _ => self.result.clone(),
            },
        });
        Observation {
            now: self.now,
            target: if self.reachable {
                Observed::Seen(TargetState { arms })
            } else {
                Observed::Unreachable("no route to host".to_owned())
            },
            smoke: None,
            counters: Some(Measured::Counters(self.counters.clone())),
            own: BTreeMap::new(),
            values: BTreeMap::new(),
            labelled: BTreeMap::new(),
            missed: vec![],
            newer: self.newer.clone(),
            commands,
            unlock: None,
            outcomes: outcomes.collect(),
        }
    }

    fn evidence(&self, observation: &Observation) -> Look {
        let arms = match &observation.target {
            Observed::Seen(target) => target.arms.clone(),
            Observed::Unreachable(_) => vec![],
        };
        let measured = self.state.judges.iter().filter(|(_, judge)| judge.measurement.is_some());
        let metrics = measured.map(|(name, judge)| MetricReading {
            name: name.clone(),
            phase: judge.phase,
            message: judge.message.clone(),
            measurement: judge.measurement.clone().unwrap_or_default(),
        });
        Look {
            at: self.now,
            rollout: self.state.id.clone(),
            unreachable: None,
            arms,
            smoke: None,
            metrics: metrics.collect(),
        }
    }

    pub(crate) fn explained(&self) -> Explanation {
        tagship_report::explain(&self.chain).unwrap()
    }

    /// Phases, causes and sentences, one a line.
    pub(crate) fn story(&self) -> String {
        let line = |one: &tagship_domain::explanation::Explained| {
            format!("{} {}: {}\n", one.after.phase, one.cause.name(), one.sentence)
        };
        self.explained().decisions.iter().map(line).collect()
    }
}
