//! Streams that are cut anywhere.

use proptest::prelude::*;
use tagship_stats::random::Random;

use super::*;

/// Errors, or values between 0 and 1, with a mean that changes in the middle.
fn stream(seed: u64, count: i64) -> Vec<Observed> {
    let mut random = Random::new(seed);
    let value = |at: i64| {
        let chance = if at < count / 2 { 0.1 } else { 0.6 };
        Observed { at: Timestamp::from_seconds(at).unwrap(), value: f64::from(random.unit() < chance) }
    };
    (0..count).map(value).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_stream_in_parts_is_the_stream_as_a_whole(
        seed in 0_u64..1000,
        cuts in proptest::collection::vec(0_usize..600, 0..5),
        detector in proptest::sample::select(DETECTORS.to_vec()),
    ) {
        let values = stream(seed, 600);
        let whole = watch("s", detector, None, &values).unwrap();
        let mut cuts = cuts;
        cuts.push(600);
        cuts.sort_unstable();
        let (mut state, mut detections) = (None, vec![]);
        for cut in cuts {
            // A source answers with what it has, known values among it; the state goes through a file.
            let part = watch("s", detector, state.as_ref(), &values[..cut]).unwrap();
            detections.extend(part.detections);
            let text = serde_json::to_string(&part.state).unwrap();
            state = Some(serde_json::from_str(&text).unwrap());
        }
        prop_assert_eq!(detections, whole.detections);
        prop_assert_eq!(state, Some(whole.state));
    }
}

#[test]
fn a_change_is_seen_and_an_unknown_detector_is_told() {
    let seen = watch("errors", "adwin", None, &stream(1, 3000)).unwrap();
    let first = seen.detections.first().unwrap().as_seconds();
    assert!((1500..1700).contains(&first), "{first}");
    assert_eq!((seen.taken, seen.state.values), (3000, 3000));
    let again = watch("errors", "adwin", Some(&seen.state), &stream(1, 3000)).unwrap();
    assert_eq!((again.taken, again.newest, again.state.values), (0, None, 3000));
    let why = watch("errors", "cusum", None, &[]).unwrap_err();
    assert!(why.contains("there is adwin, hddm-a"), "{why}");
    let other = watch("errors", "ddm", Some(&seen.state), &stream(1, 3000)).unwrap();
    assert_eq!(other.state.values, 3000, "another detector begins again");
}

#[test]
fn silence_means_something_only_once_enough_was_seen() {
    for detector in DETECTORS {
        let few = watch("s", detector, None, &stream(1, 10)).unwrap();
        assert!(few.unready.is_some(), "{detector}");
        let many = watch("s", detector, Some(&few.state), &stream(1, 600)[..200]).unwrap();
        assert_eq!(many.unready.is_some(), detector == "eddm", "{detector}: eddm waits for errors");
    }
    let slow = [Observed { at: Timestamp::from_seconds(1).unwrap(), value: 250.0 }; 50];
    let unfit = watch("latency", "ddm", None, &slow).unwrap();
    assert!(unfit.unready.is_some_and(|why| why.contains("outside of 0 to 1")));
}

#[test]
fn a_huge_value_or_a_lost_state_ends_no_later_look() {
    for detector in DETECTORS {
        let mut values = stream(1, 200);
        for (at, observed) in values.iter_mut().enumerate().skip(150) {
            observed.value = if at % 2 == 0 { 1e200 } else { -1e200 };
        }
        let first = watch("s", detector, None, &values).unwrap();
        let text = serde_json::to_string(&first.state).unwrap();
        let read: StreamState = serde_json::from_str(&text).unwrap();
        let next = watch("s", detector, Some(&read), &stream(1, 400)).unwrap();
        assert!(next.unready.as_deref() != Some(LOST), "{detector}");
        let lost = StreamState { state: serde_json::json!({ "all": null }), ..read };
        let again = watch("s", detector, Some(&lost), &stream(1, 400)).unwrap();
        assert_eq!(again.unready.as_deref(), Some(LOST), "{detector}");
    }
}
