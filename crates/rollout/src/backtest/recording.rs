//! Recorded looks: a line of JSON per metric and look.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tagship_domain::{
    analysis::{MetricKind, Share, Window},
    evidence::Pairs,
    scoring::Labelled,
    traffic::Histogram,
};

/// Most buckets or classes of a line.
const MAX_CELLS: usize = 10_000;

/// Looks in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// What each metric measures, in the order in which metrics appear.
    pub metrics: Vec<(String, MetricKind)>,
    /// The looks.
    pub looks: Vec<RecordedLook>,
    /// Whether stable's traffic was recorded beside the candidate's.
    pub has_stable: bool,
}

/// What was seen up to one time since the look before.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedLook {
    /// Seconds.
    pub t: f64,
    /// By metric.
    pub windows: BTreeMap<String, Window>,
}

/// A recording that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct RecordingError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong with it, and what to write.
    pub message: String,
}

#[derive(Deserialize)]
struct Line {
    t: f64,
    metric: String,
    kind: MetricKind,
    stable: Option<Side>,
    candidate: Option<Side>,
    pairs: Option<Pairs>,
    labelled: Option<Labelled>,
}

#[derive(Deserialize)]
struct Side {
    n: Option<u64>,
    bad: Option<u64>,
    buckets: Option<Vec<f64>>,
    counts: Option<Vec<u64>>,
    classes: Option<BTreeMap<String, u64>>,
    value: Option<Value>,
}

impl Recording {
    /// Reads JSON Lines. Each line is one metric at one look; lines with the same `t` are one look. Counts are those
    /// of the window since the look before, not cumulated. Empty lines are skipped.
    ///
    /// - `error-ratio`: `"stable": {"n": 5400, "bad": 54}, "candidate": {"n": 600, "bad": 7}`;
    /// - `labelled-accuracy`: the same, with `bad` the wrong answers among `n` labelled ones;
    /// - `latency`: `{"buckets": [5, 50], "counts": [90, 9, 1]}` a version: upper bounds in milliseconds, the count of
    ///   each bucket, and after the last one, if any, the count of everything slower;
    /// - `prediction-drift`: `{"classes": {"yes": 10, "no": 90}}` a version;
    /// - `disagreement`: `"candidate": {"n": 600, "bad": 7}`, with `bad` the copied requests answered differently;
    /// - `score-distance`: the same, with `bad` the copied requests whose scores are further apart than its bound says;
    /// - `value`: `"candidate": {"value": 0.031}`, and stable's the same way where conditions read it;
    /// - `score`: all labelled predictions so far, label and prediction each, `"labelled": {"rows": {"apart": {"stable":
    ///   [["1", "0.2"]], "candidate": [["0", "0.1"]]}}}`, or label and both predictions as `{"paired": [["1", "0.2", "0.3"]]}`;
    /// - `paired-accuracy`: `"pairs": {"n": 600, "only_stable_wrong": 9, "only_candidate_wrong": 12}`.
    ///
    /// Where no stable traffic exists, `stable` is left out, in every line.
    ///
    /// # Errors
    /// The first line that makes no sense.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut recording = Self { metrics: vec![], looks: vec![], has_stable: true };
        for (at, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            recording.add(text).map_err(|message| RecordingError { line: at + 1, message })?;
        }
        if recording.looks.is_empty() {
            let message = "there is no look; write one line of JSON per metric and look".to_owned();
            return Err(RecordingError { line: 1, message });
        }
        Ok(recording)
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let line: Line = serde_json::from_str(text).map_err(|error| json_error(&error))?;
        let Line { t, metric, kind, .. } = &line;
        let (t, metric, kind) = (*t, metric.clone(), *kind);
        if metric.is_empty() {
            return Err("`metric` is empty; give it a name".to_owned());
        }
        if !t.is_finite() || t.abs() > 1e11 {
            return Err(format!("`t` is {t}; write seconds"));
        }
        let (window, has_stable) = line.window()?;
        // Values without stable's say nothing about whether stable has traffic.
        let is_first = self.metrics.iter().all(|(_, kind)| *kind == MetricKind::Value);
        self.check_metric(&metric, kind, &window)?;
        if is_first && kind != MetricKind::Value {
            self.has_stable = has_stable;
        } else if self.has_stable != has_stable && kind != MetricKind::Value {
            return Err("some lines have counts of stable and some have none; record all or none".to_owned());
        }
        let newest = self.looks.last().map_or(f64::NEG_INFINITY, |look| look.t);
        if t < newest {
            return Err(format!("`t` goes back from {newest} to {t}; sort the lines by `t`"));
        }
        if t > newest {
            self.looks.push(RecordedLook { t, windows: BTreeMap::new() });
        }
        if let Some(look) = self.looks.last_mut()
            && look.windows.insert(metric.clone(), window).is_some()
        {
            return Err(format!("metric {metric:?} was recorded twice at t = {t}"));
        }
        Ok(())
    }

    /// A metric keeps its kind and its buckets.
    fn check_metric(&mut self, metric: &str, kind: MetricKind, window: &Window) -> Result<(), String> {
        let Some((_, before)) = self.metrics.iter().find(|(name, _)| name == metric) else {
            self.metrics.push((metric.to_owned(), kind));
            return Ok(());
        };
        if *before != kind {
            let (before, kind) = (before.as_str(), kind.as_str());
            return Err(format!("metric {metric:?} was {before} and is {kind} now; give each its own name"));
        }
        let earlier = self.looks.iter().rev().find_map(|look| look.windows.get(metric));
        match (earlier, window) {
            (
                Some(Window::Histograms { candidate: earlier, .. }),
                Window::Histograms { candidate: now, .. },
            ) if earlier.bounds != now.bounds => {
                Err(format!("the buckets of metric {metric:?} are other ones than before"))
            }
            _ => Ok(()),
        }
    }
}

