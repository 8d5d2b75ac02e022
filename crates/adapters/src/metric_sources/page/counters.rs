//! From the series of a page to counters by version.
//!
//! | series | counter |
//! |---|---|
//! | `tagship_requests_total`, all outcomes | `requests` |
//! | `tagship_errors_total` | `errors` |
//! | `tagship_request_duration_seconds_bucket` | `latency`; absent without series |
//! | `tagship_feedback_total` by outcome | `correct`, `incorrect`; none came where both are absent |
//! | `tagship_predicted_labels_total` by label | `classes`; absent without series |
//! | `tagship_shadow_requests_total`, `tagship_shadow_feedback_total` by outcome | `shadow`; absent without series |
//! | `tagship_shadow_inference_seconds_bucket` by `of` | its two histograms; absent without series |
//! | `tagship_shadow_score_distance_bucket` | its distances; absent without series |
//!
//! Of those with a `route`, requests that were routed by weight (`weighted`) or by a header (`matched`) are evidence, and
//! added up; those that named the version (`direct`) are not.
//!
//! A version is known when its requests are counted. Of what belongs together all series must be there: errors that
//! are not said are no zero, and half of a feedback would be a verdict.

use std::collections::{BTreeMap, BTreeSet};

use tagship_domain::{
    ModelName, Version,
    traffic::{Counters, Histogram, ShadowCounters},
};

use super::text::{Kind, Page, PageError, Sample};

const REQUESTS: &str = "tagship_requests_total";
const ERRORS: &str = "tagship_errors_total";
const LATENCY: &str = "tagship_request_duration_seconds";
const FEEDBACK: &str = "tagship_feedback_total";
const CLASSES: &str = "tagship_predicted_labels_total";
const SHADOW: &str = "tagship_shadow_requests_total";
const SHADOW_DURATION: &str = "tagship_shadow_inference_seconds";
const SHADOW_DISTANCE: &str = "tagship_shadow_score_distance";
const SHADOW_FEEDBACK: &str = "tagship_shadow_feedback_total";

/// From the seconds of a page to milliseconds.
const MILLIS: f64 = 1000.0;

/// Ways of requests that are evidence about a version.
const EVIDENCE: [&str; 2] = ["weighted", "matched"];

/// Counters by version of a model; nothing for a model that the page does not name.
pub(super) fn of(page: &Page, model: &ModelName) -> Result<BTreeMap<Version, Counters>, PageError> {
    if !page.types.contains_key(REQUESTS) {
        return Err(PageError { line: None, message: format!("it has no metric {REQUESTS}") });
    }
    for name in [REQUESTS, ERRORS, FEEDBACK, CLASSES, SHADOW, SHADOW_FEEDBACK] {
        must_be(page, name, Kind::Counter)?;
    }
    for name in [LATENCY, SHADOW_DURATION, SHADOW_DISTANCE] {
        must_be(page, name, Kind::Histogram)?;
    }
    let mut versions = BTreeSet::new();
    for sample in page.samples.iter().filter(|sample| sample.name == REQUESTS && is_about(sample, model)) {
        versions.insert(label(sample, "version")?);
    }
    let counters = versions.into_iter().map(|text| {
        let version = text.parse::<Version>().map_err(|error| about(model, text, &error.to_string()))?;
        let here = page.samples.iter().filter(|sample| {
            is_about(sample, model) && sample.labels.get("version").is_some_and(|label| label == text)
        });
        let arm = ArmSeries { model, version: text, samples: here.collect() };
        arm.counters().map(|counters| (version, counters))
    });
    counters.collect()
}

fn is_about(sample: &Sample, model: &ModelName) -> bool {
    sample.labels.get("model").is_some_and(|label| label == model.as_str())
}

fn about(model: &ModelName, version: &str, message: &str) -> PageError {
    PageError { line: None, message: format!("{model} {version}: {message}") }
}

/// A metric that has series must be declared, as the type it is.
fn must_be(page: &Page, name: &str, kind: Kind) -> Result<(), PageError> {
    let wrong = |line: usize, message: String| Err(PageError { line: Some(line), message });
    match page.types.get(name) {
        Some((declared, line)) if *declared != kind => {
            wrong(*line, format!("{name} is a {declared}, and must be a {kind}"))
        }
        Some(_) => Ok(()),
        None => {
            let series = |sample: &&Sample| match sample.name.strip_prefix(name) {
                Some("") => true,
                Some("_bucket" | "_sum" | "_count") => kind == Kind::Histogram,
                _ => false,
            };
            match page.samples.iter().find(series) {
                Some(sample) => wrong(sample.line, format!("the type of {name} is not declared")),
                None => Ok(()),
            }
        }
    }
}

