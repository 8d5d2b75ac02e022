//! What all detectors have in common, on streams that are made here.

use super::*;
use crate::random::Random;

/// Errors with a probability that changes in the middle.
fn errors(seed: u64, before: f64, after: f64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..3_000)
        .map(|at| {
            let probability = if at < 1_500 { before } else { after };
            f64::from(random.unit() < probability)
        })
        .collect()
}

fn alarms(detector: &mut dyn Detector, stream: &[f64]) -> Vec<usize> {
    let signals = stream.iter().map(|value| detector.update(*value)).collect::<Vec<_>>();
    signals.iter().enumerate().filter(|(_, signal)| **signal == Signal::Drift).map(|(at, _)| at).collect()
}

/// No value.
const NOWHERE: [usize; 0] = [];

fn all() -> Vec<(&'static str, Box<dyn Detector>)> {
    let mut hinkley = PageHinkley::default();
    hinkley.threshold = 20.0;
    vec![
        ("adwin", Box::new(Adwin::default())),
        ("page-hinkley", Box::new(hinkley)),
        ("ddm", Box::new(Ddm::default())),
        ("hddm-a", Box::new(HddmA::default())),
        ("hddm-w", Box::new(HddmW::default())),
        ("kswin", Box::new(Kswin::default())),
    ]
}

#[test]
fn a_sudden_rise_of_errors_is_seen_soon() {
    for (name, mut detector) in all() {
        let alarms = alarms(detector.as_mut(), &errors(7, 0.05, 0.6));
        let after = alarms.iter().find(|at| **at >= 1_500);
        assert!(after.is_some_and(|at| *at < 1_650), "{name}: {alarms:?}");
    }
}

/// Bounds of Hoeffding hold for each comparison, not for a whole stream, so that one of twenty may alarm.
#[test]
fn the_two_that_are_on_hardly_alarm_where_nothing_changes() {
    let streams: Vec<Vec<f64>> = (0..20).map(|seed| errors(seed, 0.1, 0.1)).collect();
    let alarmed = |make: &dyn Fn() -> Box<dyn Detector>| {
        streams.iter().filter(|stream| !alarms(make().as_mut(), stream).is_empty()).count()
    };
    assert_eq!(alarmed(&|| Box::new(Adwin::default())), 0);
    assert!(alarmed(&|| Box::new(HddmA::default())) <= 1);
}

#[test]
fn only_two_sided_detectors_see_that_errors_become_fewer() {
    let stream = errors(3, 0.6, 0.05);
    assert_eq!(alarms(&mut HddmA::default(), &stream), NOWHERE);
    let (mut averages, mut weighted) = (HddmA::default(), HddmW::default());
    (averages.two_sided, weighted.two_sided) = (true, true);
    assert!(!alarms(&mut averages, &stream).is_empty() && !alarms(&mut weighted, &stream).is_empty());
    assert!(!alarms(&mut Fhddm::default(), &stream).is_empty(), "ones are correct predictions for it");
}

#[test]
fn what_is_no_number_is_left_out() {
    for (name, mut detector) in all() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(detector.update(value), Signal::Stable, "{name}");
        }
    }
    let (mut holed, mut whole) = (Adwin::default(), Adwin::default());
    for value in errors(1, 0.2, 0.2) {
        holed.update(f64::NAN);
        assert_eq!(holed.update(value), whole.update(value));
    }
    assert_eq!(holed, whole);
}

#[test]
fn a_stream_goes_on_from_what_was_written_down() {
    let stream = errors(11, 0.05, 0.5);
    let mut through = Adwin::default();
    let mut saved = serde_json::to_string(&Adwin::default()).unwrap();
    for part in stream.chunks(171) {
        let mut detector: Adwin = serde_json::from_str(&saved).unwrap();
        assert_eq!(alarms(&mut detector, part), alarms(&mut through, part));
        saved = serde_json::to_string(&detector).unwrap();
    }
    assert!(saved.len() < 4_000, "the state stays small: {}", saved.len());
}

#[test]
fn constant_streams_change_nothing() {
    for value in [0.0, 1.0] {
        for (name, mut detector) in all() {
            assert_eq!(alarms(detector.as_mut(), &[value; 2_000]), NOWHERE, "{name} {value}");
        }
    }
    let mut adwin = Adwin::default();
    assert_eq!(alarms(&mut adwin, &[5.0; 2_000]), NOWHERE);
    assert_eq!((adwin.width(), adwin.estimate()), (2_000, 5.0));
}
