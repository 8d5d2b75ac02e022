//! Rollouts of which a write gets no answer, or whose run dies while it waits for one.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tagship_domain::rollout::{Phase, RolloutState};
use tagship_ports::target::Done;
use tagship_testkit::cluster::{
    Fault,
    actors::{InferenceServices, StandardServices},
};

use super::{
    stage::{SERVICE, Stage, digest},
    standard::{pods, serving, stage, written},
};
use crate::played::{Journey, Orders as _, Runs, canary, is_at};

fn is_write(request: &str) -> bool {
    request.starts_with("PATCH") || request.starts_with("POST") && request.contains("/namespaces/ml/")
}

/// Leads a rollout of version 2 whose write number `spared` meets a fault; at silence, its run dies. Answers the end and how many
/// writes there were.
async fn lead_dying(
    journey: &Journey<Stage>,
    spared: usize,
    fault: Fault,
    happens: impl Fn(&Stage, &RolloutState),
) -> (RolloutState, usize) {
    let cluster = &journey.stage.cluster;
    let writes = || cluster.requests().iter().filter(|request| is_write(request)).count();
    cluster.forget_requests();
    let is_dead = AtomicBool::new(fault != Fault::Silence);
    cluster.fail_after("PATCH", "/namespaces/ml/", spared, fault);
    let dies = |_: &Stage| writes() > spared && !is_dead.swap(true, Ordering::Relaxed);
    let runs = Runs { dies: &dies, ..Runs::default() };
    let end = journey.lead_by(&runs, 2, canary(), happens).await;
    (end, writes())
}

#[tokio::test]
async fn in_knative_mode_a_run_may_die_at_every_write_and_the_next_one_comes_to_the_same_end() {
    for (breaks, phase, version) in [(false, Phase::Succeeded, 2), (true, Phase::RolledBack, 1)] {
        for fault in [Fault::Silence, Fault::CutAfter] {
            for spared in 0.. {
                let bad = digest(2);
                let slow = InferenceServices::slow(1);
                let controller = if breaks { InferenceServices::breaking(bad.hex(), 4) } else { slow };
                let journey = Journey::new(Stage::new(controller)).await;
                let (end, writes) = lead_dying(&journey, spared, fault.clone(), |_, _| {}).await;
                let (at, stage) = (format!("at write {spared}, {fault:?}: {}", end.message), &journey.stage);
                assert_eq!(end.phase, phase, "{at}");
                assert_eq!(stage.written(), (version, Value::Null), "{at}");
                assert_eq!(stage.shares().await, [(u64::from(version), 100, true)], "{at}");
                if spared >= writes {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn in_standard_mode_any_write_may_get_no_answer_and_any_run_may_die_at_it() {
    for (breaks, phase, version) in [(false, Phase::Succeeded, 2), (true, Phase::RolledBack, 1)] {
        for fault in [Fault::CutBefore, Fault::CutAfter, Fault::Silence] {
            for spared in 0.. {
                let journey = Journey::new(stage(StandardServices::splitting(1))).await;
                let happens = |stage: &Stage, state: &RolloutState| {
                    if breaks && is_at(state, 25) {
                        stage.cluster.serve(&pods(2), 503, json!({ "error": "no pod" }));
                    }
                };
                let (end, writes) = lead_dying(&journey, spared, fault.clone(), happens).await;
                let (at, stage) = (format!("at write {spared}, {fault:?}: {}", end.message), &journey.stage);
                assert_eq!(end.phase, phase, "{at}");
                assert_eq!((written(stage), stage.written().0), (vec![], version), "{at}");
                assert_eq!(stage.shares().await, [(u64::from(version), 100, true)], "{at}");
                if spared >= writes {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn who_unloads_while_the_status_is_written_does_it_at_the_next_round() {
    for (promoted, unloaded, kept) in [(2, 1, 2), (1, 2, 1)] {
        let stage = serving(StandardServices::splitting(0)).await;
        stage.until(|| stage.prepare(3, 2)).await;
        stage.until(|| stage.promote(4, promoted)).await;
        stage.cluster.forget_requests();
        // The notebook's write is slow, and the InferenceService is another one when its turn comes.
        stage.cluster.fail_after("PATCH", "configmaps/churn-tagship", 0, Fault::Slow(30));
        let order = stage.cleanup(5, unloaded);
        let other = async {
            let is_slow = |request: &String| request.starts_with("PATCH") && request.contains("configmaps");
            while !stage.cluster.requests().iter().any(is_slow) {
                tokio::task::yield_now().await;
            }
            let target = format!("{SERVICE}/status?fieldManager=kserve");
            let told = json!({ "status": { "url": "http://churn.example.org" } });
            let done = stage.cluster.act("PATCH", &target, "application/merge-patch+json", &told);
            stage.cluster.advance(60);
            done.0
        };
        assert_eq!(tokio::join!(order, other), (Ok(Done::Applied), 200));
        let writes = stage.cluster.requests();
        let real = |request: &&String| {
            request.starts_with("PATCH") && request.contains(SERVICE) && !request.contains("dryRun")
        };
        assert_eq!(writes.iter().filter(real).count(), 2, "the first one came too late: {writes:?}");
        assert_eq!((written(&stage), u64::from(stage.written().0)), (vec![], kept));
        stage.steps(2);
        assert_eq!(stage.shares().await, [(kept, 100, true)]);
        assert_eq!(stage.cleanup(6, unloaded).await, Ok(Done::AlreadyThere));
    }
}
