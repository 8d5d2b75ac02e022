//! Conditions: what is translated, what is refused, and what is said of no value.

use serde_json::json;
use tagship_expr::Expression;

use crate::condition::{Outcome, Shape, of_empty, of_nan, parse, translate};

fn ours(text: &str, shape: Shape) -> Result<String, String> {
    translate(&parse(text)?, shape).map(|translation| translation.text)
}

#[test]
fn what_means_the_same_is_translated() {
    for (theirs, expected) in [
        ("result[0] >= 0.95", "result >= 0.95"),
        ("result >= 0.95", "result >= 0.95"),
        ("all(result, # > 0.5)", "result > 0.5"),
        ("any(result, {# > 0.5 and # < 2})", "result > 0.5 && result < 2"),
        ("none(result, {# > 0.5})", "!(result > 0.5)"),
        ("!isNaN(result[0]) && result[0] < 5", "result < 5"),
        ("isNaN(result) || result <= 0.05", "result <= 0.05"),
        ("len(result) == 0 || result[0] < 0.1", "result < 0.1"),
        ("len(result) > 0 && result[0] < 0.1", "result < 0.1"),
        ("default(result, 0) < 0.05", "result < 0.05"),
        ("result != nil && result[0] >= 1", "result >= 1"),
        ("not (result[0] > 1)", "!(result > 1)"),
        ("result[0] * 100 - 5 > 1_000", "result * 100 - 5 > 1000"),
        ("result[0] - (1 - result[0]) > 0", "result - (1 - result) > 0"),
        ("(result[0] > 1 || result[0] < -1) && true", "result > 1 || result < -1"),
        ("result[0] > 1 || result[0] < 0 && result[0] != -2", "result > 1 || result < 0 && result != -2"),
        ("result[0] > 2 ? true : result[0] < 1", "result > 2 ? true : result < 1"),
        ("result[0] in [1, 2]", "result in [1, 2]"),
        ("result[0] not in [1, 2]", "!(result in [1, 2])"),
    ] {
        assert_eq!(ours(theirs, Shape::Series).as_deref(), Ok(expected), "{theirs}");
    }
    for (theirs, expected) in [
        ("result.ok == true", "result.ok == true"),
        ("result.data[0].p99 < 0.3", "result.data[0].p99 < 0.3"),
        ("result.status == 'ok \"x\"'", "result.status == \"ok \\\"x\\\"\""),
        ("all(result.items, {.rate > 0.5})", "result.items.all(x, x.rate > 0.5)"),
        ("any(result, {any(#.parts, {# > 1})})", "result.exists(x, x.parts.exists(x2, x2 > 1))"),
        (
            "len(result.items) > 2 && result.name startsWith \"a\"",
            "size(result.items) > 2 && result.name.startsWith(\"a\")",
        ),
        ("asFloat(result.rate) >= 0.9", "result.rate >= 0.9"),
        ("result['a'] > 1", "result[\"a\"] > 1"),
    ] {
        assert_eq!(ours(theirs, Shape::Document).as_deref(), Ok(expected), "{theirs}");
    }
}

#[test]
fn what_does_not_is_refused() {
    for (theirs, why) in [
        ("true", "says the same"),
        ("1 > 0", "says the same"),
        ("isNaN(result[0])", "says the same"),
        ("len(result) > 0", "says the same"),
        ("result[0] > 0 || true", "says the same"),
        ("result[1] > 0.5", "another series"),
        ("count(result, {# > 1}) > 2", "predicate"),
        ("filter(result, {# > 1})[0] > 2", "predicate"),
        ("result[0] matches \"a\"", "`matches`"),
        ("result[0] ** 2 > 1", "`**`"),
        ("result?.a > 1", "`?.`"),
        ("result[0] > sum(result)", "`sum`"),
        ("stable > 1", "`stable`"),
        ("result[0] >", "ends too early"),
        ("result[0] > 1)", "where it should end"),
        ("result.rate > 1", "member `rate` of a number"),
        ("result[0:1] > 1", "slice"),
        ("result > nil", "nil"),
        ("'abc", "does not end"),
        ("result § 1", "'§'"),
    ] {
        let refused = ours(theirs, Shape::Series).unwrap_err();
        assert!(refused.contains(why), "{theirs}: {refused}");
    }
    assert!(ours("isNaN(result.rate) || result.rate < 1", Shape::Document).unwrap_err().contains("a part"));
    assert!(ours(&format!("{}result[0]{} > 1", "(".repeat(60), ")".repeat(60)), Shape::Series).is_err());
    assert!(ours(&format!("result[0] > {}", "1 + ".repeat(600)), Shape::Series).is_err());
}

#[test]
#[expect(clippy::float_cmp, clippy::manual_range_contains, reason = "written as the conditions are")]
fn translations_say_the_same_of_numbers() {
    /// A condition, and what it says of a number.
    type Says = (&'static str, fn(f64) -> bool);
    let conditions: [Says; 6] = [
        ("result[0] > 1 || result[0] < 0 && result[0] != -2", |x| x > 1.0 || (x < 0.0 && x != -2.0)),
        ("result[0] - (1 - result[0]) > 0.5", |x| x - (1.0 - x) > 0.5),
        ("not (result[0] * -2 <= 3)", |x| x * -2.0 > 3.0),
        ("none(result, {# > 1 or # < -1})", |x| !(x > 1.0 || x < -1.0)),
        ("result[0] > 2 ? true : result[0] < 1", |x| x > 2.0 || x < 1.0),
        ("result[0] / 2 % 2 == 1", |x| (x / 2.0) % 2.0 == 1.0),
    ];
    for (theirs, says) in conditions {
        let expression = Expression::parse(&ours(theirs, Shape::Series).unwrap()).unwrap();
        for number in [-3.0, -2.0, -1.5, -1.0, 0.0, 0.5, 0.75, 1.0, 1.5, 2.0, 6.0] {
            let answer = expression.evaluate(&json!({ "result": number })).answer;
            assert_eq!(answer.ok(), Some(says(number)), "{theirs} of {number}");
        }
    }
}

#[test]
fn what_they_say_of_no_value() {
    use Outcome as O;
    for (success, failure, nan, empty) in [
        (Some("result[0] >= 0.95"), None, O::Failed, O::Error),
        (None, Some("result[0] > 0.05"), O::Successful, O::Error),
        (Some("result[0] >= 0.95"), Some("result[0] < 0.9"), O::Inconclusive, O::Error),
        (Some("isNaN(result[0]) || result[0] > 1"), None, O::Successful, O::Error),
        (Some("len(result) == 0 || result[0] > 1"), None, O::Failed, O::Successful),
        (Some("all(result, # > 1)"), None, O::Failed, O::Successful),
        (None, Some("any(result, # > 1)"), O::Successful, O::Successful),
        (Some("result != nil && result[0] > 1"), None, O::Failed, O::Error),
    ] {
        let [one, other] = [success, failure].map(|text| text.map(|text| parse(text).unwrap()));
        let (success, failure) = (one.as_ref(), other.as_ref());
        assert_eq!(
            (of_nan(success, failure, true), of_empty(success, failure, true)),
            (nan, empty),
            "{one:?} {other:?}"
        );
    }
    let default = parse("default(result, 0) >= 1").unwrap();
    assert_eq!(of_empty(Some(&default), None, false), O::Failed);
}
