//! Policies in Kayenta's words with one mistake each, and the one answer to it.

use crate::parse_analysis;

/// An analysis whose second line is about the score and whose fourth about a metric; the answers to it.
fn answers(score: &str, metric: &str) -> String {
    let text = format!(
        "interval: 1m\n{score}\nmetrics:\n  - {{ name: l, kind: value, judge: kayenta, {metric} }}\n  - {{ name: e, kind: error-ratio }}\n"
    );
    answers_to(&text)
}

fn answers_to(text: &str) -> String {
    let Err(errors) = parse_analysis("a.yml", text) else { return "nothing".to_owned() };
    let lines: Vec<String> = errors
        .diagnostics
        .iter()
        .map(|found| {
            let help = found.help.as_deref().map_or_else(String::new, |help| format!(" | {help}"));
            let at = &found.location;
            format!("{}:{} {}: {}{help}", at.line, at.column, at.key_path, found.message)
        })
        .collect();
    lines.join("\n")
}

const SCORE: &str = "kayenta: { lifetime: 30m }";
const SOURCE: &str = "source: { http: { url: \"x/{{arm}}\" } }";

#[test]
fn every_mistake_in_a_metric_has_its_answer() {
    let mut wrong = vec![];
    for (keys, expected) in METRICS {
        let found = answers(SCORE, &format!("{keys}, {SOURCE}"));
        if found != *expected {
            wrong.push(format!("{keys}\nexpected {expected}\nfound    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_mistake_in_a_score_has_its_answer() {
    let mut wrong = vec![];
    for (keys, expected) in SCORES {
        let found = answers(keys, &format!("groups: [a, b], {SOURCE}"));
        if found != *expected {
            wrong.push(format!("{keys}\nexpected {expected}\nfound    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_missing_or_alone_has_its_answer() {
    let mut wrong = vec![];
    for (text, expected) in WHOLE {
        let found = answers_to(text);
        if found != *expected {
            wrong.push(format!("{text}\nexpected {expected}\nfound    {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const METRICS: &[(&str, &str)] = &[
    ("critical: true", "nothing"),
    (
        "max: 5",
        "4:45 metrics[0].max: `max` is about conditions, and the judge `kayenta` compares with stable | leave it out, or leave `judge` out to judge by conditions",
    ),
    (
        "success: result < 5, count: 3",
        "4:45 metrics[0].success: `success` is about conditions, and the judge `kayenta` compares with stable | leave it out, or leave `judge` out to judge by conditions\n4:66 metrics[0].count: `count` is about conditions, and the judge `kayenta` compares with stable | leave it out, or leave `judge` out to judge by conditions",
    ),
    (
        "failure-limit: 1, on-no-data: fail, min-samples: 9",
        "4:45 metrics[0].failure-limit: `failure-limit` is not read by the judge `kayenta`, which compares values once | leave it out; `direction`, `effect-size` and `nan-strategy` say what counts\n4:63 metrics[0].on-no-data: `on-no-data` is not read by the judge `kayenta`, which compares values once | leave it out; `direction`, `effect-size` and `nan-strategy` say what counts\n4:81 metrics[0].min-samples: `min-samples` is not read by the judge `kayenta`, which compares values once | leave it out; `direction`, `effect-size` and `nan-strategy` say what counts",
    ),
    (
        "weight: 2",
        "4:45 metrics[0].weight: value takes nothing of the error rate, so it has no weight | leave `weight` out",
    ),
    (
        "groups: []",
        "4:45 metrics[0].groups: a metric in no group has no part in the score | name one, or leave `groups` out",
    ),
    (
        "groups: [a, \"\", a]",
        "4:57 metrics[0].groups[1]: the name of the group is empty | write what people call it, e.g. `groups: [latency]`\n4:61 metrics[0].groups[2]: the group is named twice | leave one of them out",
    ),
    (
        "direction: up",
        "4:56 metrics[0].direction: expected one of `increase`, `decrease`, `either`, found `up`",
    ),
    ("nan-strategy: zero", "4:59 metrics[0].nan-strategy: expected one of `remove`, `replace`, found `zero`"),
    (
        "outliers: {}",
        "4:45 metrics[0].outliers.strategy: the key `strategy` is missing | write `outliers: { strategy: remove, outlier-factor: 3 }`, or leave it out to keep all",
    ),
    (
        "outliers: { strategy: keep, outlier-factor: 2 }",
        "4:73 metrics[0].outliers.outlier-factor: outliers are kept, so nothing is done with a factor | write `outliers: { strategy: remove, outlier-factor: 3 }`, or leave it out to keep all",
    ),
    (
        "outliers: { strategy: remove, outlier-factor: -1 }",
        "4:91 metrics[0].outliers.outlier-factor: a factor is 0 or more, not -1 | write `outliers: { strategy: remove, outlier-factor: 3 }`, or leave it out to keep all",
    ),
    (
        "effect-size: { allowed-increase: 0.9, allowed-decrease: 1.1 }",
        "4:78 metrics[0].effect-size.allowed-increase: a limit of this kind is 1 or more, not 0.9 | 1 is no change\n4:101 metrics[0].effect-size.allowed-decrease: a limit of this kind is 0 to 1, not 1.1 | 1 is no change",
    ),
    (
        "effect-size: { measure: cles, allowed-increase: 1.2 }",
        "4:93 metrics[0].effect-size.allowed-increase: a limit of this kind is 0.5 to 1, not 1.2 | 0.5 is no change",
    ),
    (
        "effect-size: { critical-increase: 1.5 }",
        "4:60 metrics[0].effect-size.critical-increase: `critical-increase` is about critical metrics, and this one is not | write `critical: true`, or leave it out",
    ),
    (
        "horizon: { after: 1h }",
        "4:45 metrics[0].horizon: `horizon` is about scores, and value is none | leave it out, or choose the kind `score`",
    ),
];

const SCORES: &[(&str, &str)] = &[
    ("kayenta: { lifetime: 30m, group-weights: { a: 60 } }", "nothing"),
    (
        "kayenta: {}",
        "2:1 kayenta.lifetime: the key `lifetime` is missing | write how long values are collected, e.g. `lifetime: 30m`",
    ),
    (
        "kayenta: { lifetime: 3m }",
        "2:22 kayenta.lifetime: 3m holds 4 looks of 1m, and 5 values are the least to compare | write a longer lifetime, or a shorter `interval`; 50 values tell more",
    ),
    (
        "kayenta: { lifetime: 5h }",
        "2:22 kayenta.lifetime: 5h holds 301 looks of 1m, and the journal keeps 240 values | write a longer `interval`, or a shorter lifetime",
    ),
    (
        "kayenta: { lifetime: 30m, group-weights: { c: 60 } }",
        "2:44 kayenta.group-weights.c: no metric that counts is in the group `c` | the groups are `a`, `b`",
    ),
    (
        "kayenta: { lifetime: 30m, group-weights: { a: -1 } }",
        "2:47 kayenta.group-weights.a: a weight is 0 to 100, not -1 | weights are parts of 100",
    ),
    (
        "kayenta: { lifetime: 30m, group-weights: { a: 60, b: 60 } }",
        "2:27 kayenta.group-weights: the weights add up to 120, not to 100 | make them add up to 100, or leave one out that takes the rest",
    ),
    (
        "kayenta: { lifetime: 30m, group-weights: { a: 100 } }",
        "2:27 kayenta.group-weights: weights of 100 leave nothing for the groups without one | make them add up to less than 100, or give every group one",
    ),
    (
        "kayenta: { lifetime: 30m, score-thresholds: { pass: 50, marginal: 75 } }",
        "2:27 kayenta.score-thresholds: 75 for marginal and 50 for pass are not in order within 0 to 100 | write e.g. `score-thresholds: { pass: 75, marginal: 50 }`",
    ),
    (
        "kayenta: { lifetime: 30m, score-thresholds: { pas: 50 } }",
        "2:47 kayenta.score-thresholds.pas: unknown key `pas` | did you mean `pass`?",
    ),
];

const WHOLE: &[(&str, &str)] = &[
    (
        "metrics:\n  - { name: l, kind: value, judge: kayenta, source: { http: { url: \"x/{{arm}}\" } } }\n  - { name: e, kind: error-ratio }\n",
        "2:36 metrics[0].judge: the judge of Kayenta judges once, and nothing says when | write `kayenta: { lifetime: 30m }` beside `metrics`",
    ),
    (
        "kayenta: { lifetime: 30m }\nmetrics:\n  - { name: e, kind: error-ratio }\n",
        "1:1 kayenta: no metric has the judge `kayenta`, so there is nothing to score | give one `kind: value` and `judge: kayenta`, or leave `kayenta` out",
    ),
    (
        "kayenta: { lifetime: 30m }\nmetrics:\n  - { name: l, kind: value, judge: kayenta, source: { http: { url: \"x/{{arm}}\" } } }\n",
        "3:22 metrics[0].kind: a score never promotes alone: it is judged once, and nothing watches the new version before and after that | add a metric that is judged at every look, e.g. `{ name: errors, kind: error-ratio }`",
    ),
    (
        "kayenta: { lifetime: 30m }\nmetrics:\n  - { name: l, kind: value, judge: kayenta, dry-run: true, source: { http: { url: \"x/{{arm}}\" } } }\n  - { name: e, kind: error-ratio }\n",
        "1:1 kayenta: every metric with the judge `kayenta` is a dry run, so that none counts | let one of them decide, or leave `kayenta` out",
    ),
    (
        "kayenta: { lifetime: 30m }\nmetrics:\n  - { name: l, kind: value, judge: kayenta }\n  - { name: m, kind: value, judge: kayenta, source: { http: { url: x } } }\n  - { name: e, kind: error-ratio }\n",
        "3:5 metrics[0].source: a value is answered by a source, not by the target | name one, e.g. `source: { http: { url: \"https://metrics.example/{{arm}}\" } }`\n4:45 metrics[1].source: both versions are compared, and the source is asked without {{arm}} | write {{arm}} where the version stands, so that both are asked about",
    ),
    (
        "metrics:\n  - { name: e, kind: error-ratio, critical: true }\n",
        "2:35 metrics[0].critical: `critical` is about a score over several metrics, and this one decides by itself: the new version goes back at once when it is bad | leave `critical` out; only metrics with the judge `kayenta` have it",
    ),
    (
        "metrics:\n  - { name: e, kind: value, max: 1, direction: increase, groups: [a], source: { http: { url: x } } }\n",
        "2:37 metrics[0].direction: only the judge `kayenta` reads `direction` | leave it out, or write `kind: value` and `judge: kayenta`\n2:58 metrics[0].groups: only the judge `kayenta` reads `groups` | leave it out, or write `kind: value` and `judge: kayenta`",
    ),
    (
        "metrics:\n  - { name: e, kind: error-ratio, judge: kayenta }\n",
        "2:42 metrics[0].judge: the judge `kayenta` does not fit the kind error-ratio | write `two-speed` or `boundary-e`, or leave `judge` out",
    ),
    (
        "metrics:\n  - { name: kayenta score, kind: error-ratio }\n",
        "2:13 metrics[0].name: the name `kayenta score` is taken by the score over metrics | write what people call it, e.g. `name: errors`",
    ),
];
