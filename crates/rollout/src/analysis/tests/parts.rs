//! How metrics share the error rate of a rollout.

use tagship_domain::{
    analysis::{Metric, MetricKind, Seen, Window},
    threshold::Threshold,
};

use super::{Rollout, errors, good};

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
