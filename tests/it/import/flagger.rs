//! Verdicts of Flagger on recorded looks, by a model of its one counter, beside those of the imported plan.

use tagship_domain::{
    import::Import,
    plan::{Step, Strategy},
};
use tagship_import::System;

use super::{
    looks::{Answer, Seeded},
    specs::{LATENCY, RATE, flagger},
    walk::{End, environment, imported, notes, plan, walk},
};

const LOOKS: usize = 60;
/// Recordings that each case is compared on.
const ROUNDS: u32 = 100;
const NAMES: [&str; 2] = ["request-success-rate", "request-duration"];

/// Each check of all metrics passes or fails; so many that passed promote, so many that failed lead back. The answers of a
/// metric are good where they are in its range; no value and no answer fail.
fn model(looks: &[[Answer; 2]], metrics: usize, needed: usize, threshold: usize) -> (End, usize) {
    let (mut passed, mut failed) = (0, 0);
    for (index, look) in looks.iter().enumerate() {
        let rate = matches!(look[0], Answer::Number(rate) if rate >= 99.0);
        let latency = matches!(look[1], Answer::Number(latency) if latency <= 500.0);
        if rate && (metrics < 2 || latency) {
            passed += 1;
        } else {
            failed += 1;
        }
        if failed >= threshold {
            return (End::RolledBack, index + 1);
        }
        if passed >= needed {
            return (End::Promoted, index + 1);
        }
    }
    (End::Open, looks.len())
}

fn answers(seeded: &mut Seeded, others: &[Answer]) -> Vec<[Answer; 2]> {
    let rates = seeded.looks(LOOKS, &[99.0, 99.9, 100.0], &[50.0, 98.9], others);
    let latencies = seeded.looks(LOOKS, &[20.0, 500.0], &[501.0, 2000.0], others);
    rates.into_iter().zip(latencies).map(|(rate, latency)| [rate, latency]).collect()
}

/// Compares many runs; answers how many were equal, and how many a note explains.
fn compare(
    imported: &Import,
    metrics: usize,
    needed: usize,
    threshold: usize,
    others: &[Answer],
) -> (u32, u32) {
    let plan = plan(imported);
    let (mut equal, mut explained) = (0, 0);
    let mut seeded = Seeded(threshold as u64 * 7 + needed as u64);
    for _ in 0..ROUNDS {
        let looks = answers(&mut seeded, others);
        let (theirs, after) = model(&looks, metrics, needed, threshold);
        let ours = walk(&plan, LOOKS, |metric, look| {
            let which = NAMES.iter().position(|name| *name == metric).unwrap();
            looks[look.min(LOOKS - 1)][which]
        });
        let context = || format!("theirs {theirs:?} after {after}, ours {ours:?}\n{looks:?}");
        let broken = looks[..after].iter().any(|look| look[..metrics].contains(&Answer::Broken));
        if theirs == End::RolledBack && !broken {
            // What goes back there goes back here, with one metric at the very same check.
            assert_eq!(ours.end, End::RolledBack, "{}", context());
            assert!(if metrics == 1 { ours.looks == after } else { ours.looks <= after }, "{}", context());
        }
        if theirs == ours.end {
            equal += 1;
            continue;
        }
        explained += 1;
        match (&theirs, &ours.end) {
            _ if broken || looks[..ours.looks].iter().any(|look| look.contains(&Answer::Broken)) => {
                assert!(
                    notes(imported, "a query that cannot be answered is a failed check there"),
                    "{}",
                    context()
                );
            }
            (End::Promoted, End::RolledBack) => {
                let late = ours.looks > after && notes(imported, "so that a late failure still counts");
                let own = metrics > 1 && notes(imported, "together they never tolerate more than there");
                assert!(late || own, "{}", context());
            }
            _ => panic!("{}", context()),
        }
    }
    (equal, explained)
}

fn canary(threshold: usize, metrics: &str) -> String {
    flagger(&format!(
        "interval: 1m\n    threshold: {threshold}\n    maxWeight: 50\n    stepWeight: 10\n    metrics: [{metrics}]"
    ))
}

#[test]
fn one_metric_leads_back_at_the_same_check() {
    for threshold in [1, 2, 5, 10] {
        let imported = imported(System::Flagger, &canary(threshold, RATE));
        let (equal, _) = compare(&imported, 1, 5, threshold, &[]);
        assert!(equal >= 80, "{equal} of {ROUNDS} at {threshold}");
        let (equal, _) = compare(&imported, 1, 5, threshold, &[Answer::NotANumber, Answer::Empty]);
        assert!(equal >= 80, "no value fails the check in both: {equal} of {ROUNDS} at {threshold}");
        let (_, explained) = compare(&imported, 1, 5, threshold, &[Answer::Broken, Answer::Empty]);
        assert!(explained < 50, "{explained} of {ROUNDS} at {threshold}");
    }
}

#[test]
fn several_metrics_never_tolerate_more_than_there() {
    for threshold in [1, 2, 5, 10] {
        let imported = imported(System::Flagger, &canary(threshold, &format!("{RATE}, {LATENCY}")));
        let (equal, explained) = compare(&imported, 2, 5, threshold, &[Answer::Empty]);
        assert!(equal >= 60 && equal + explained == ROUNDS, "{equal} of {ROUNDS} at {threshold}");
    }
}

