//! Rollouts of which a write gets no answer, or whose run dies while it waits for one.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tagship_domain::rollout::{Phase, RolloutState};
use tagship_testkit::cluster::{Fault, actors::Rollouts};

use super::stage::Stage;
use crate::played::{Journey, Runs, canary, is_at};

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
