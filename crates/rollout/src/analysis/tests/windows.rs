//! From counters to windows.

use std::collections::BTreeMap;

use tagship_domain::{
    Version,
    analysis::{Analysis, Metric, MetricKind, Seen, Share, Window},
    evidence::Pairs,
    rollout::Snapshot,
    traffic::{Counters, Histogram, ShadowCounters},
};

use super::super::{Against, Arms, windows};

fn stable_version() -> Version {
    Version::new(1, 0, 0)
}

fn candidate_version() -> Version {
    Version::new(1, 1, 0)
}

fn snapshot(counters: &[(Version, Counters)]) -> Snapshot {
    Snapshot {
        at: "2026-11-24T12:00:00Z".parse().unwrap(),
        counters: counters.iter().cloned().collect(),
        own: BTreeMap::new(),
    }
}

fn counters(requests: u64, errors: u64) -> Counters {
    Counters { requests, errors, ..Counters::default() }
}

fn seen(kind: MetricKind, from: &[(Version, Counters)], to: &[(Version, Counters)]) -> Seen {
    let analysis = Analysis {
        interval: <_>::default(),
        max_wait: <_>::default(),
        metrics: vec![Metric::with_defaults("metric", kind)],
        kayenta: None,
    };
    let arms = Arms { stable: Some(&stable_version()), candidate: &candidate_version() };
    let against = if kind.is_paired() { Against::Shadow } else { Against::Stable };
    windows(&analysis, against, arms, &snapshot(from), &snapshot(to)).remove("metric").unwrap()
}

#[track_caller]
fn refused(seen: Seen, words: &str) {
    let Seen::Error(why) = seen else { panic!("{seen:?}") };
    assert!(why.contains(words), "{words:?} is missing in {why:?}");
}

#[test]
fn a_window_is_the_difference_of_two_snapshots() {
    let from = [(stable_version(), counters(1_000, 10)), (candidate_version(), counters(100, 1))];
    let to = [(stable_version(), counters(6_400, 64)), (candidate_version(), counters(700, 7))];
    let share = |bad, n| Share { n, bad };
    assert_eq!(
        seen(MetricKind::ErrorRatio, &from, &to),
        Seen::Window(Window::Shares { stable: Some(share(54, 5_400)), candidate: share(6, 600) })
    );
}

#[test]
fn a_target_that_was_restarted_counts_from_zero() {
    let from = [(stable_version(), counters(1_000, 10)), (candidate_version(), counters(100, 20))];
    // More requests than before, but fewer errors: nothing of it was there before.
    let to = [(stable_version(), counters(1_500, 15)), (candidate_version(), counters(300, 3))];
    let Seen::Window(Window::Shares { stable, candidate }) = seen(MetricKind::ErrorRatio, &from, &to) else {
        panic!("no shares")
    };
    assert_eq!((stable, candidate), (Some(Share { n: 500, bad: 5 }), Share { n: 300, bad: 3 }));
}

#[test]
fn a_version_that_is_new_counts_from_zero_and_one_that_is_gone_is_an_error() {
    let both = [(stable_version(), counters(9, 0)), (candidate_version(), counters(5, 1))];
    let Seen::Window(Window::Shares { candidate, .. }) = seen(MetricKind::ErrorRatio, &both[..1], &both)
    else {
        panic!("no shares")
    };
    assert_eq!(candidate, Share { n: 5, bad: 1 });
    refused(seen(MetricKind::ErrorRatio, &both, &both[..1]), "no counters of v1.1.0, the candidate");
    refused(seen(MetricKind::ErrorRatio, &both, &both[1..]), "no counters of v1.0.0, stable");
}

#[test]
fn without_stable_the_candidate_is_counted_alone() {
    let analysis = Analysis {
        interval: <_>::default(),
        max_wait: <_>::default(),
        metrics: vec![Metric::with_defaults("errors", MetricKind::ErrorRatio)],
        kayenta: None,
    };
    let arms = Arms { stable: None, candidate: &candidate_version() };
    let to = snapshot(&[(candidate_version(), counters(7, 2))]);
    let seen = windows(&analysis, Against::Bound, arms, &snapshot(&[]), &to);
    let window = Window::Shares { stable: None, candidate: Share { n: 7, bad: 2 } };
    assert_eq!(seen, BTreeMap::from([("errors".to_owned(), Seen::Window(window))]));
}

#[test]
fn labels_are_counted_by_whether_the_answer_was_right() {
    let labelled = |correct, incorrect| Counters { correct, incorrect, ..counters(100, 0) };
    let from = [(stable_version(), labelled(10, 1)), (candidate_version(), labelled(0, 0))];
    let to = [(stable_version(), labelled(19, 2)), (candidate_version(), labelled(8, 2))];
    let Seen::Window(Window::Shares { stable, candidate }) = seen(MetricKind::LabelledAccuracy, &from, &to)
    else {
        panic!("no shares")
    };
    assert_eq!((stable, candidate), (Some(Share { n: 10, bad: 1 }), Share { n: 10, bad: 2 }));
}