#[test]
fn the_shares_are_those_of_the_weights() {
    for (weights, shares) in [
        ("maxWeight: 50\n    stepWeight: 10", vec![0, 10, 20, 30, 40, 50, 100]),
        ("maxWeight: 50\n    stepWeight: 20", vec![0, 20, 40, 60, 100]),
        ("stepWeights: [1, 2, 10, 80]", vec![0, 1, 2, 10, 80, 100]),
    ] {
        let spec = flagger(&format!("interval: 1m\n    threshold: 1\n    {weights}\n    metrics: [{RATE}]"));
        let imported = imported(System::Flagger, &spec);
        let walked = walk(&plan(&imported), LOOKS, |_, _| Answer::Number(100.0));
        assert_eq!((&walked.end, &walked.shares), (&End::Promoted, &shares), "{walked:?}");
        assert_eq!(walked.looks, shares.len() - 2, "one check at each share");
    }
}

#[test]
fn mirroring_comes_before_traffic_and_is_measured() {
    let spec = flagger(&format!(
        "interval: 1m\n    threshold: 3\n    maxWeight: 50\n    stepWeight: 25\n    mirror: true\n    metrics: [{RATE}]"
    ));
    let imported = imported(System::Flagger, &spec);
    let Strategy::Canary { steps } = environment(&imported).strategy else { panic!() };
    assert!(
        matches!(steps[..2], [Step::Mirror(share), Step::Pause(Some(_))] if share.get() == 100),
        "{steps:?}"
    );
    let (equal, _) = compare(&imported, 1, 3, 3, &[Answer::Empty]);
    assert!(equal >= 80, "{equal}");
}

#[test]
fn blue_green_takes_its_checks_before_the_switch() {
    let spec = flagger(&format!("interval: 1m\n    threshold: 2\n    iterations: 10\n    metrics: [{RATE}]"));
    let imported = imported(System::Flagger, &spec);
    let Strategy::BlueGreen { preview, auto_promote: true, mirror } = environment(&imported).strategy else {
        panic!()
    };
    assert_eq!((preview.to_string().as_str(), mirror.get()), ("10m", 100));
    let walked = walk(&plan(&imported), LOOKS, |_, _| Answer::Number(100.0));
    assert_eq!((walked.end, walked.looks, walked.shares), (End::Promoted, 11, vec![0, 100]));
    let (equal, _) = compare(&imported, 1, 10, 2, &[]);
    assert!(equal >= 80, "{equal}");
    assert!(notes(&imported, "one more check is made there when the candidate has all traffic"));
}

#[test]
fn requests_that_match_become_a_small_share_of_clients() {
    let rule = "match: [{ headers: { x-canary: { exact: insider } } }, { headers: { cookie: { regex: \"canary\" } } }]";
    let spec = flagger(&format!(
        "interval: 1m\n    threshold: 1\n    iterations: 10\n    {rule}\n    metrics: [{RATE}]"
    ));
    let imported = imported(System::Flagger, &spec);
    let environment = environment(&imported);
    assert!(
        matches!(&environment.strategy, Strategy::AB { share, length } if share.get() == 5 && length.to_string() == "10m")
    );
    assert_eq!(environment.sticky.unwrap().as_str(), "x-canary");
    assert!(notes(&imported, "there it is every request that matches, and no other"));
    let (equal, _) = compare(&imported, 1, 10, 1, &[]);
    assert_eq!(equal, ROUNDS, "with a threshold of 1 nothing may fail in either");
}

#[test]
fn requests_with_one_exact_header_are_an_ab_test_by_it() {
    let rule = "match: [{ headers: { X-Canary: { exact: insider } } }]";
    let spec = |more: &str| {
        flagger(&format!(
            "interval: 1m\n    threshold: 1\n    iterations: 10\n    {rule}\n    metrics: [{RATE}]{more}"
        ))
    };
    let imported_rule = imported(System::Flagger, &spec(""));
    let strategy = environment(&imported_rule).strategy;
    assert!(
        matches!(&strategy, Strategy::Matched { rule, length }
        if rule.to_string() == "x-canary: insider" && length.to_string() == "10m"),
        "{strategy:?}"
    );
    let (equal, _) = compare(&imported_rule, 1, 10, 1, &[]);
    assert_eq!(equal, ROUNDS, "with a threshold of 1 nothing may fail in either");

    let gate = "\n    webhooks: [{ name: gate, type: confirm-promotion, url: \"http://gate/\" }]";
    let gated = imported(System::Flagger, &spec(gate));
    let Strategy::Canary { steps } = environment(&gated).strategy else { panic!() };
    assert!(steps.contains(&Step::Pause(None)), "a person still promotes: {steps:?}");
    assert!(notes(&gated, "instead of those with `x-canary: insider`"));
}

#[test]
fn gates_and_unknown_metrics_wait_for_a_person() {
    for (what, persons) in [
        ("webhooks: [{ name: gate, type: confirm-promotion, url: \"http://gate/\" }]", 1),
        ("webhooks: [{ name: more, type: confirm-traffic-increase, url: \"http://gate/\" }]", 2),
        ("webhooks: [{ name: check, url: \"http://check/\" }]", 1),
        ("metrics: [{ name: cost, templateRef: { name: gone } }]", 1),
        ("webhooks: [{ name: load, url: \"http://load/\", metadata: { cmd: \"hey -z 1m http://a/\" } }]", 0),
    ] {
        let spec = flagger(&format!(
            "interval: 1m\n    threshold: 3\n    maxWeight: 50\n    stepWeight: 25\n    {what}"
        ));
        let imported = imported(System::Flagger, &spec);
        let Strategy::Canary { steps } = environment(&imported).strategy else { panic!() };
        assert_eq!(
            steps.iter().filter(|step| **step == Step::Pause(None)).count(),
            persons,
            "{what}: {steps:?}"
        );
    }
}
