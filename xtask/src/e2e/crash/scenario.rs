//! What is played: how a rollout goes, run by run.

/// What shares the traffic.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Router {
    /// `tagship-serve`, by its control interface.
    Serve,
    /// nginx, by the sample hook.
    Nginx,
}

/// A rollout from its beginning to its end.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) router: Router,
    /// Settings of the environment that say how.
    pub(super) strategy: &'static str,
    /// Fixture models that are released before it begins; the first one serves already.
    pub(super) released: &'static [&'static str],
    /// Runs that bring what else serves or travels before anybody is killed.
    pub(super) before: &'static [Run],
    /// The runs of which one is killed. After them runs go on until nothing is left to do.
    pub(super) runs: &'static [Run],
    /// Whether the first of them is about a merge of a model that is not released yet, so that it makes its release, too.
    pub(super) merges: Option<&'static str>,
    /// The version that has all traffic in the end.
    pub(super) serves: &'static str,
}

/// One run of the program.
pub(super) struct Run {
    pub(super) words: &'static [&'static str],
    /// Whether the time that a share is held for has passed since the run before.
    pub(super) later: bool,
}

impl Run {
    const fn now(words: &'static [&'static str]) -> Self {
        Self { words, later: false }
    }

    const fn later(words: &'static [&'static str]) -> Self {
        Self { words, later: true }
    }
}

/// Seconds that pass where a run comes later: more than any share is held for.
pub(super) const LATER: i64 = 700;

/// One scheduled run.
pub(super) const TICK: &[&str] = &["rollout", "--all", "--once"];
/// A run about the merge of what is checked out; the stage adds the event.
pub(super) const MERGE: &[&str] = &["run", "--event-name", "push", "--event-path"];

const CANARY: &str = "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 10m }, { set-weight: 50 }, { pause: 10m } ] } }";
const BLUE_GREEN: &str = "strategy: { blue-green: { preview: 20s, auto-promote: true } }\n\
                          hold-back: 5%\nbake: 20s";
const SHADOW: &str = "strategy: { shadow: { mirror: 100, for: 10m } }\n\
     analysis: { interval: 60s, metrics: [ { name: disagreement, kind: disagreement, bound: { max: 20% } } ] }";
const SUPERSEDES: &str = "on-newer: supersede\n\
     strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 10m } ] } }";
const BEGIN_V2: Run = Run::now(&["rollout", "--once", "--version", "v0.2.0"]);
const BEGIN_V3: Run = Run::now(&["rollout", "--once", "--version", "v0.3.0"]);
const LATER_TICK: Run = Run::later(TICK);

/// Everything that is played.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "merge",
        router: Router::Serve,
        strategy: "strategy: all-at-once",
        released: &["v1"],
        before: &[],
        runs: &[Run::now(MERGE)],
        merges: Some("v2"),
        serves: "v0.2.0",
    },
    Scenario {
        name: "canary",
        router: Router::Serve,
        strategy: CANARY,
        released: &["v1", "v2"],
        before: &[],
        runs: &[BEGIN_V2, LATER_TICK, LATER_TICK],
        merges: None,
        serves: "v0.2.0",
    },
    Scenario {
        name: "blue-green",
        router: Router::Serve,
        strategy: BLUE_GREEN,
        released: &["v1", "v2"],
        before: &[],
        // One run that waits for everything itself.
        runs: &[Run::now(&["rollout", "--version", "v0.2.0"])],
        merges: None,
        serves: "v0.2.0",
    },
    Scenario {
        name: "shadow",
        router: Router::Serve,
        strategy: SHADOW,
        released: &["v1", "v2"],
        before: &[],
        runs: &[BEGIN_V2, LATER_TICK],
        merges: None,
        serves: "v0.2.0",
    },
    Scenario {
        name: "abort",
        router: Router::Serve,
        strategy: CANARY,
        released: &["v1", "v2"],
        before: &[BEGIN_V2],
        runs: &[Run::now(&["rollout", "--abort"])],
        merges: None,
        serves: "v0.1.0",
    },
    Scenario {
        name: "rollback",
        router: Router::Serve,
        strategy: "strategy: all-at-once",
        released: &["v1", "v2"],
        before: &[BEGIN_V2],
        runs: &[Run::now(&["rollback", "--to", "v0.1.0"])],
        merges: None,
        serves: "v0.1.0",
    },
    Scenario {
        name: "supersede",
        router: Router::Serve,
        strategy: SUPERSEDES,
        released: &["v1", "v2", "v3"],
        before: &[BEGIN_V2],
        runs: &[BEGIN_V3, LATER_TICK],
        merges: None,
        serves: "v0.3.0",
    },
    Scenario {
        name: "nginx canary",
        router: Router::Nginx,
        strategy: CANARY,
        released: &["v1", "v2"],
        before: &[],
        runs: &[BEGIN_V2, LATER_TICK, LATER_TICK],
        merges: None,
        serves: "v0.2.0",
    },
    Scenario {
        name: "nginx rollback",
        router: Router::Nginx,
        strategy: "strategy: all-at-once",
        released: &["v1", "v2"],
        before: &[BEGIN_V2],
        runs: &[Run::now(&["rollback", "--to", "v0.1.0"])],
        merges: None,
        serves: "v0.1.0",
    },
];
