//! Act 2: a pull request is judged against what serves, and its merge deploys it.

use tagship_domain::{Exit, rollout::Kind};
use tagship_runner::Failure;

use super::{
    super::{
        fixtures::{BETTER as TRAINED, GoLive},
        repository::opened,
        stage::{Stage, broken},
    },
    BETTER, FIRST,
};

/// The pull request.
const NUMBER: u64 = 2;
/// Its branch.
const BRANCH: &str = "more-training-data";

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    let head = stage.propose(BRANCH, &TRAINED, GoLive::AllAtOnce, "Train on 219 rows instead of 20").await?;
    let event = opened(&stage.directory, NUMBER, &head)?;
    stage.run("tagship run, on the pull request: judged, not deployed", &event, Exit::Done).await?;
    stage.comment(NUMBER, &["accuracy", "0.92", "0.975", "f1", BETTER], &["accuracy"])?;
    stage.settled(FIRST, Kind::Deploy).await?;

    let event = stage.merge(NUMBER, BRANCH, &head).await?;
    stage.run("tagship run, on the push to main: released and rolled out", &event, Exit::Done).await?;
    stage.tell(&stage.journal().await?);
    stage.settled(BETTER, Kind::Deploy).await?;
    stage.comment(NUMBER, &[BETTER, "Succeeded", "100%"], &["traffic"])?;
    stage.served(BETTER).await?;
    compare(stage)
}

/// A row that tells the two versions apart.
fn compare(stage: &Stage) -> Result<(), Failure> {
    let (before, now) = (&stage.answers[FIRST], &stage.answers[BETTER]);
    let corrected = (0..stage.rows.ids.len()).find(|&row| {
        let truth = stage.rows.labels[row];
        before.labels[row] != truth && now.labels[row] == truth
    });
    let row = corrected.ok_or_else(|| broken("a row that only the new version gets right", "none"))?;
    stage.timeline.fact(&format!(
        "row {}: {FIRST} said {}, {BETTER} says {}, the truth is {}",
        stage.rows.ids[row], before.labels[row], now.labels[row], stage.rows.labels[row]
    ));
    Ok(())
}
