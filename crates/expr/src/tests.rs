//! The language as its users meet it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn data() -> Value {
    json!({
        "metrics": {
            "accuracy": 0.91, "f1": 0.88, "rows": 1000, "top-5": 0.99, "name": "churn", "done": true, "hole": null,
            "per_class": { "cat": { "f1": 0.9 }, "dog": { "f1": 0.7 } },
            "folds": [0.9, 0.92, 0.88], "none": []
        },
        "stable": { "metrics": { "f1": 0.885 } },
        "model": { "format": "onnx" },
    })
}

fn evaluate(text: &str) -> Evaluation {
    Expression::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).evaluate(&data())
}

#[track_caller]
fn check(text: &str, expect: Result<bool, &str>) {
    let answer = evaluate(text).answer.map_err(|error| error.to_string());
    match expect {
        Ok(expect) => assert_eq!(answer, Ok(expect), "{text}"),
        Err(part) => assert!(answer.as_ref().is_err_and(|e| e.contains(part)), "{text}: {answer:?}"),
    }
}

#[track_caller]
fn refused(text: &str, part: &str) {
    let error = Expression::parse(text).expect_err(text).to_string();
    assert!(error.contains(part), "{text}: {error}");
}

#[test]
fn every_number_is_a_double() {
    check("metrics.accuracy >= 0.90", Ok(true));
    check("1 >= 0.9", Ok(true));
    check("metrics.rows == 1000.0 && metrics.rows / 3 > 333", Ok(true));
    check("metrics.rows % 7 == 6 && -metrics.rows < -999u", Ok(true));
    check("metrics.f1 >= stable.metrics.f1 - 0.01", Ok(true));
    check("metrics.f1 >= stable.metrics.f1 - 0.001", Ok(false));
}

