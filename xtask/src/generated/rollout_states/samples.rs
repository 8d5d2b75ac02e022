//! Rollouts to begin with: every strategy, every answer to a bad metric, a freeze, a rollback.

use anyhow::{Context, Result};
use tagship_config::Config;
use tagship_domain::{
    Digest, Duration, Provenance, Release, Timestamp,
    golden::Tolerance,
    plan::{RolloutPlan, Smoke},
    rollout::Kind,
};
use tagship_rollout::{StartRequest, start};

use super::ask::Standing;

/// What stands below an environment, beside its target.
const PLANS: &[&str] = &[
    "progress-deadline: 10m",
    "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} }, { set-weight: 50 }, { pause: 1m } ] } }, analysis: \
     { interval: 1m, max-wait: 2m, metrics: [ { name: errors, kind: error-ratio } ] }, on-newer: supersede",
    "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 1m } ] } }, analysis: { interval: 1m, max-wait: 2m, \
     metrics: [ { name: errors, kind: error-ratio } ] }, on-failure: freeze, hold-back: 5%, bake: 1m",
    "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 1m } ] } }, analysis: { interval: 1m, max-wait: 2m, \
     metrics: [ { name: errors, kind: error-ratio } ] }, on-failure: propose",
    "strategy: { blue-green: { preview: 1m, auto-promote: false } }",
    "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 1m } ] } }, freeze: [ \"Tue 10:00 - Tue 12:02 UTC\" ]",
    "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 1m } ] } }, freeze: [ \"Tue 12:05 - Tue 12:20 UTC\" ]",
];

/// A Tuesday.
const NOON: &str = "2026-11-24T12:00:00Z";

pub(super) fn release(text: &str) -> Result<Release> {
    let version: tagship_domain::Version = text.parse().context("read a version")?;
    let byte = u8::try_from(version.to_string().len() + text.bytes().map(usize::from).sum::<usize>() % 200)?;
    Ok(Release {
        model: "churn".parse().context("read a name")?,
        version,
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte.wrapping_add(1); 32]),
        commit: "0123456789abcdef0123456789abcdef01234567".parse().context("read a commit")?,
    })
}

pub(super) fn person(name: &str) -> Provenance {
    Provenance { actor: name.to_owned(), run: None }
}

/// A rollout of v1.1.0 over v1.0.0 for every plan, and a rollback.
pub(super) fn beginnings() -> Result<Vec<Standing>> {
    let mut begun = vec![];
    for keys in PLANS {
        begun.push(begin(Kind::Deploy, &plan(keys)?, None)?);
    }
    let simple = plan(PLANS.first().context("there is a plan")?)?;
    begun.push(begin(Kind::Rollback, &simple, None)?);
    begun.push(begin(Kind::Rollback, &simple, Some("accuracy fell"))?);
    Ok(begun)
}

fn plan(keys: &str) -> Result<RolloutPlan> {
    let text = format!(
        "version: 1\nmodels: {{ churn: {{ artifact: m, environments: {{ production: {{ target: local, {keys} }} }} }} }}\n"
    );
    let config = Config::parse("tagship.yml", &text)?;
    let model = config.models.into_values().next().context("there is a model")?;
    let environment = model.environments.into_values().next().context("there is an environment")?;
    let tolerance = Tolerance { absolute: 1e-6, relative: 0.0 };
    Ok(environment.plan(Smoke::GoldenCases { count: 1, tolerance, max_latency: None }))
}

fn begin(kind: Kind, plan: &RolloutPlan, fired: Option<&str>) -> Result<Standing> {
    let now: Timestamp = NOON.parse().context("read a time")?;
    let state = start(&StartRequest {
        kind,
        environment: &"production".parse().context("read a name")?,
        candidate: &release("v1.1.0")?,
        stable: Some(&release("v1.0.0")?),
        plan,
        previous: None,
        now,
        by: &person("alice"),
        fired,
    })?;
    Ok(Standing { state, now: now.after(Duration::from_secs(1)), newer: release("v1.2.0")? })
}
