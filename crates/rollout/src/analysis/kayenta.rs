//! Metrics that are judged the way of Kayenta: values are collected look by look, and when the lifetime is over each metric
//! gets its class and all of them one score, once. The score decides, no metric of it does.
//!
//! Where Kayenta's score would be 0 because too little is known, a person decides here; a critical metric of which a
//! version has no values fails, as it does there. The judge holds no error rate, and says so wherever it speaks.

mod sentence;

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_domain::{
    Timestamp,
    analysis::{Analysis, JudgeState, Measurement, Metric, MetricPhase},
    evidence::Test,
    kayenta::{
        Direction, EffectMeasure, KayentaClass, KayentaEvidence, KayentaJudged, KayentaMetric, KayentaScore,
        NanStrategy, SCORE,
    },
};
use tagship_stats::kayenta::{
    self, Cause, Class, Entry, Judged, Limits, Measure, Nan, Outliers, Reason, Score, Settings, Thresholds,
    Verdict,
};

use super::phase;

/// Makes room for a new period where the last one left no score that stands: a person has resumed.
pub(super) fn begin(analysis: &Analysis, judges: &mut BTreeMap<String, JudgeState>) {
    if stands(judges) {
        return;
    }
    for metric in analysis.metrics.iter().filter(|metric| metric.kayenta.is_some()) {
        if judges.get(&metric.name).is_some_and(super::has_ended) {
            judges.remove(&metric.name);
        }
    }
}

/// A person goes on: what ended undecided is measured for another lifetime.
pub(super) fn resume(judges: &mut BTreeMap<String, JudgeState>) {
    if judges.get(SCORE).is_some_and(|score| score.phase == MetricPhase::Inconclusive) {
        judges.remove(SCORE);
    }
}

/// Keeps the values of a look.
pub(super) fn take(state: &mut JudgeState, metric: &Metric, stable: Option<&Value>, result: &Value) {
    let Some(stable) = stable else {
        return phase::error(
            state,
            metric,
            "its source did not answer about stable, which it is compared with",
        );
    };
    let (Ok(stable), Ok(candidate)) = (number(stable), number(result)) else {
        let why =
            "its source answered with something else than a number; name the place of a number in the answer";
        return phase::error(state, metric, why);
    };
    let mut evidence = match state.evidence.as_mut().and_then(|known| known.test.take()) {
        Some(Test::Kayenta(evidence)) => evidence,
        _ => KayentaEvidence::default(),
    };
    if (evidence.samples.len() as u64) < KayentaMetric::MOST_SAMPLES {
        evidence.samples.push([stable, candidate]);
    }
    state.looks.consecutive_errors = 0;
    state.looks.measured += u64::from(stable.is_some() && candidate.is_some());
    let sides = [0, 1].map(|side| known(&evidence.samples, side));
    state.n = sides[1].len() as u64;
    let numbers = Measurement {
        value: mean(&sides[1]),
        stable: mean(&sides[0]),
        look: candidate,
        n: sides.map(|values| values.len() as u64),
        ..Measurement::default()
    };
    state.measurement = Some(numbers.rounded());
    if let Some(known) = &mut state.evidence {
        known.test = Some(Test::Kayenta(evidence));
    }
    let open = if state.looks.measured > 0 { MetricPhase::Running } else { MetricPhase::Pending };
    state.phase = phase::settle(state, metric, open);
    state.message = sentence::collecting(metric, state);
}

