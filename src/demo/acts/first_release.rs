//! Act 1: a push to main becomes a release that serves. Every link of the chain runs as a step of its own, and each
//! takes over from the one before through the job's directory.

use std::time::Instant;

use serde_json::Value;
use tagship_domain::{
    Exit,
    decision::{Action, Decision, ReasonCode},
    gate::{GateReport, MetricDiff},
    rollout::{Kind, RolloutState},
    validation::ValidationReport,
};
use tagship_report::sentence;
use tagship_runner::Failure;

use super::{
    super::{
        fixtures::{FIRST as TRAINED, GoLive, IGNORED, MODEL},
        repository::{CLONE, pushed},
        stage::{Stage, broken, same},
    },
    FIRST,
};

/// The metrics that the demo's rules are about.
const JUDGED: [&str; 2] = ["accuracy", "f1"];

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    let commit = push(stage).await?;
    decide(stage, &commit).await?;
    judge(stage).await?;
    deploy(stage).await?;
    stage.settled(FIRST, Kind::Deploy).await?;
    let answers = stage.served(FIRST).await?;
    let (said, truth) = (answers.labels[0], stage.rows.labels[0]);
    let row = stage.rows.tell(0);
    stage.timeline.fact(&format!(
        "{row}: label {said} with probability {:.3}, the truth is {truth}",
        answers.probabilities[0]
    ));
    Ok(())
}

async fn push(stage: &Stage) -> Result<String, Failure> {
    let started = Instant::now();
    let directory = &stage.directory;
    directory.write(&format!("{CLONE}/.gitignore"), IGNORED.as_bytes())?;
    stage.lay_out(&TRAINED, GoLive::AllAtOnce)?;
    let commit = stage.repository.commit("Add the churn model").await?;
    stage.timeline.step("git push", started.elapsed());
    Ok(commit)
}

async fn decide(stage: &Stage, commit: &str) -> Result<(), Failure> {
    let event = pushed(&stage.directory, commit)?;
    let payload = event.payload.display().to_string();
    let arguments = ["decide", "--event-name", event.name, "--event-path", &payload];
    let decision: Decision = stage.document("tagship decide", &arguments).await?;
    same("the action", &Action::Deploy.to_string(), &decision.action.to_string())?;
    same("the reason", &ReasonCode::FirstDeployment.to_string(), &decision.reason_code.to_string())?;
    stage.timeline.fact(&format!("{}: {}", decision.action, decision.sentence));
    Ok(())
}

async fn judge(stage: &Stage) -> Result<(), Failure> {
    let validation: ValidationReport = stage.document("tagship validate", &["validate"]).await?;
    for artifact in &validation.artifacts {
        let digest = artifact.sha256.as_ref().map_or("no digest", |digest| digest.short());
        let cases = artifact.golden.as_ref().map_or(0, |golden| golden.cases.len());
        let told = format!("{} bytes, sha256 {digest}, {cases} golden cases answered right", artifact.size);
        stage.timeline.fact(&told);
    }
    let gate: GateReport = stage.document("tagship gate", &["gate"]).await?;
    let value = |metric: &MetricDiff| Some(format!("{} {}", metric.name, metric.candidate?));
    let judged = |metric: &&MetricDiff| JUDGED.contains(&metric.name.as_str());
    let metrics: Vec<String> = gate.metrics.iter().filter(judged).filter_map(value).collect();
    stage.timeline.fact(&format!("{}: {}", sentence::gate_count(&gate), metrics.join(", ")));
    Ok(())
}

async fn deploy(stage: &Stage) -> Result<(), Failure> {
    let ran = stage.verb("tagship release", &["release", "--format", "json"], Exit::Done).await?;
    let made: Value = serde_json::from_str(&ran.out).map_err(|error| broken("JSON", error))?;
    let version = made["release"]["version"].as_str().unwrap_or("no version");
    same("the version", &FIRST, &version)?;
    stage.timeline.fact(&format!("{MODEL}@{version}: {}", made["because"].as_str().unwrap_or_default()));
    let state: RolloutState = stage.document("tagship rollout", &["rollout", "--time-budget", "60s"]).await?;
    same("the rolled out release", &format!("{MODEL}@{FIRST}"), &state.candidate.to_string())?;
    stage.tell(&state);
    Ok(())
}
