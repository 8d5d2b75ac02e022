//! Rollouts of which a write gets no answer, or whose run dies while it waits for one.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tagship_domain::rollout::{Phase, RolloutState};
use tagship_ports::target::Done;
use tagship_testkit::cluster::{Fault, actors::Rollouts};

use super::stage::Stage;
use crate::played::{Journey, Orders as _, Runs, canary, is_at};

fn is_write(request: &str) -> bool {
    request.starts_with("PATCH") && request.contains("/namespaces/ml/")
}

#[tokio::test]
async fn a_run_may_die_at_every_write_and_the_next_one_comes_to_the_same_end() {
    for (breaks, phase, version) in [(false, Phase::Succeeded, 2), (true, Phase::RolledBack, 1)] {
        for fault in [Fault::Silence, Fault::CutAfter] {
            for spared in 0.. {
                let journey = Journey::new(Stage::new(Rollouts::slow(1))).await;
                let cluster = &journey.stage.cluster;
                let writes = || cluster.requests().iter().filter(|request| is_write(request)).count();
                cluster.forget_requests();
                cluster.fail_after("PATCH", "/namespaces/ml/", spared, fault.clone());
                let is_dead = AtomicBool::new(fault != Fault::Silence);
                let dies = |_: &Stage| writes() > spared && !is_dead.swap(true, Ordering::Relaxed);
                let runs = Runs { dies: &dies, ..Runs::default() };
                let happens = |stage: &Stage, state: &RolloutState| {
                    if breaks && is_at(state, 25) {
                        stage.cluster.serve("churn-canary", 503, json!({ "error": "no pod" }));
                    }
                };
                let end = journey.lead_by(&runs, 2, canary(), happens).await;
                let (at, stage) = (format!("at write {spared}, {fault:?}: {}", end.message), &journey.stage);
                assert_eq!(end.phase, phase, "{at}");
                assert_eq!(stage.written().0, version, "{at}");
                assert_eq!(stage.shares().await, [(version, 100, true)], "{at}");
                if spared >= writes() {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn what_makes_the_first_version_may_fail_at_every_write_and_is_made_by_the_next_order() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for spared in 0.. {
            let stage = Stage::new(Rollouts::slow(1));
            let makes =
                |request: &&String| request.starts_with("POST") && request.contains("/namespaces/ml/");
            stage.cluster.fail_after("POST", "/namespaces/ml/", spared, fault.clone());
            let mut failed = 0;
            let mut loaded = false;
            for _ in 0..60 {
                match stage.prepare(1, 1).await {
                    Ok(Done::AlreadyThere) => loaded = true,
                    Ok(_) => {}
                    Err(_) => failed += 1,
                }
                if loaded {
                    break;
                }
                stage.steps(1);
            }
            let at = format!("at write {spared}, {fault:?}, after {failed} failures");
            assert!(loaded && failed <= 1, "{at}");
            assert_eq!(stage.shares().await, [(1, 0, true)], "{at}");
            stage.until(|| stage.weight(2, 1, 100)).await;
            assert_eq!(stage.shares().await, [(1, 100, true)], "{at}");
            if spared >= stage.cluster.requests().iter().filter(makes).count() {
                assert!(spared > 3, "a rehearsal, two Services and a Rollout: {spared}");
                break;
            }
        }
    }
}
