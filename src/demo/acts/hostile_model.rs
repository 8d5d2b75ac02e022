//! Act 4: a pickle that would run a command is rejected by reading it, never by loading it.

use tagship_domain::{Exit, rollout::Kind, schema, validation::ValidationReport};
use tagship_runner::Failure;

use super::{
    super::{
        fixtures::{HOSTILE_OUTPUT, HOSTILE_PICKLE, MODEL_FILE, PICKLE_FILE},
        repository::{CLONE, opened},
        stage::{Stage, broken},
    },
    BETTER,
};

const NUMBER: u64 = 4;
/// The rule that must reject it, and what it must be about.
const RULE: &str = "PKL101";
const TARGET: &str = "posix.system";

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.repository.branch("faster-format").await?;
    stage.directory.remove(&format!("{CLONE}/{MODEL_FILE}"))?;
    stage.directory.write(&format!("{CLONE}/{PICKLE_FILE}"), HOSTILE_PICKLE)?;
    let head = stage.repository.commit("Ship the model as a pickle").await?;
    let event = opened(&stage.directory, NUMBER, &head)?;
    let ran = stage.run("tagship run, on the pull request", &event, Exit::Negative).await?;
    // The report shows the command; only a shell prints its words as a line of their own.
    if [&ran.out, &ran.err].iter().any(|text| text.lines().any(|line| line.trim() == HOSTILE_OUTPUT)) {
        return Err(broken("a file that is never loaded", "the output of its command"));
    }
    stage.comment(NUMBER, &[RULE, TARGET], &["Nothing was released", TARGET])?;
    name_rule(stage).await?;
    stage.repository.main().await?;
    stage.settled(BETTER, Kind::Deploy).await?;
    stage.served(BETTER).await.map(drop)
}

/// The same by hand, as somebody would before the pull request.
async fn name_rule(stage: &Stage) -> Result<(), Failure> {
    let ran = stage.quietly(&["validate", PICKLE_FILE, "--format", "json"], Exit::Negative).await?;
    let report: ValidationReport =
        schema::from_json(&ran.out).map_err(|error| broken("a validation report", error))?;
    let mut findings = report.artifacts.iter().flat_map(|artifact| &artifact.findings);
    let finding = findings.find(|finding| finding.rule == RULE && finding.target.as_deref() == Some(TARGET));
    let finding = finding.ok_or_else(|| broken(format!("a finding {RULE} about {TARGET}"), ran.told()))?;
    stage.timeline.refusal("tagship validate, by hand: exit code 1", ran.took);
    let at = finding.offset.map_or_else(String::new, |offset| format!(", at byte {offset}"));
    stage.timeline.fact(&format!("{} about {TARGET}{at}", finding.rule));
    Ok(())
}