/// Everything about one version.
struct ArmSeries<'a> {
    model: &'a ModelName,
    version: &'a str,
    samples: Vec<&'a Sample>,
}

impl<'a> ArmSeries<'a> {
    fn counters(&self) -> Result<Counters, PageError> {
        let mut requests = 0;
        for sample in EVIDENCE.iter().flat_map(|route| self.routed(REQUESTS, route)) {
            label(sample, "outcome")?;
            requests += count(sample)?;
        }
        let errors = EVIDENCE.iter().flat_map(|route| self.routed(ERRORS, route)).map(count);
        let errors = errors.collect::<Result<Vec<u64>, _>>()?;
        if errors.is_empty() {
            return Err(self.lacks(ERRORS, "errors"));
        }
        let errors = errors.iter().sum();
        if errors > requests {
            return Err(about(self.model, self.version, &format!("{errors} errors in {requests} requests")));
        }
        let (mut correct, mut incorrect) = (0, 0);
        for route in EVIDENCE {
            let feedback = by(self.routed(FEEDBACK, route), "outcome")?;
            let [right, wrong] = self.all(FEEDBACK, &feedback, ["correct", "incorrect"])?.unwrap_or_default();
            (correct, incorrect) = (correct + right, incorrect + wrong);
        }
        let classes = by(self.named(CLASSES), "label")?;
        let classes = (!classes.is_empty())
            .then(|| classes.into_iter().map(|(class, count)| (class.to_owned(), count)).collect());
        let [weighted, matched] = EVIDENCE.map(|route| self.histogram(LATENCY, MILLIS, is_routed(route)));
        let (latency, shadow) = (self.both(weighted?, matched?)?, self.shadow()?);
        Ok(Counters { requests, errors, latency, correct, incorrect, classes, shadow })
    }

    fn named(&self, name: &'static str) -> impl Iterator<Item = &'a Sample> {
        self.samples.iter().filter(move |sample| sample.name == name).copied()
    }

    /// Series of requests that came this way.
    fn routed(&self, name: &'static str, route: &'static str) -> impl Iterator<Item = &'a Sample> {
        self.named(name).filter(move |sample| is_routed(route)(sample))
    }

    /// Two histograms of the same version as one.
    fn both(&self, one: Option<Histogram>, two: Option<Histogram>) -> Result<Option<Histogram>, PageError> {
        match (one, two) {
            (Some(one), Some(two)) if one.bounds == two.bounds => {
                let counts = one.counts.iter().zip(&two.counts).map(|(one, two)| one + two).collect();
                Ok(Some(Histogram { bounds: one.bounds, counts }))
            }
            (Some(_), Some(_)) => Err(about(
                self.model,
                self.version,
                &format!("the bounds of {LATENCY} differ between routes"),
            )),
            (one, two) => Ok(one.or(two)),
        }
    }

    fn lacks(&self, name: &str, what: &str) -> PageError {
        about(self.model, self.version, &format!("it has no series of {name} for {what}"))
    }

    /// The counts of all `outcomes`; nothing where there is none of them.
    fn all<const N: usize>(
        &self,
        name: &str,
        counts: &BTreeMap<&str, u64>,
        outcomes: [&str; N],
    ) -> Result<Option<[u64; N]>, PageError> {
        if counts.is_empty() {
            return Ok(None);
        }
        let mut found = [0; N];
        for (count, outcome) in found.iter_mut().zip(outcomes) {
            *count = *counts.get(outcome).ok_or_else(|| self.lacks(name, outcome))?;
        }
        Ok(Some(found))
    }

