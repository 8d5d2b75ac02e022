//! Schemas as skops writes them, and gadgets.

mod models;
mod neighbours;

use super::*;
use crate::{ValidationPolicy, build, findings::Findings};

fn fired(text: &str) -> Vec<String> {
    crate::seeds::input("skops", text.as_bytes());
    let mut findings = Findings::new();
    let policy = ValidationPolicy::default();
    scan_schema(text.as_bytes(), policy.trust(), &Members::NONE, &mut findings).unwrap();
    findings.into_list(None).into_iter().map(|finding| finding.rule.into_owned()).collect()
}

fn schema(module: &str, class: &str, loader: &str, content: &str) -> String {
    format!(
        r#"{{"__class__":"{class}","__module__":"{module}","__loader__":"{loader}","content":{content},"protocol":2}}"#
    )
}

#[test]
fn only_listed_types_pass_at_any_depth() {
    let inner = |text: &str| schema("builtins", "list", "ListNode", &format!("[[{text}]]"));
    for (text, rule) in [
        (schema("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode", "{}"), None),
        (schema("operator", "itemgetter", "OperatorFuncNode", "[]"), None),
        (
            schema("os", "system", "FunctionNode", r#"{"module_path":"os","function":"system"}"#),
            Some("SKO101"),
        ),
        (
            schema("builtins", "list", "FunctionNode", r#"{"module_path":"os","function":"system"}"#),
            Some("SKO101"),
        ),
        // Loaders differ in which of the two names of a function they take, and nothing else has two.
        (
            schema("os", "system", "FunctionNode", r#"{"module_path":"builtins","function":"list"}"#),
            Some("SKO101"),
        ),
        (
            schema("os", "system", "TypeNode", r#"{"module_path":"builtins","function":"list"}"#),
            Some("SKO101"),
        ),
        (
            schema("mine", "Model", "ObjectNode", r#"{"module_path":"builtins","function":"list"}"#),
            Some("SKO102"),
        ),
        (schema("numpy", "ufunc", "FunctionNode", r#"{"module_path":"builtins","function":"list"}"#), None),
        (schema("operator", "methodcaller", "OperatorFuncNode", "[]"), Some("SKO101")),
        (schema("builtins", "dict", "MethodNode", "{}"), Some("SKO101")),
        (schema("mine", "Model", "ObjectNode", "{}"), Some("SKO102")),
        // What these hold is checked in pickles alone; skops would set it, and scipy execute a part of it.
        (schema("scipy.stats._continuous_distns", "norm_gen", "ObjectNode", "{}"), Some("SKO102")),
        (schema("pandas.arrays", "ArrowStringArray", "ObjectNode", "{}"), Some("SKO102")),
        (schema("numpy", "vectorize", "ObjectNode", "{}"), Some("SKO102")),
        (schema("builtins", "getattr", "FunctionNode", "{}"), Some("SKO101")),
        (schema("builtins", "dict", "NewNode", "{}"), Some("SKO102")),
        (r#"{"__loader__":"DictNode","protocol":2}"#.to_owned(), Some("INT803")),
    ] {
        for text in [text.clone(), inner(&text)] {
            let found = fired(&text);
            assert_eq!(found.first().map(String::as_str), rule, "{text}");
        }
    }
    for text in
        ["", "{", "{}", "[]", r#"{"__loader__":"DictNode","__class__":"dict","__module__":"builtins"}"#]
    {
        assert!(fired(text).contains(&"INT803".to_owned()), "{text}");
    }
}

#[test]
fn an_archive_is_judged_by_its_schema() {
    let judge = |text: &str| build::judge("m.skops", &build::zip(&[("schema.json", text.as_bytes())]));
    let report = judge(&schema("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode", "{}"));
    assert!(build::passes(&report), "{:?}", report.findings);
    let report = judge(&schema("os", "system", "FunctionNode", "{}"));
    assert!(build::rules(&report).contains(&"SKO101"), "{:?}", report.findings);
}

#[test]
fn an_archive_tells_which_version_wrote_it() {
    let text = r#"{"__class__":"dict","__module__":"builtins","__loader__":"DictNode","content":{},"protocol":2,"_skops_version":"0.12"}"#;
    let report = build::judge("m.skops", &build::zip(&[("schema.json", text.as_bytes())]));
    assert_eq!(build::told(&report.facts.unwrap()), ["skops: 0.12"]);
}
