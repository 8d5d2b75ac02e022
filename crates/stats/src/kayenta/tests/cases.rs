//! Recorded cases: classes, intervals and effects from an independent computation with `SciPy` and `NumPy` (ranks,
//! percentiles, normal quantiles), which agrees with Kayenta's own figures where there are some.

use serde_json::Value;

use super::{
    super::{Class, Direction, Limits, Measure, Nan, Outliers, Settings, judge},
    comparison,
};

fn settings(case: &Value) -> Settings {
    let text = |key: &str| case["settings"][key].as_str();
    let number = |key: &str| case["settings"][key].as_f64();
    let measure = if text("measure") == Some("cles") { Measure::Cles } else { Measure::MeanRatio };
    let none = measure.limits();
    Settings {
        direction: match text("direction") {
            Some("increase") => Direction::Increase,
            Some("decrease") => Direction::Decrease,
            _ => Direction::Either,
        },
        nan: if text("nan") == Some("replace") { Nan::Replace } else { Nan::Remove },
        outliers: number("outliers").map_or(Outliers::Keep, |factor| Outliers::Remove { factor }),
        measure,
        limits: Some(Limits {
            allowed_increase: number("inc").unwrap_or(none.allowed_increase),
            allowed_decrease: number("dec").unwrap_or(none.allowed_decrease),
            ..none
        }),
        ..Settings::default()
    }
}

fn points(side: &Value) -> Vec<f64> {
    side.as_array().unwrap().iter().map(|point| point.as_f64().unwrap_or(f64::NAN)).collect()
}

fn class(name: &str) -> Class {
    match name {
        "Pass" => Class::Pass,
        "High" => Class::High,
        "Low" => Class::Low,
        "Nodata" => Class::Nodata,
        "Inconclusive" => Class::Inconclusive,
        other => panic!("unknown class {other}"),
    }
}

#[test]
fn recorded_cases_have_their_class_interval_and_effect() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../fixtures/kayenta.json")).unwrap();
    assert!(cases.len() >= 26);
    for case in &cases {
        let (name, expected) = (&case["name"], &case["expected"]);
        let judged = judge(&settings(case), &points(&case["stable"]), &points(&case["candidate"]));
        assert_eq!(judged.class, class(expected["class"].as_str().unwrap()), "{name}");
        if expected["low"].is_null() {
            continue;
        }
        let (comparison, effect) = comparison(&judged);
        for (what, actual) in [
            ("low", comparison.interval.low),
            ("high", comparison.interval.high),
            ("estimate", comparison.estimate),
            ("superiority", comparison.superiority),
            ("p_value", comparison.p_value),
        ] {
            let expect = expected[what].as_f64().unwrap();
            let slack = 1e-9 * expect.abs() + 1e-12;
            assert!((actual - expect).abs() <= slack, "{name} {what}: {actual} {expect}");
        }
        match (effect, expected["effect"].as_f64()) {
            (Some(actual), Some(expect)) => assert!((actual - expect).abs() <= 1e-12 * expect, "{name}"),
            (actual, expect) => assert_eq!(actual, expect, "{name}"),
        }
    }
}