    fn shadow(&self) -> Result<Option<ShadowCounters>, PageError> {
        let (requests, feedback) =
            (by(self.named(SHADOW), "outcome")?, by(self.named(SHADOW_FEEDBACK), "outcome")?);
        let requests = self.all(SHADOW, &requests, ["agreed", "disagreed", "failed"])?;
        let outcomes = ["both_right", "both_wrong", "only_stable_wrong", "only_candidate_wrong"];
        let feedback = self.all(SHADOW_FEEDBACK, &feedback, outcomes)?;
        let Some([agreed, disagreed, failed]) = requests else { return Ok(None) };
        let [both_right, both_wrong, only_stable_wrong, only_candidate_wrong] =
            feedback.ok_or_else(|| self.lacks(SHADOW_FEEDBACK, "the copies it answered"))?;
        Ok(Some(ShadowCounters {
            compared: agreed + disagreed,
            disagreed,
            labelled: both_right + both_wrong + only_stable_wrong + only_candidate_wrong,
            only_stable_wrong,
            only_candidate_wrong,
            failed,
            latency: self.histogram(SHADOW_DURATION, MILLIS, is_of("shadow"))?,
            distances: self.histogram(SHADOW_DISTANCE, 1.0, |_| true)?,
            stable_latency: self.histogram(SHADOW_DURATION, MILLIS, is_of("original"))?,
        }))
    }

    /// A histogram, not cumulated, of the series that are meant, its bounds in another unit.
    fn histogram(
        &self,
        name: &str,
        unit: f64,
        is_meant: impl Fn(&Sample) -> bool,
    ) -> Result<Option<Histogram>, PageError> {
        let part = |suffix: &'static str| {
            let meant = self.samples.iter().copied().filter(|sample| is_meant(sample));
            meant.filter(move |sample| sample.name.strip_prefix(name) == Some(suffix))
        };
        let mut buckets = Vec::new();
        for sample in part("_bucket") {
            let le = label(sample, "le")?;
            let bound = le.parse::<f64>().ok().filter(|bound| !bound.is_nan());
            let bound = bound.ok_or_else(|| wrong(sample, &format!("{le:?} is no bound of a bucket")))?;
            buckets.push((bound, count(sample)?, sample));
        }
        buckets.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        let Some((last, total, sample)) = buckets.last().copied() else { return Ok(None) };
        if last != f64::INFINITY {
            return Err(wrong(sample, "the histogram has no bucket le=\"+Inf\""));
        }
        for said in part("_count") {
            if count(said)? != total {
                return Err(wrong(said, &format!("the last bucket holds {total}")));
            }
        }
        let (mut bounds, mut counts, mut below) = (Vec::new(), Vec::new(), 0);
        for (bound, cumulative, sample) in buckets {
            let here = cumulative.checked_sub(below);
            counts.push(here.ok_or_else(|| wrong(sample, "the bucket holds less than the one below it"))?);
            below = cumulative;
            if bound.is_finite() {
                bounds.push(bound * unit);
            }
        }
        if bounds.windows(2).any(|pair| pair[0] >= pair[1]) || counts.len() != bounds.len() + 1 {
            return Err(wrong(sample, "the bounds of the histogram are not distinct"));
        }
        Ok(Some(Histogram { bounds, counts }))
    }
}

/// Series of requests, by the way they came; where the page does not tell ways apart, all are routed by weight.
fn is_routed(route: &'static str) -> impl Fn(&Sample) -> bool {
    move |sample| sample.labels.get("route").map_or(route == EVIDENCE[0], |found| found == route)
}

/// Series of copies, by whose answer they are about.
fn is_of(whose: &str) -> impl Fn(&Sample) -> bool {
    move |sample| sample.labels.get("of").is_some_and(|of| of == whose)
}

/// Counts by the value of a label.
fn by<'a>(
    samples: impl Iterator<Item = &'a Sample>,
    name: &str,
) -> Result<BTreeMap<&'a str, u64>, PageError> {
    let mut counts = BTreeMap::new();
    for sample in samples {
        if counts.insert(label(sample, name)?, count(sample)?).is_some() {
            return Err(wrong(sample, &format!("label {name} tells it from no other series")));
        }
    }
    Ok(counts)
}

fn label<'a>(sample: &'a Sample, name: &str) -> Result<&'a str, PageError> {
    let label = sample.labels.get(name).map(String::as_str);
    label.ok_or_else(|| wrong(sample, &format!("label {name} is missing")))
}

/// A count: a whole number that a double holds exactly.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
fn count(sample: &Sample) -> Result<u64, PageError> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let value = sample.value;
    if (0.0..=EXACT).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u64);
    }
    Err(wrong(sample, &format!("{value} is no count")))
}

fn wrong(sample: &Sample, message: &str) -> PageError {
    PageError { line: Some(sample.line), message: format!("{}: {message}", sample.name) }
}
