//! Act 7: going back on command, and staying there.

use tagship_domain::{
    Exit,
    decision::{Action, Decision, ReasonCode},
    rollout::Kind,
};
use tagship_runner::Failure;

use super::{
    super::{
        fixtures::{BEST as TRAINED, GoLive},
        repository::pushed,
        stage::{Stage, broken, same},
    },
    BEST, BEST_PULL_REQUEST, BETTER,
};

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.verb("tagship rollback", &["rollback", "--time-budget", "60s"], Exit::Done).await?;
    stage.tell(&stage.journal().await?);
    stage.settled(BETTER, Kind::Rollback).await?;
    let before = stage.answers.get(BETTER).map(|answers| answers.labels.clone());
    let answers = stage.served(BETTER).await?;
    if before.as_ref() != Some(&answers.labels) {
        return Err(broken(format!("the answers that {BETTER} gave in act 2"), "other answers"));
    }
    stage.timeline.fact("every answer is the one from act 2");
    stage.comment(BEST_PULL_REQUEST, &[BETTER, BEST], &["The version that was left", "--retry"])?;
    stays(stage).await
}

/// The next push does not bring back what somebody went away from: main gets the model of act 5 again, by a revert of
/// what act 6 brought.
async fn stays(stage: &Stage) -> Result<(), Failure> {
    stage.lay_out(&TRAINED, GoLive::Canary)?;
    let commit = stage.repository.commit("Revert \"Train on everything we have\"").await?;
    let event = pushed(&stage.directory, &commit)?;
    let payload = event.payload.display().to_string();
    let arguments = ["decide", "--event-name", event.name, "--event-path", &payload];
    let decision: Decision =
        stage.document("tagship decide, on a push to main that reverts #6", &arguments).await?;
    same("the action", &Action::Skip.to_string(), &decision.action.to_string())?;
    same("the reason", &ReasonCode::PreviouslyRolledBack.to_string(), &decision.reason_code.to_string())?;
    stage.timeline.fact(&format!("{}: {}", decision.action, decision.sentence));
    Ok(())
}
