//! How metrics share the error rate of a rollout.

use tagship_domain::{
    analysis::{Metric, MetricKind, Seen, Window},
    threshold::Threshold,
};

use tagship_stats::{binomial, random::Random};

use super::{Rollout, Standing, errors, good, shares};

fn fails_at(rollout: &Rollout, name: &str) -> f64 {
    rollout.judge(name).measurement.as_ref().unwrap().fails_at.unwrap()
}

#[test]
fn values_and_advice_take_nothing_of_the_error_rate() {
    let threshold = Threshold { success: Some("result <= 5".to_owned()), ..Threshold::default() };
    let value = Metric {
        own_source: true,
        threshold: Some(threshold),
        ..Metric::with_defaults("value", MetricKind::Value)
    };
    let advice = Metric { name: "advice".to_owned(), dry_run: true, ..errors() };
    let mut rollout = Rollout::of(vec![errors(), value, advice]);
    let seen = Seen::Window(Window::Values { stable: None, result: 3.into() });
    rollout.look(&[("errors", good()), ("value", seen), ("advice", good())]);
    assert!((fails_at(&rollout, "errors") - 20.0).abs() < 1e-9);
    assert!((fails_at(&rollout, "advice") - 20.0).abs() < 1e-9);
}

#[test]
fn weights_say_how_much_each_takes() {
    let heavy = Metric { weight: 3.0, ..errors() };
    let light = Metric { name: "light".to_owned(), ..errors() };
    let mut rollout = Rollout::of(vec![heavy, light]);
    rollout.look(&[("errors", good()), ("light", good())]);
    assert!((fails_at(&rollout, "errors") - 20.0 / 0.75).abs() < 1e-9);
    assert!((fails_at(&rollout, "light") - 80.0).abs() < 1e-9);
}

/// Three metrics, of which two see the same requests, over thirty looks.
fn rolls_back(random: &mut Random, candidate: f64) -> bool {
    let named = |name: &str, weight| Metric { name: name.to_owned(), weight, ..errors() };
    let accuracy = Metric { weight: 1.5, ..Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy) };
    let mut rollout = Rollout::of(vec![named("errors", 4.0), named("timeouts", 0.5), accuracy]);
    for _ in 0..30 {
        let mut seen = |stable: f64, candidate: f64| {
            let of_stable = binomial::draw(random, 1800, stable);
            shares((of_stable, 1800), (binomial::draw(random, 200, candidate), 200))
        };
        let (requests, labels) = (seen(0.05, candidate), seen(0.08, 0.08));
        let standing =
            rollout.look(&[("errors", requests.clone()), ("timeouts", requests), ("accuracy", labels)]);
        match standing {
            Standing::Rollback { .. } => return true,
            Standing::Promote(_) => return false,
            _ => {}
        }
    }
    false
}

#[test]
fn the_whole_rollout_keeps_the_error_rate_whatever_the_weights() {
    let mut random = Random::new(11);
    let rollouts = 400;
    let falsely = (0..rollouts).filter(|_| rolls_back(&mut random, 0.05)).count();
    assert!(falsely <= rollouts / 20, "{falsely} of {rollouts} good candidates went back");
    let rightly = (0..50).filter(|_| rolls_back(&mut random, 0.15)).count();
    assert_eq!(rightly, 50, "three times the errors are found");
}
