//! Act 5: a canary earns its traffic step by step, and goes on where it was when its runner dies.

use std::time::{Duration, Instant};

use tagship_domain::{
    Exit,
    rollout::{Kind, Phase, RolloutState},
};
use tagship_runner::Failure;
use tokio::time::sleep;

use super::{
    super::{
        child::Running,
        fixtures::{BEST as TRAINED, GoLive},
        following::Follower,
        repository::opened,
        stage::{Stage, TIME_BUDGET, broken},
        traffic::Traffic,
    },
    BEST, BEST_PULL_REQUEST as NUMBER, BETTER,
};

/// The pull request's branch.
const BRANCH: &str = "neural-network";
/// The first share that the canary gets, in percent.
const FIRST_SHARE: u8 = 10;
/// How long the first runner leads the rollout at this share, and how long nobody does then.
const ALONE: Duration = Duration::from_millis(700);
/// The longest that both versions may take to answer a request.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn play(stage: &mut Stage) -> Result<(), Failure> {
    let head = stage.propose(BRANCH, &TRAINED, GoLive::Canary, "Train a small neural network").await?;
    let event = opened(&stage.directory, NUMBER, &head)?;
    stage.run("tagship run, on the pull request: judged, not deployed", &event, Exit::Done).await?;
    let event = stage.merge(NUMBER, BRANCH, &head).await?;

    let traffic = stage.live_traffic();
    let arguments = event.run();
    let led = lead(stage, &arguments.each_ref().map(String::as_str), &traffic).await;
    // Where requests failed, that is why the rollout did not go well.
    let served = traffic.stop().await?;
    led?;
    stage.tell_served(&served, [BETTER, BEST])?;
    stage.settled(BEST, Kind::Deploy).await?;
    stage.comment(
        NUMBER,
        &[BEST, "Succeeded", "10%", "50%", "100%", "labelled answers right"],
        &["traffic"],
    )?;
    stage.served(BEST).await.map(drop)
}

/// The rollout, by two runners of which the first does not live to see the end.
async fn lead(stage: &Stage, run: &[&str], traffic: &Traffic) -> Result<(), Failure> {
    let mut follower = Follower::from_now(stage).await?;
    let at_first_share =
        |state: &RolloutState| state.phase == Phase::Progressing && state.weight.applied.get() == FIRST_SHARE;
    let told = "tagship run, on the push to main";
    let running = follower.verb_until(told, run, at_first_share).await?;
    die(stage, running, traffic).await?;
    let arguments = ["rollout", "--wait", "--time-budget", TIME_BUDGET];
    follower.verb("tagship rollout --wait, by another runner", &arguments, Exit::Done).await.map(drop)
}

/// `kill -9`: the rollout stands still, traffic does not.
async fn die(stage: &Stage, running: Running, traffic: &Traffic) -> Result<(), Failure> {
    sleep(ALONE).await;
    let ran = running.kill().await?;
    if let Some(code) = ran.code {
        return Err(broken("a killed runner", format!("one that ended by itself, exit code {code}")));
    }
    stage.timeline.refusal("kill -9: this runner is gone, in the middle of a step", ran.took);
    let (stable, candidate) = answered_meanwhile(traffic).await?;
    stage.timeline.fact(&format!(
        "nobody leads the rollout, and the server keeps to what it was told last: {BETTER} answered {stable} \
         requests, {BEST} {candidate}"
    ));
    Ok(())
}

/// How many requests the two versions answer from now on, until both have.
async fn answered_meanwhile(traffic: &Traffic) -> Result<(u64, u64), Failure> {
    let answered = || [BETTER, BEST].map(|version| traffic.answered(version));
    let [stable, candidate] = answered();
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        sleep(ALONE).await;
        let [stable_now, candidate_now] = answered();
        if stable_now > stable && candidate_now > candidate {
            return Ok((stable_now - stable, candidate_now - candidate));
        }
    }
    Err(broken("answers by both versions while nobody leads", format!("none by {BETTER} or by {BEST}")))
}