impl Line {
    /// The window, and whether it compares with stable.
    fn window(self) -> Result<(Window, bool), String> {
        let kind = self.kind;
        if kind == MetricKind::PairedAccuracy {
            let pairs = self.pairs.ok_or(
                "`pairs` is missing; write {\"n\": .., \"only_stable_wrong\": .., \"only_candidate_wrong\": ..}",
            )?;
            if pairs.only_stable_wrong.saturating_add(pairs.only_candidate_wrong) > pairs.n {
                return Err("`pairs` has more disagreements than pairs".to_owned());
            }
            return Ok((Window::Pairs(pairs), true));
        }
        if kind == MetricKind::Score {
            let labelled = self.labelled.ok_or(
                "`labelled` is missing; write {\"rows\": {\"apart\": {\"stable\": [[label, prediction]], \"candidate\": ..}}}",
            )?;
            if labelled.rows.counts().into_iter().any(|rows| rows > Labelled::MOST as u64) {
                return Err(format!("a score is computed of at most {} predictions", Labelled::MOST));
            }
            return Ok((Window::Labelled(labelled), true));
        }
        let candidate = self.candidate.ok_or("`candidate` is missing")?;
        if matches!(kind, MetricKind::Disagreement | MetricKind::ScoreDistance) {
            return Ok((Window::Shares { stable: None, candidate: candidate.share("candidate")? }, true));
        }
        let has_stable = self.stable.is_some();
        let window = match kind {
            MetricKind::Value => Window::Values {
                stable: self.stable.map(|side| side.value("stable")).transpose()?,
                result: candidate.value("candidate")?,
            },
            MetricKind::Latency => {
                let stable = self.stable.map(|side| side.histogram("stable")).transpose()?;
                let candidate = candidate.histogram("candidate")?;
                if stable.as_ref().is_some_and(|stable| stable.bounds != candidate.bounds) {
                    return Err("`buckets` of stable and candidate differ; record the same bounds".to_owned());
                }
                Window::Histograms { stable, candidate }
            }
            MetricKind::PredictionDrift => {
                let stable = self.stable.ok_or("`stable` is missing; drift compares with it")?;
                Window::Classes {
                    stable: stable.classes("stable")?,
                    candidate: candidate.classes("candidate")?,
                }
            }
            _ => {
                let stable = self.stable.map(|side| side.share("stable")).transpose()?;
                Window::Shares { stable, candidate: candidate.share("candidate")? }
            }
        };
        Ok((window, has_stable))
    }
}

impl Side {
    fn share(self, role: &str) -> Result<Share, String> {
        let (Some(n), Some(bad)) = (self.n, self.bad) else {
            return Err(format!("`{role}` needs `n` and `bad`"));
        };
        if bad > n {
            return Err(format!("`{role}` has {bad} bad of {n} observations"));
        }
        Ok(Share { n, bad })
    }

    fn value(self, role: &str) -> Result<Value, String> {
        self.value.ok_or_else(|| format!("`{role}` needs `value`; leave the line out where there was none"))
    }

    fn histogram(self, role: &str) -> Result<Histogram, String> {
        let (Some(bounds), Some(mut counts)) = (self.buckets, self.counts) else {
            return Err(format!("`{role}` needs `buckets` (upper bounds in ms) and `counts`"));
        };
        if bounds.is_empty() || bounds.len() > MAX_CELLS {
            return Err(format!("`{role}` needs between 1 and {MAX_CELLS} buckets"));
        }
        if !bounds.iter().all(|bound| bound.is_finite()) || !bounds.is_sorted_by(|one, next| one < next) {
            return Err(format!("`buckets` of `{role}` are not ascending"));
        }
        if counts.len() == bounds.len() {
            counts.push(0);
        }
        if counts.len() != bounds.len() + 1 {
            let (counts, bounds) = (counts.len(), bounds.len());
            return Err(format!("`{role}` has {counts} counts for {bounds} buckets; it may have one more"));
        }
        Ok(Histogram { bounds, counts })
    }

    fn classes(self, role: &str) -> Result<BTreeMap<String, u64>, String> {
        let classes = self.classes.ok_or_else(|| format!("`{role}` needs `classes`"))?;
        if classes.len() > MAX_CELLS {
            return Err(format!("`{role}` has more than {MAX_CELLS} classes"));
        }
        Ok(classes)
    }
}

/// What the JSON reader says, without its own count of lines, which is always 1.
fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line 1 column ") {
        Some((what, column)) => format!("{what} at column {column}"),
        None => text,
    }
}
