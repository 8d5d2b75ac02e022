//! Whoever leads a rollout on is killed before and after every act.

use super::{
    campaign::{Played, Trial, play},
    points::{Deed, points},
    scenario::Router,
};

/// A kill at every point. With nginx only what the target is asked differs from the same rollout with `serve`, so that
/// kills around pushes are left to that one.
pub(super) fn trials(played: &Played<'_>) -> Vec<Trial> {
    let acts = &played.acts;
    let counts = |point: &usize| {
        played.scenario.router == Router::Serve
            || acts.get(point / 2).is_some_and(|act| act.starts_with("hook"))
    };
    points(acts).into_iter().filter(counts).map(|point| killed(acts, point)).collect()
}

fn killed(acts: &[String], point: usize) -> Trial {
    let play = move |stage: &super::stage::Stage<'_>, scenario: &super::scenario::Scenario| {
        stage.switch.arm(point, &Deed::Kill)?;
        play(stage, scenario)
    };
    Trial { what: format!("killed {}", place(acts, point)), play: Box::new(play) }
}

/// A point in words.
pub(super) fn place(acts: &[String], point: usize) -> String {
    let side = if point.is_multiple_of(2) { "before" } else { "after" };
    format!("{side} act {}, {}", point / 2, acts.get(point / 2).map_or("", String::as_str))
}
