//! Time per update and size of the state.

use std::{hint::black_box, time::Instant};

use tagship_domain::{
    analysis::Margin,
    evidence::{BoundaryEvidence, BucketEvidence, Evidence, Test},
    traffic::Histogram,
};
use tagship_stats::{
    kayenta::{self, Outliers, Settings},
    random::Random,
    sequential::{
        Alternatives, Speed,
        boundary::{self, BoundaryTest},
        bucket::{self, BucketTest, MAX_BOUNDS},
    },
};

use crate::{goals::Goals, traffic::Traffic};

const UPDATES: u32 = 20_000;
const JUDGED: u32 = 2_000;
/// An hour of minutes.
const POINTS: u32 = 60;

pub(crate) fn run(goals: &mut Goals) {
    let test = BoundaryTest {
        speed: Speed::TwoSpeed,
        alternatives: Alternatives::Errors,
        tolerance: 1.25,
        margin: Margin::Ratio(1.5),
    };
    let traffic = Traffic::of(|_| 0.1, |_| 0.01);
    let mut random = Random::new(1);
    let looks: Vec<_> = (0..256).map(|at| traffic.look(at, &mut random)).collect();
    let mut state = BoundaryEvidence::default();
    let started = Instant::now();
    for at in 0..UPDATES {
        let look = looks[at as usize % looks.len()];
        boundary::update(&mut state, &test, look.stable, look.candidate);
        black_box(boundary::log_evidence(&state, Speed::TwoSpeed));
    }
    let share = started.elapsed().as_secs_f64() * 1e6 / f64::from(UPDATES);

    let judged = judged(&mut random);
    let bounds: Vec<f64> = (0..MAX_BOUNDS).map(|at| 2_f64.powi(at as i32) * 2.5).collect();
    let histogram =
        |scale: u64| Histogram { counts: (1..=13).map(|at| at * scale).collect(), bounds: bounds.clone() };
    let (stable, candidate) = (histogram(9), histogram(1));
    let mut buckets = BucketEvidence::default();
    let settings = BucketTest { tolerance: 1.25, margin: Margin::Ratio(1.5) };
    let started = Instant::now();
    for _ in 0..UPDATES {
        let _ = bucket::update(&mut buckets, &settings, &stable, &candidate);
        black_box(bucket::log_evidence(&buckets));
    }
    let histogram = started.elapsed().as_secs_f64() * 1e6 / f64::from(UPDATES);
    println!("one update: two-speed {share:.2} us, bucket-e over {MAX_BOUNDS} bounds {histogram:.2} us");
    println!("one metric of Kayenta's judge, {POINTS} points a side: {judged:.2} us");
    let sizes = [size(Test::Boundary(state)), size(Test::Buckets(buckets))];
    println!("state after {UPDATES} looks: two-speed {} bytes, bucket-e {} bytes\n", sizes[0], sizes[1]);
    goals.at_most("8. one update of two-speed, us", share, 20.0);
    goals.at_most("8. one update of bucket-e, us", histogram, 20.0);
    goals.at_most("8. one metric of Kayenta's judge, us", judged, 500.0);
    goals.at_most("8. state of two-speed, bytes", sizes[0] as f64, 1_024.0);
    goals.at_most("8. state of bucket-e, bytes", sizes[1] as f64, 2_048.0);
}

/// Microseconds for one metric of Kayenta's judge, outliers removed.
fn judged(random: &mut Random) -> f64 {
    let mut points = |from: f64| (0..POINTS).map(|_| from + 10.0 * random.unit()).collect::<Vec<_>>();
    let (stable, candidate) = (points(90.0), points(91.0));
    let settings = Settings { outliers: Outliers::Remove { factor: 3.0 }, ..Settings::default() };
    let started = Instant::now();
    for _ in 0..JUDGED {
        black_box(kayenta::judge(&settings, black_box(&stable), black_box(&candidate)));
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(JUDGED)
}

fn size(test: Test) -> usize {
    let at = tagship_domain::Timestamp::LATEST;
    let evidence = Evidence { since: at, end: at, strongest: 12.345_678, test: Some(test) };
    serde_json::to_string(&evidence).map_or(usize::MAX, |text| text.len())
}