/// Judges the metrics and their score where the lifetime is over; says how far it is before that.
pub(super) fn judge(
    analysis: &Analysis,
    applying: &[&Metric],
    judges: &mut BTreeMap<String, JudgeState>,
    at: Timestamp,
) {
    let metrics: Vec<(&Metric, &KayentaMetric)> =
        applying.iter().filter_map(|metric| Some((*metric, metric.kayenta.as_ref()?))).collect();
    let Some(policy) = analysis.kayenta.as_ref().filter(|_| !metrics.is_empty()) else { return };
    if stands(judges) {
        return;
    }
    let began =
        metrics.iter().filter_map(|(metric, _)| Some(judges.get(&metric.name)?.evidence.as_ref()?.since));
    let Some(since) = began.min() else { return };
    if at < since.after(policy.lifetime) {
        let n = metrics.iter().filter_map(|(metric, _)| judges.get(&metric.name)).map(numbers).min();
        judges.insert(SCORE.to_owned(), waiting(policy, n.unwrap_or_default()));
        return;
    }
    let entries: Vec<Entry> =
        metrics.iter().map(|(metric, settings)| class_of(metric, settings, judges, at)).collect();
    judges.insert(SCORE.to_owned(), scored(policy, &entries, &metrics, judges));
}

/// What stands for a metric when verdicts are added up: the score for one that has a part in it, unless it could not be
/// measured for too long.
pub(super) fn verdict<'a>(
    metric: &'a Metric,
    judges: &'a BTreeMap<String, JudgeState>,
) -> Option<(&'a str, &'a JudgeState)> {
    let own = judges.get(&metric.name)?;
    if metric.kayenta.is_none() || own.phase == MetricPhase::Error {
        return Some((&metric.name, own));
    }
    judges.get(SCORE).map(|score| (SCORE, score)).or(Some((&metric.name, own)))
}

/// Whether there is a score that is not computed again.
fn stands(judges: &BTreeMap<String, JudgeState>) -> bool {
    judges.get(SCORE).is_some_and(|score| !matches!(score.phase, MetricPhase::Pending | MetricPhase::Running))
}

fn numbers(state: &JudgeState) -> [u64; 2] {
    state.measurement.as_ref().map(|numbers| numbers.n).unwrap_or_default()
}

fn waiting(policy: &KayentaScore, n: [u64; 2]) -> JudgeState {
    JudgeState {
        measurement: Some(Measurement { n, ..Measurement::default() }),
        ..JudgeState::checked(MetricPhase::Running, n[1], sentence::waiting(policy, n))
    }
}

/// Gives a metric its class; answers its part in the score.
fn class_of(
    metric: &Metric,
    settings: &KayentaMetric,
    judges: &mut BTreeMap<String, JudgeState>,
    at: Timestamp,
) -> Entry {
    let state = judges.entry(metric.name.clone()).or_insert_with(phase::pending);
    let samples = match state.evidence.as_ref().and_then(|known| known.test.as_ref()) {
        Some(Test::Kayenta(evidence)) => evidence.samples.as_slice(),
        _ => &[],
    };
    let side =
        |side: usize| -> Vec<f64> { samples.iter().map(|values| values[side].unwrap_or(f64::NAN)).collect() };
    let n = [0, 1].map(|side| known(samples, side).len() as u64);
    let mut how = stats(settings);
    if n.contains(&0) {
        // A version that never reported anything did not report zeros.
        how.nan = Nan::Remove;
    }
    let found = kayenta::judge(&how, &side(0), &side(1));
    let judged = figures(&found, n, at);
    state.message = sentence::judged(metric, settings, &judged, found.reason, found.critical);
    if state.phase != MetricPhase::Error {
        state.phase = phase_of(found.class);
    }
    if let Some(known) = &mut state.evidence {
        known.test = Some(Test::Kayenta(KayentaEvidence { samples: vec![], judged: Some(judged) }));
    }
    Entry {
        name: metric.name.clone(),
        groups: settings.groups.clone(),
        muted: !metric.decides(),
        class: found.class,
        critical: found.critical,
    }
}

fn scored(
    policy: &KayentaScore,
    entries: &[Entry],
    metrics: &[(&Metric, &KayentaMetric)],
    judges: &BTreeMap<String, JudgeState>,
) -> JudgeState {
    let n = metrics.iter().filter_map(|(metric, _)| judges.get(&metric.name)).map(numbers).min();
    let n = n.unwrap_or_default();
    let thresholds = Thresholds { pass: policy.pass, marginal: policy.marginal };
    match kayenta::score(entries, &policy.group_weights, thresholds) {
        Err(error) => JudgeState::checked(MetricPhase::Error, n[1], format!("there is no score: {error}")),
        Ok(score) => JudgeState {
            measurement: Some(Measurement { value: Some(score.total), n, ..Measurement::default() }),
            ..JudgeState::checked(outcome(&score, entries), n[1], sentence::scored(policy, &score, entries))
        },
    }
}