#[test]
fn histograms_are_subtracted_bucket_by_bucket() {
    let timed = |counts: [u64; 3]| Counters {
        latency: Some(Histogram { bounds: vec![5.0, 50.0], counts: counts.to_vec() }),
        ..Counters::default()
    };
    let from = [(stable_version(), timed([5, 5, 0])), (candidate_version(), timed([5, 5, 5]))];
    let to = [(stable_version(), timed([9, 6, 0])), (candidate_version(), timed([9, 3, 5]))];
    let Seen::Window(Window::Histograms { stable, candidate }) = seen(MetricKind::Latency, &from, &to) else {
        panic!("no histograms")
    };
    assert_eq!(stable.unwrap().counts, [4, 1, 0]);
    assert_eq!(candidate.counts, [9, 3, 5], "one bucket went down, so the target was restarted");
    refused(
        seen(MetricKind::Latency, &from, &[to[0].clone(), (candidate_version(), counters(1, 0))]),
        "of the candidate",
    );
    refused(
        seen(MetricKind::Latency, &from, &[(stable_version(), counters(1, 0)), to[1].clone()]),
        "of stable",
    );
    let broken = Counters {
        latency: Some(Histogram { bounds: vec![5.0, 5.0], counts: vec![1, 2, 3] }),
        ..Counters::default()
    };
    refused(
        seen(MetricKind::Latency, &from, &[to[0].clone(), (candidate_version(), broken)]),
        "makes no sense",
    );
}

#[test]
fn classes_are_subtracted_one_by_one() {
    let predicted = |yes: u64, no: u64| Counters {
        classes: Some(BTreeMap::from([("yes".to_owned(), yes), ("no".to_owned(), no)])),
        ..Counters::default()
    };
    let from = [(stable_version(), predicted(5, 5)), (candidate_version(), Counters::default())];
    let to = [(stable_version(), predicted(9, 6)), (candidate_version(), predicted(1, 2))];
    let Seen::Window(Window::Classes { stable, candidate }) = seen(MetricKind::PredictionDrift, &from, &to)
    else {
        panic!("no classes")
    };
    assert_eq!((stable["yes"], stable["no"], candidate["yes"], candidate["no"]), (4, 1, 1, 2));
    refused(seen(MetricKind::PredictionDrift, &to, &from), "does not count predicted labels");
}

#[test]
fn pairs_come_from_mirrored_requests() {
    let mirrored = |labelled, only_stable_wrong, only_candidate_wrong| Counters {
        shadow: Some(ShadowCounters {
            compared: 100,
            labelled,
            only_stable_wrong,
            only_candidate_wrong,
            ..ShadowCounters::default()
        }),
        ..Counters::default()
    };
    let stable = (stable_version(), counters(1, 0));
    let from = [stable.clone(), (candidate_version(), mirrored(10, 1, 1))];
    let to = [stable.clone(), (candidate_version(), mirrored(60, 2, 4))];
    assert_eq!(
        seen(MetricKind::PairedAccuracy, &from, &to),
        Seen::Window(Window::Pairs(Pairs { n: 50, only_stable_wrong: 1, only_candidate_wrong: 3 }))
    );
    assert_eq!(
        seen(MetricKind::PairedAccuracy, &[], &[stable.clone(), (candidate_version(), counters(1, 0))]),
        Seen::Window(Window::Pairs(Pairs::default())),
        "no copy was answered yet"
    );
    let unlabelled = [stable, (candidate_version(), mirrored(0, 2, 4))];
    refused(seen(MetricKind::PairedAccuracy, &[], &unlabelled), "how many of them have a label");
}

#[test]
fn copies_are_the_requests_of_a_version_without_traffic() {
    let slow = |counts: [u64; 3]| Histogram { bounds: vec![5.0, 50.0], counts: counts.to_vec() };
    let copied = |compared, disagreed, failed, latency| Counters {
        shadow: Some(ShadowCounters {
            compared,
            disagreed,
            failed,
            latency: Some(slow(latency)),
            stable_latency: Some(slow([compared, 0, 0])),
            distances: Some(slow([0, compared, 0])),
            ..ShadowCounters::default()
        }),
        ..Counters::default()
    };
    let stable = Counters { latency: Some(slow([0, 0, 500])), ..counters(500, 5) };
    let from = [(stable_version(), counters(100, 1)), (candidate_version(), copied(10, 1, 0, [5, 5, 0]))];
    let to = [(stable_version(), stable), (candidate_version(), copied(90, 9, 20, [5, 45, 40]))];
    let window = |kind| {
        let analysis = Analysis {
            interval: <_>::default(),
            max_wait: <_>::default(),
            metrics: vec![Metric::with_defaults("metric", kind)],
            kayenta: None,
        };
        let arms = Arms { stable: Some(&stable_version()), candidate: &candidate_version() };
        windows(&analysis, Against::Shadow, arms, &snapshot(&from), &snapshot(&to)).remove("metric").unwrap()
    };
    let share = |bad, n| Share { n, bad };
    assert_eq!(
        window(MetricKind::ErrorRatio),
        Seen::Window(Window::Shares { stable: Some(share(4, 400)), candidate: share(20, 100) })
    );
    assert_eq!(
        window(MetricKind::Disagreement),
        Seen::Window(Window::Shares { stable: None, candidate: share(8, 80) })
    );
    assert_eq!(
        window(MetricKind::Latency),
        Seen::Window(Window::Histograms { stable: Some(slow([80, 0, 0])), candidate: slow([0, 40, 40]) }),
        "the times of the same requests are compared, not those of everything that stable answers"
    );
    assert_eq!(
        window(MetricKind::ScoreDistance),
        Seen::Window(Window::Histograms { stable: None, candidate: slow([0, 80, 0]) })
    );
    let silent =
        Counters { shadow: Some(ShadowCounters { compared: 10, ..<_>::default() }), ..<_>::default() };
    let silent = [(stable_version(), counters(10, 0)), (candidate_version(), silent)];
    refused(seen(MetricKind::ScoreDistance, &[], &silent), "does not say how far scores are apart");
}

#[test]
fn counters_that_contradict_themselves_are_an_error() {
    let to = [(stable_version(), counters(1, 2)), (candidate_version(), counters(1, 0))];
    refused(seen(MetricKind::ErrorRatio, &[], &to), "more errors than requests");
}
