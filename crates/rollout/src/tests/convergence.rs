//! A run that dies anywhere changes nothing about the end.

use tagship_ports::fake::Faults;

use super::stage::{End, Stage, StopAt, Story};
use crate::{Boundary, Never, RolloutError};

/// The end of a story that nothing disturbs, and every boundary on its way.
async fn undisturbed(story: Story) -> (End, Vec<Boundary>) {
    let stage = story.stage().await;
    let stops = StopAt::never();
    story.play(&stage, &stops).await.unwrap();
    (stage.end().await, stops.seen())
}

/// Plays with a kill at each of these boundaries, one per run, then without.
async fn killed(story: Story, kills: &[usize]) -> Stage {
    let stage = story.stage().await;
    for kill in kills {
        match story.play(&stage, &StopAt::index(*kill)).await {
            Err(RolloutError::Interrupted { .. }) => {}
            Ok(_) => return stage,
            Err(error) => panic!("{story:?}, killed at {kill}: {error}"),
        }
        stage.clock.advance(tagship_domain::Duration::from_secs(1));
    }
    story.play(&stage, &Never).await.unwrap();
    stage
}

#[tokio::test]
async fn a_kill_at_every_boundary_changes_nothing() {
    for story in Story::ALL {
        let (end, boundaries) = undisturbed(story).await;
        assert!(boundaries.len() > 20, "{story:?}: {boundaries:?}");
        for (index, boundary) in boundaries.iter().enumerate() {
            let stage = killed(story, &[index]).await;
            let after = stage.end().await;
            assert_eq!(after.clone().lasting(), end.clone().lasting(), "{story:?}, killed {boundary}");
            assert!(
                story.takes_time() || after.journal <= end.journal,
                "{story:?}, killed {boundary}: no entry is written twice"
            );
        }
    }
}

#[tokio::test]
async fn a_second_kill_changes_nothing_either() {
    for story in [Story::Deploys, Story::IsRefusedByTheTarget] {
        let (end, boundaries) = undisturbed(story).await;
        for first in 0..boundaries.len() {
            for second in 0..8 {
                let stage = killed(story, &[first, second]).await;
                assert_eq!(stage.end().await, end, "{story:?}, killed at {first}, then at {second}");
            }
        }
    }
}

/// Calls that leave a trace, with the fake that they belong to.
fn calls(stage: &Stage) -> [(&Faults, &'static str); 12] {
    let target = &stage.target.faults;
    [
        (&stage.journals.faults, "append"),
        (&stage.journals.faults, "history"),
        (&stage.releases.faults, "fetch"),
        (target, "observe"),
        (target, "prepare"),
        (target, "set_weight"),
        (target, "promote"),
        (target, "rollback"),
        (target, "cleanup"),
        (&stage.registry.faults, "assign"),
        (&stage.forge.faults, "deployment"),
        (&stage.publisher.faults, "publish"),
    ]
}

#[tokio::test]
async fn a_lost_answer_changes_nothing() {
    for story in [Story::Deploys, Story::RollsBack, Story::FailsItsGoldenCases] {
        let (end, _) = undisturbed(story).await;
        for at in 0..12 {
            let stage = story.stage().await;
            let (faults, call) = calls(&stage)[at];
            faults.lose_answer(call);
            while let Err(error) = story.play(&stage, &Never).await {
                assert!(matches!(error, RolloutError::Store(_)), "{story:?}, {call}: {error}");
            }
            let after = stage.end().await;
            assert_eq!(after.lasting(), end.clone().lasting(), "{story:?}, answer of {call} lost");
        }
    }
}
