//! All checks of the gate, one after the other.

use serde_json::{Map, Value, json};
use tagship_domain::gate::{GateReport, MetricDiff};

use crate::{
    commit_checks, compare,
    metrics::{self, Metrics},
    request::GateRequest,
    rules, tests_check, validated,
};

/// Judges a candidate. Total: whatever the files hold, the answer is a report.
///
/// The checks, in this order:
/// - *validation*, where one is given or a digest is judged: it passed, for these bytes;
/// - *commit checks* that the settings name: all of them green;
/// - *tests*, where there are reports: nothing failed, enough ran, no more flaky ones than allowed;
/// - *metrics*, where there is a file: it can be read, and every number is finite;
/// - *rules*: each holds over `metrics`, `stable`, `tests`, `validation` and `model`. A rule that reads `stable`
///   does not apply where there is none, unless a baseline is required;
/// - *compare*: candidate against stable on the same rows. Predictions are CSV with a header that names
///   `id`, `label` and `prediction`; other columns are not read.
pub fn judge(request: &GateRequest<'_>) -> GateReport {
    let validated = validated::Validated::of(request);
    let metrics = request.metrics.map(metrics::read);
    let tests = tests_check::summarise(request.tests);
    let data = rule_data(request, &validated, metrics.as_ref(), tests.as_ref());

    let mut checks = Vec::new();
    checks.extend(validated.check(request));
    checks.extend(commit_checks::checks(&request.settings.checks, request.commit_checks));
    checks.extend(tests.as_ref().map(|tests| tests_check::check(tests, &request.settings.tests)));
    checks.extend(metrics.as_ref().map(metrics::check));
    let not_finite = metrics.as_ref().map_or(&[][..], |metrics| &metrics.not_finite);
    checks.extend(request.settings.rules.iter().map(|rule| rules::check(rule, request, &data, not_finite)));
    checks.extend(request.settings.compare.as_ref().map(|settings| compare::check(settings, request)));

    GateReport {
        model: request.model.cloned(),
        digest: request.digest.or(validated.digest()).cloned(),
        stable: request.stable.map(|stable| stable.version.clone()),
        outcome: GateReport::worst(&checks),
        checks,
        metrics: diff(request, metrics.as_ref()),
    }
}

/// What rules see. A root of which nothing is known is left out, so that a rule that reads it is undecided.
fn rule_data(
    request: &GateRequest<'_>,
    validated: &validated::Validated<'_>,
    metrics: Option<&Metrics>,
    tests: Option<&tests_check::Summary>,
) -> Value {
    let mut data = Map::new();
    data.insert("model".to_owned(), validated.model_data(request));
    if let Some(metrics) = metrics.filter(|metrics| metrics.problem.is_none()) {
        data.insert("metrics".to_owned(), metrics.data.clone());
    }
    if let Some(stable) = request.stable {
        let metrics = metrics::nested(&stable.metrics);
        let stable = json!({ "version": stable.version.to_string(), "metrics": metrics });
        data.insert("stable".to_owned(), stable);
    }
    if let Some(tests) = tests.and_then(tests_check::Summary::data) {
        data.insert("tests".to_owned(), tests);
    }
    if let Some(validation) = validated.validation_data() {
        data.insert("validation".to_owned(), validation);
    }
    Value::Object(data)
}

/// Every metric of either side, by name.
fn diff(request: &GateRequest<'_>, metrics: Option<&Metrics>) -> Vec<MetricDiff> {
    let none = std::collections::BTreeMap::new();
    let candidate = metrics.map_or(&none, |metrics| &metrics.numbers);
    let stable = request.stable.map_or(&none, |stable| &stable.metrics);
    let mut names: Vec<&String> = candidate.keys().chain(stable.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let pair = |name: &String| MetricDiff {
        name: name.clone(),
        candidate: candidate.get(name).copied(),
        stable: stable.get(name).copied(),
    };
    names.into_iter().map(pair).collect()
}