#[test]
fn odd_keys_are_read_by_index_and_lists_by_position() {
    check(r#"metrics["top-5"] > 0.98"#, Ok(true));
    check("metrics['per_class'].cat['f1'] == 0.9", Ok(true));
    check("metrics.folds[1] == 0.92", Ok(true));
    check("metrics.folds[3] == 0.92", Err("metrics.folds[3] is missing"));
    check("metrics.folds[0.5] == 0.92", Err("0.5 is no position"));
}

#[test]
fn a_missing_value_is_no_answer_unless_the_answer_does_not_depend_on_it() {
    check("metrics.auc > 0.5", Err("metrics.auc is missing"));
    check("!(metrics.auc > 0.5)", Err("metrics.auc is missing"));
    check("metrics.auc != 0.5", Err("metrics.auc is missing"));
    check("metrics.per_class.bird.f1 > 0.5", Err("metrics.per_class.bird.f1 is missing"));
    check("metrics.accuracy > 0.9 && metrics.auc > 0.5", Err("metrics.auc is missing"));
    check("metrics.auc > 0.5 && metrics.accuracy > 0.95", Ok(false));
    check("metrics.accuracy > 0.95 && metrics.auc > 0.5", Ok(false));
    check("metrics.auc > 0.5 || metrics.accuracy > 0.9", Ok(true));
    check("metrics.accuracy > 0.9 ? true : metrics.auc > 0.5", Ok(true));
    check("metrics.name > 1 || metrics.auc > 0.5", Err("metrics.auc is missing"));
    check("has(metrics.auc) ? metrics.auc > 0.5 : true", Ok(true));
    check("has(metrics.accuracy) && !has(metrics.deep.er)", Ok(true));
}

#[test]
fn what_is_not_a_finite_number_never_passes() {
    check("metrics.accuracy / 0 > 0.5", Err("`0.91 / 0` is not a finite number"));
    check("0.0 / 0 != 1", Err("not a finite number"));
    check("metrics.hole > 0.5", Err("metrics.hole is null"));
    check("metrics.hole != 0.5", Err("metrics.hole is null"));
    check("metrics.name >= 0.5", Err("metrics.name is a text"));
    check("metrics.done >= 0.5", Err("metrics.done is true or false"));
    check("metrics.done + 1 > 0.5", Err("where a number is needed"));
    check("metrics.accuracy.value > 0.5", Err("metrics.accuracy is a number and has no members"));
}

#[test]
fn an_answer_is_true_or_false() {
    check("metrics.done", Ok(true));
    check("metrics.accuracy", Err("gives a number, not true or false"));
    check("metrics.accuracy && true", Err("where `&&` needs true or false"));
}

#[test]
fn quantifiers_look_at_every_element_and_need_at_least_one() {
    check("metrics.per_class.all(c, metrics.per_class[c].f1 >= 0.7)", Ok(true));
    check("metrics.per_class.all(c, metrics.per_class[c].f1 > 0.7)", Ok(false));
    check("metrics.folds.exists(f, f > 0.91)", Ok(true));
    check("metrics.none.all(f, f > 0.91)", Err("any element of metrics.none is missing"));
    check("metrics.per_class.all(c, metrics.per_class[c].auc > 0.7)", Err("cat.auc is missing"));
    check("metrics.accuracy.all(c, true)", Err("where a list or an object is needed"));
}

#[test]
fn functions_and_membership() {
    check("model.format in ['onnx', 'safetensors']", Ok(true));
    check("'cat' in metrics.per_class && !(0.5 in metrics.folds)", Ok(true));
    check("abs(metrics.f1 - stable.metrics.f1) < 0.01", Ok(true));
    check("min(metrics.f1, metrics.accuracy, 3) == metrics.f1 && max(1, 2) == 2", Ok(true));
    check("size(metrics.folds) == 3 && metrics.name.size() == 5", Ok(true));
    check("metrics.name.startsWith('ch') && metrics.name.endsWith('rn')", Ok(true));
    check("metrics.rows.contains('1')", Err("where a text is needed"));
}

#[test]
fn every_value_that_was_read_is_kept_once() {
    let saw = evaluate("metrics.f1 >= stable.metrics.f1 - 0.01 || metrics.f1 > 1").saw;
    let expect = [("metrics.f1", 0.88), ("stable.metrics.f1", 0.885)];
    let expect: Vec<Seen> =
        expect.map(|(path, value)| Seen { path: path.to_owned(), value: Some(value.into()) }).into();
    assert_eq!(saw, expect);
    let saw = evaluate(r#"metrics.auc > metrics["top-5"]"#).saw;
    assert_eq!(saw[0], Seen { path: "metrics.auc".to_owned(), value: None });
    assert_eq!(saw[1].path, r#"metrics["top-5"]"#);
    assert_eq!(evaluate("size(metrics.folds) == 3").saw[0].value, Some(json!("a list of 3")));
}

#[test]
fn what_is_outside_the_language_is_refused_with_its_place() {
    refused("", "is empty");
    refused("metrics.f1 >=", "line 1, column 14");
    refused("metrics.f1 => 0.9", "line 1, column 12");
    refused("metrics.f1 > null", "has(...)");
    refused("metrics.folds.map(f, f * 2)", "only `has`, `all` and `exists`");
    refused("{'a': 1}.a == 1", "cannot be made");
    refused("frobnicate(metrics.f1)", "no function `frobnicate` with 1 arguments; known are has(x.key)");
    refused("metrics.f1.matches('x')", "no function `matches`");
    refused("metrics.f1 > 1e999", "invalid double literal");
    refused(&"(".repeat(500), "more than 24 levels");
    refused(&"!".repeat(500), "more than 24 levels");
    refused(&format!("{}true", "true ? true : ".repeat(60)), "more than 24 levels");
    refused(&"a".repeat(1001), "1001 characters, at most 1000");
    let error = Expression::parse("metrics.f1 > 0.5 &&\n  frob(1)").unwrap_err();
    assert_eq!(error.excerpt().unwrap(), "  frob(1)\n      ^");
}

#[test]
fn roots_are_known_without_data() {
    let rule = Expression::parse("metrics.folds.all(f, f > stable.x) && metrics.f1 > 0").unwrap();
    assert_eq!(rule.references(), ["metrics", "stable"]);
    assert!(rule.require_roots(&["metrics", "stable"]).is_ok());
    let error = rule.require_roots(&["metrics", "tests"]).unwrap_err();
    assert_eq!(error.to_string(), "there is no `stable`; known are metrics, tests (line 1, column 26)");
}

#[test]
fn work_is_bounded_whatever_the_data() {
    let rule = Expression::parse("x.all(a, x.all(b, x.all(c, a + b + c >= 0)))").unwrap();
    let evaluation = rule.evaluate(&json!({ "x": (0..1000).collect::<Vec<_>>() }));
    assert_eq!(evaluation.answer, Err(ExprError::TooManySteps { limit: MAX_STEPS }));
    assert!(evaluation.saw.len() <= MAX_SEEN);
}

#[test]
fn the_reference_has_no_double_entries() {
    let mut names: Vec<_> = FUNCTIONS.iter().map(|function| function.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FUNCTIONS.len());
}

#[test]
fn the_deepest_texts_that_are_read_are_also_evaluated() {
    let deepest = [
        format!("{}1{} == 1", "(".repeat(24), ")".repeat(24)),
        format!("metrics{} == 1", ".b".repeat(98)),
        format!("metrics{} == 1", "[0]".repeat(98)),
        format!("1{} < 0", " - 1".repeat(98)),
        format!("true{}", " && true".repeat(100)),
        format!("{}true{}", "metrics.all(a, ".repeat(24), ")".repeat(24)),
        format!("{}true", "true ? true : ".repeat(24)),
        format!("{}true{}", "!(".repeat(12), ")".repeat(12)),
    ];
    for text in deepest {
        let rule = Expression::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let _ = rule.evaluate(&data());
    }
    refused(&format!("a{}", ".b".repeat(490)), "more than 100 levels");
    refused(&format!("1{} > 0", "-1".repeat(480)), "more than 100 levels");
}

/// Pieces of the language, so that random texts get past the first token.
const PIECES: &[&str] = &[
    "metrics",
    ".f1",
    "[\"top-5\"]",
    "[0]",
    " > ",
    " == ",
    " && ",
    " || ",
    "!",
    "-",
    "(",
    ")",
    "0.9",
    "1",
    "'x'",
    " ? ",
    " : ",
    "has(",
    ".all(x, ",
    " in ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "null",
    "b'x'",
    "`",
    "\\",
    "\"",
    "é",
    "\n",
    "@",
    "..",
    "1u",
    "0x",
    "r'",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        if let Ok(rule) = Expression::parse(&text) {
            let _ = rule.evaluate(&data());
        }
    }

    #[test]
    fn any_mix_of_pieces_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
        match Expression::parse(&pieces.concat()) {
            Ok(rule) => { let _ = rule.evaluate(&data()); }
            Err(error) => { let _ = (error.to_string(), error.excerpt()); }
        }
    }

    #[test]
    fn a_comparison_agrees_with_the_numbers(left in -1e6..1e6f64, right in -1e6..1e6f64) {
        let rule = Expression::parse("a >= b").unwrap();
        prop_assert_eq!(rule.evaluate(&json!({ "a": left, "b": right })).answer, Ok(left >= right));
    }
}
