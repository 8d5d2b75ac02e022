//! Act 3: a pull request whose metrics regress fails at the gate, with the numbers.

use tagship_domain::{Exit, rollout::Kind};
use tagship_runner::Failure;

use super::{
    super::{
        fixtures::{GoLive, WORSE},
        repository::opened,
        stage::Stage,
    },
    BETTER,
};

const NUMBER: u64 = 3;

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    let head = stage.propose("new-labels", &WORSE, GoLive::AllAtOnce, "Train on the new labels").await?;
    let event = opened(&stage.directory, NUMBER, &head)?;
    stage.run("tagship run, on the pull request", &event, Exit::Negative).await?;
    stage.comment(
        NUMBER,
        &["accuracy floor", "no f1 regression", "0.83", "0.7927"],
        &["no f1 regression"],
    )?;
    stage.repository.main().await?;
    stage.settled(BETTER, Kind::Deploy).await?;
    stage.served(BETTER).await.map(drop)
}
