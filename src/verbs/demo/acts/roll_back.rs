//! Act 5: going back on command, and staying there.

use tagship_domain::{
    Exit,
    decision::{Action, Decision, ReasonCode},
    rollout::Kind,
};
use tagship_runner::Failure;

use super::{
    super::{
        repository::pushed,
        stage::{Stage, broken, same},
    },
    BETTER, BETTER_PULL_REQUEST, FIRST,
};

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.verb("tagship rollback", &["rollback", "--time-budget", "60s"], Exit::Done).await?;
    stage.tell(&stage.journal().await?);
    stage.settled(FIRST, Kind::Rollback).await?;
    let before = stage.answers.get(FIRST).map(|answers| answers.labels.clone());
    let answers = stage.served(FIRST).await?;
    if before.as_ref() != Some(&answers.labels) {
        return Err(broken(format!("the answers that {FIRST} gave in act 1"), "other answers"));
    }
    stage.timeline.fact("every answer is the one from act 1");
    stage.comment(BETTER_PULL_REQUEST, &[FIRST, BETTER], &["The version that was left", "--retry"])?;
    stays(stage).await
}

/// The next push does not bring back what somebody went away from.
async fn stays(stage: &Stage) -> Result<(), Failure> {
    let commit = stage.repository.head().await?;
    let event = pushed(&stage.directory, &commit)?;
    let payload = event.payload.display().to_string();
    let arguments = ["decide", "--event-name", event.name, "--event-path", &payload];
    let decision: Decision = stage.document("tagship decide, on the next push to main", &arguments).await?;
    same("the action", &Action::Skip.to_string(), &decision.action.to_string())?;
    same("the reason", &ReasonCode::PreviouslyRolledBack.to_string(), &decision.reason_code.to_string())?;
    stage.timeline.fact(&format!("{}: {}", decision.action, decision.sentence));
    Ok(())
}