/// What is known to be bad fails, what is not known is for a person.
fn outcome(score: &Score, entries: &[Entry]) -> MetricPhase {
    match (&score.cause, score.verdict) {
        (Cause::CriticalMetric(_), _) | (Cause::Groups, Verdict::Fail) => MetricPhase::Failed,
        (Cause::CriticalUnknown(name), _) => {
            let has_nothing = entries.iter().any(|entry| entry.name == *name && entry.class == Class::Nodata);
            if has_nothing { MetricPhase::Failed } else { MetricPhase::Inconclusive }
        }
        (Cause::MostlyUnknown | Cause::GroupsUnknown, _) | (Cause::Groups, Verdict::Marginal) => {
            MetricPhase::Inconclusive
        }
        (Cause::Groups, Verdict::Pass) => MetricPhase::Successful,
    }
}

const fn phase_of(class: Class) -> MetricPhase {
    match class {
        Class::Pass => MetricPhase::Successful,
        Class::High | Class::Low | Class::NodataFailMetric => MetricPhase::Failed,
        Class::Nodata | Class::Inconclusive => MetricPhase::Inconclusive,
    }
}

fn figures(found: &Judged, n: [u64; 2], at: Timestamp) -> KayentaJudged {
    let class = match found.class {
        Class::Pass => KayentaClass::Pass,
        Class::High => KayentaClass::High,
        Class::Low => KayentaClass::Low,
        Class::Nodata => KayentaClass::Nodata,
        Class::NodataFailMetric => KayentaClass::NodataFailMetric,
        Class::Inconclusive => KayentaClass::Inconclusive,
    };
    let (shift, effect) = match found.reason {
        Reason::Compared { comparison, effect } => {
            let ends = comparison.interval;
            (Some([ends.low, comparison.estimate, ends.high]), effect)
        }
        _ => (None, None),
    };
    KayentaJudged { at, class, n, shift, effect }
}

fn stats(settings: &KayentaMetric) -> Settings {
    let measure = match settings.effect_size.measure {
        EffectMeasure::MeanRatio => Measure::MeanRatio,
        EffectMeasure::Cles => Measure::Cles,
    };
    let (none, size) = (measure.limits(), settings.effect_size);
    Settings {
        direction: match settings.direction {
            Direction::Increase => kayenta::Direction::Increase,
            Direction::Decrease => kayenta::Direction::Decrease,
            Direction::Either => kayenta::Direction::Either,
        },
        nan: match settings.nan_strategy {
            NanStrategy::Remove => Nan::Remove,
            NanStrategy::Replace => Nan::Replace,
        },
        outliers: settings.outlier_factor.map_or(Outliers::Keep, |factor| Outliers::Remove { factor }),
        must_have_data: settings.must_have_data,
        critical: settings.critical,
        measure,
        limits: Some(Limits {
            allowed_increase: size.allowed_increase.unwrap_or(none.allowed_increase),
            allowed_decrease: size.allowed_decrease.unwrap_or(none.allowed_decrease),
            critical_increase: size.critical_increase.unwrap_or(none.critical_increase),
            critical_decrease: size.critical_decrease.unwrap_or(none.critical_decrease),
        }),
    }
}

/// A number with as many digits as a shift that counts needs; nothing where there was none.
fn number(value: &Value) -> Result<Option<f64>, ()> {
    match value {
        Value::Null => Ok(None),
        other => {
            let number = other.as_f64().ok_or(())?;
            Ok(Some(format!("{number:.5e}").parse().unwrap_or(number)))
        }
    }
}

fn known(samples: &[[Option<f64>; 2]], side: usize) -> Vec<f64> {
    samples.iter().filter_map(|values| values[side]).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred values")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
