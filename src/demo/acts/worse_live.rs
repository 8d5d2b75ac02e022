//! Act 6: a model that the gate had no reason to refuse is worse on live rows, and its canary goes back by itself.

use tagship_domain::{
    Exit,
    rollout::{Phase, Reason},
};
use tagship_runner::Failure;

use super::{
    super::{
        fixtures::{DECEPTIVE as TRAINED, GoLive},
        following::Follower,
        repository::opened,
        stage::{Stage, same},
    },
    BEST, DECEPTIVE,
};

/// The pull request.
const NUMBER: u64 = 6;
/// Its branch.
const BRANCH: &str = "all-the-data";
/// The metric that must find it.
const METRIC: &str = "accuracy";

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    let head = stage.propose(BRANCH, &TRAINED, GoLive::Canary, "Train on everything we have").await?;
    let event = opened(&stage.directory, NUMBER, &head)?;
    stage.run("tagship run, on the pull request: it passes the gate", &event, Exit::Done).await?;
    stage.comment(NUMBER, &[METRIC, "0.99", "0.985", DECEPTIVE], &[METRIC])?;
    let event = stage.merge(NUMBER, BRANCH, &head).await?;

    let traffic = stage.live_traffic();
    let arguments = event.run();
    let mut follower = Follower::from_now(stage).await?;
    let told = "tagship run, on the push to main";
    let ran = follower.verb(told, &arguments.each_ref().map(String::as_str), Exit::Negative).await;
    let served = traffic.stop().await?;
    ran?;
    stage.tell_served(&served, [BEST, DECEPTIVE])?;
    went_back(stage).await?;
    let why =
        [DECEPTIVE, BEST, METRIC, "was rolled back", "labelled answers right", "evidence of a regression"];
    stage.comment(NUMBER, &why, &["evidence"])?;
    stage.served(BEST).await.map(drop)
}

/// Registry, journal and server agree that the version before is in place again.
async fn went_back(stage: &Stage) -> Result<(), Failure> {
    let journal = stage.journal().await?;
    same("the journal's tip to be in phase", &Phase::RolledBack.to_string(), &journal.phase.to_string())?;
    same("because of", &Reason::AnalysisFailed.to_string(), &journal.reason.to_string())?;
    same("the journal to be about", &DECEPTIVE.to_owned(), &journal.candidate.version.to_string())?;
    stage.held(BEST).await
}
