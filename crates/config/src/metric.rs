//! One metric of an analysis.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    Duration,
    analysis::{Judge, Metric, MetricKind, OnNoData},
    kayenta::{Direction, NanStrategy, SCORE as KAYENTA_SCORE},
    scoring::Score,
};

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    bound::BoundLayer,
    diagnostic::{listed, printable},
    kayenta::{self, EffectSizeLayer, KayentaKeys, OutliersLayer},
    limit::LimitLayer,
    margin::MarginLayer,
    place::Place,
    scoring::{self, ClassLayer, HorizonLayer, ScoringKeys},
    threshold::{self, ThresholdKeys},
};

/// A name that a rollout gives to a check of its own.
const RESERVED: &str = "smoke";
/// Longest name of a metric, in characters; it stands in tables.
const LONGEST_NAME: usize = 60;

/// Why keys of tests on counts have no meaning for values, and what to do.
const VALUE: (&str, &str) = (
    "is about counts, and a value is judged by its conditions",
    "leave it out; `success`, `max` or `min` say what is good",
);
/// The same for scores.
const SCORE: (&str, &str) = (
    "is about looks at counts, and a score is judged once",
    "leave it out; `margin` says how much worse than stable it may be",
);

/// The same for values that the judge of Kayenta compares.
const KAYENTA: (&str, &str) = (
    "is not read by the judge `kayenta`, which compares values once",
    "leave it out; `direction`, `effect-size` and `nan-strategy` say what counts",
);

/// The source that is the target's own counters.
const TARGET: &str = "target";

/// One metric: what is counted, and how it is judged.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Metric")]
pub(crate) struct MetricLayer {
    /// Name by which reports call it, e.g. `errors`; used once.
    #[schemars(required, length(min = 1))]
    name: Option<String>,
    /// What is measured.
    #[schemars(required)]
    kind: Option<MetricKind>,
    /// How looks become a verdict; the kind's own judge by default.
    judge: Option<Judge>,
    /// How many times worse than stable the candidate may be before it counts against it.
    #[schemars(range(min = 1.0), extend("default" = Metric::DEFAULT_TOLERANCE))]
    tolerance: Option<f64>,
    /// How much worse than stable a candidate may be to be promoted: half as much again of errors and slow answers,
    /// two points of accuracy by default.
    promote_margin: Option<MarginLayer>,
    /// What the candidate must keep where no traffic of stable exists to compare with.
    bound: Option<BoundLayer>,
    /// Observations of the candidate below which there is no verdict.
    #[schemars(range(min = 1), extend("default" = Metric::DEFAULT_MIN_SAMPLES))]
    min_samples: Option<u64>,
    /// How late labels arrive, e.g. `10m`; only for metrics on labels.
    label_delay: Option<Duration>,
    /// What a look without data means; the analysis' answer by default.
    on_no_data: Option<OnNoData>,
    /// Failed looks that are tolerated, or `off` for any number.
    #[schemars(extend("default" = 0))]
    failure_limit: Option<LimitLayer>,
    /// Inconclusive looks that are tolerated.
    #[schemars(extend("default" = 0))]
    inconclusive_limit: Option<u64>,
    /// Looks in a row that may not be measured.
    #[schemars(extend("default" = Metric::DEFAULT_CONSECUTIVE_ERROR_LIMIT))]
    consecutive_error_limit: Option<u64>,
    /// Of a value: the condition under which a look is good, over `result`, and `stable` for the version beside it.
    success: Option<String>,
    /// Of a value: the condition under which a look is bad; what is neither good nor bad is inconclusive.
    failure: Option<String>,
    /// Of a value: at most this is good; short for a condition.
    max: Option<f64>,
    /// Of a value: at least this is good; short for a condition.
    min: Option<f64>,
    /// Of a value: looks after which it is decided; it is measured to the end where it is left out.
    #[schemars(range(min = 1))]
    count: Option<u64>,
    /// Of a value: good looks in a row after which it is good.
    #[schemars(range(min = 1))]
    consecutive_success_limit: Option<u64>,
    /// Of a score: which one.
    score: Option<Score>,
    /// Of a score: the class that is told from the rest, as labels name it; for all but `rmse` and `mae`.
    positive: Option<ClassLayer>,
    /// Of a score: how much worse than stable's it may be, in units of the score; above 0.
    margin: Option<f64>,
    /// Of a score: when it is judged, once; looks before that decide nothing.
    horizon: Option<HorizonLayer>,
    /// Of a value with the judge `kayenta`: which change counts against the new version.
    #[schemars(extend("default" = Direction::default()))]
    direction: Option<Direction>,
    /// Of a value with the judge `kayenta`: whether a look without a value is left out, or is a zero.
    #[schemars(extend("default" = NanStrategy::default()))]
    nan_strategy: Option<NanStrategy>,
    /// Of a value with the judge `kayenta`: what is done about outliers; all are kept by default.
    outliers: Option<OutliersLayer>,
    /// Of a value with the judge `kayenta`: how large a change must be; any counts by default.
    effect_size: Option<EffectSizeLayer>,
    /// Of a value with the judge `kayenta`: whether it counts as failed where it cannot be judged.
    #[schemars(extend("default" = false))]
    must_have_data: Option<bool>,
    /// Of a value with the judge `kayenta`: whether it makes the score 0 by itself. Any other metric leads back by itself.
    #[schemars(extend("default" = false))]
    critical: Option<bool>,
    /// Of a value with the judge `kayenta`: the groups that it counts in; `all` by default.
    #[schemars(length(min = 1))]
    groups: Option<Vec<String>>,
    /// How much of the rollout's error rate it takes, against the weights of the other metrics; above 0.
    #[schemars(range(min = 0.0), extend("default" = Metric::DEFAULT_WEIGHT))]
    weight: Option<f64>,
    /// Whether it only advises, whatever it shows.
    #[schemars(extend("default" = false))]
    dry_run: Option<bool>,
    /// Where it is counted or read: by the target, or by a source of its own with its settings.
    #[schemars(extend("default" = TARGET))]
    source: Option<AdapterLayer>,
}

impl MetricLayer {
    /// The metric, and the source of its own where it has one.
    pub(crate) fn resolve(
        mut self,
        on_no_data: OnNoData,
        place: &Place<'_>,
    ) -> Option<(Metric, Option<AdapterSpec>)> {
        self.check_name(place);
        let Some(kind) = self.kind else {
            let kinds: Vec<&str> = MetricKind::ALL.iter().map(|kind| kind.as_str()).collect();
            let help = format!("write what is measured, one of {}", listed(&kinds));
            place.key("kind").report("the key `kind` is missing".to_owned(), Some(help));
            return None;
        };
        self.check_numbers(kind, place);
        if self.judge == Some(Judge::Kayenta) && kind == MetricKind::Value {
            self.leave_out_tests(KAYENTA, place);
        } else if kind == MetricKind::Value {
            self.leave_out_tests(VALUE, place);
        }
        if kind == MetricKind::Score {
            self.leave_out_tests(SCORE, place);
        }
        let judge = self.judge.unwrap_or_else(|| kind.default_judge());
        if !kind.fits(judge) {
            let judges: Vec<&str> = kind.judges().iter().map(|judge| judge_name(*judge)).collect();
            let message =
                format!("the judge `{}` does not fit the kind {}", judge_name(judge), kind.as_str());
            let help = format!("write {}, or leave `judge` out", listed(&judges).replace(", ", " or "));
            place.key("judge").report(message, Some(help));
        }
        // Whatever else is wrong is about the judge that could be meant.
        let judge = if kind.fits(judge) { judge } else { kind.default_judge() };
        if kind == MetricKind::Disagreement && self.bound.is_none() {
            let message =
                "disagreement needs a bound: some versions are meant to answer differently".to_owned();
            place
                .key("bound")
                .report(message, Some("write how much is fine, e.g. `bound: { max: 2% }`".to_owned()));
        }
        if kind == MetricKind::ScoreDistance && self.bound.is_none() {
            let help = "write how much is fine, e.g. `bound: { beyond: { distance: 0.05, max: 2% } }`";
            let message = "a score distance needs a bound: some versions are meant to score differently";
            place.key("bound").report(message.to_owned(), Some(help.to_owned()));
        }
        let margin =
            self.promote_margin.and_then(|margin| margin.resolve(kind, &place.key("promote-margin")));
        let source = self.source.and_then(|source| own_source(source, kind, &place.key("source")));
        let conditions = ThresholdKeys {
            success: self.success,
            failure: self.failure,
            max: self.max,
            min: self.min,
            count: self.count,
            consecutive_success_limit: self.consecutive_success_limit,
        };
        let scoring = ScoringKeys {
            score: self.score,
            positive: self.positive,
            margin: self.margin,
            horizon: self.horizon,
        };
        let kayenta = KayentaKeys {
            direction: self.direction,
            nan_strategy: self.nan_strategy,
            outliers: self.outliers,
            effect_size: self.effect_size,
            must_have_data: self.must_have_data,
            critical: self.critical,
            groups: self.groups,
        };
        let name = self.name.unwrap_or_default();
        let default = Metric::with_defaults(&name, kind);
        let metric = Metric {
            judge,
            tolerance: self.tolerance.unwrap_or(default.tolerance),
            promote_margin: margin.unwrap_or(default.promote_margin),
            bound: self.bound.and_then(|bound| bound.resolve(kind, &place.key("bound"))),
            min_samples: self.min_samples.unwrap_or(default.min_samples),
            label_delay: self.label_delay.unwrap_or(default.label_delay),
            on_no_data: self.on_no_data.unwrap_or(on_no_data),
            failure_limit: self.failure_limit.map_or(default.failure_limit, |limit| limit.0),
            inconclusive_limit: self.inconclusive_limit.unwrap_or(default.inconclusive_limit),
            consecutive_error_limit: self.consecutive_error_limit.unwrap_or(default.consecutive_error_limit),
            own_source: source.is_some(),
            threshold: conditions.resolve(kind, judge, place),
            scoring: scoring.resolve(kind, place),
            kayenta: kayenta.resolve(judge, place),
            dry_run: self.dry_run.unwrap_or(default.dry_run),
            weight: self.weight.unwrap_or(default.weight),
            ..default
        };
        threshold::check(&metric, source.as_ref(), place);
        scoring::check(&metric, source.as_ref(), place);
        kayenta::check(&metric, source.as_ref(), place);
        Some((metric, source))
    }

    /// What says how a test on counts is made has no meaning for values and scores.
    fn leave_out_tests(&mut self, (message, help): (&str, &str), place: &Place<'_>) {
        let mut keys = vec![
            ("tolerance", self.tolerance.take().is_some()),
            ("promote-margin", self.promote_margin.take().is_some()),
            ("bound", self.bound.take().is_some()),
        ];
        let (is_score, is_kayenta) =
            (self.kind == Some(MetricKind::Score), self.judge == Some(Judge::Kayenta));
        if is_score || is_kayenta {
            keys.push(("failure-limit", self.failure_limit.take().is_some()));
            keys.push(("inconclusive-limit", self.inconclusive_limit.take().is_some()));
        }
        if is_kayenta {
            keys.push(("on-no-data", self.on_no_data.take().is_some()));
        }
        if !is_score {
            keys.push(("min-samples", self.min_samples.take().is_some()));
        }
        for (key, _) in keys.into_iter().filter(|(_, is_given)| *is_given) {
            place.key(key).report_key(format!("`{key}` {message}"), Some(help.to_owned()));
        }
    }

    fn check_name(&self, place: &Place<'_>) {
        let at = place.key("name");
        let help = "write what people call it, e.g. `name: errors`";
        let message = match self.name.as_deref() {
            None => "the key `name` is missing".to_owned(),
            Some(name) if name.trim().is_empty() => "the name is empty".to_owned(),
            Some(RESERVED) => format!("the name `{RESERVED}` is taken by the check before any traffic"),
            Some(KAYENTA_SCORE) => {
                format!("the name `{KAYENTA_SCORE}` is taken by the score over metrics")
            }
            Some(name) if name.chars().count() > LONGEST_NAME => {
                format!("the name is longer than {LONGEST_NAME} characters")
            }
            Some(name) if name.contains(char::is_control) => {
                format!("the name `{}` holds a control character", printable(name))
            }
            Some(_) => return,
        };
        at.report(message, Some(help.to_owned()));
    }

    fn check_numbers(&self, kind: MetricKind, place: &Place<'_>) {
        if self.tolerance.is_some_and(|tolerance| tolerance < 1.0) {
            let message = format!("a tolerance is 1 or more, not {}", self.tolerance.unwrap_or_default());
            let help = "`1` tolerates nothing worse than stable, `1.25` a quarter more".to_owned();
            place.key("tolerance").report(message, Some(help));
        }
        if self.tolerance.is_some() && kind == MetricKind::PredictionDrift {
            let message = format!("{} tells any difference, it has no tolerance", kind.as_str());
            place.key("tolerance").report(message, Some("leave `tolerance` out".to_owned()));
        }
        if self.min_samples == Some(0) {
            let help = "leave `min-samples` out for 50, or write 1 or more".to_owned();
            place.key("min-samples").report("a verdict needs at least one sample".to_owned(), Some(help));
        }
        if let Some(weight) = self.weight.filter(|weight| !(weight.is_finite() && *weight > 0.0)) {
            let message = format!("a weight is above 0, not {weight}");
            let help = "`2` takes twice as much of the error rate as a metric without a weight; one that should \
                        not decide has `dry-run: true`";
            place.key("weight").report(message, Some(help.to_owned()));
        }
        if self.weight.is_some() && (kind == MetricKind::Value || !kind.decides()) {
            let message = format!("{} takes nothing of the error rate, so it has no weight", kind.as_str());
            place.key("weight").report_key(message, Some("leave `weight` out".to_owned()));
        }
        let labelled =
            matches!(kind, MetricKind::LabelledAccuracy | MetricKind::PairedAccuracy | MetricKind::Score);
        if self.label_delay.is_some() && !labelled {
            let message = format!("a metric of the kind {} needs no labels, so none are late", kind.as_str());
            place.key("label-delay").report(message, Some("leave `label-delay` out".to_owned()));
        }
    }
}

/// A source of its own; nothing for the target.
fn own_source(source: AdapterLayer, kind: MetricKind, place: &Place<'_>) -> Option<AdapterSpec> {
    let source = source.resolve(place);
    if source.kind == TARGET {
        if !source.settings.is_empty() {
            let help = "write `source: target`, or name another source with its settings".to_owned();
            place.report("the source `target` has no settings".to_owned(), Some(help));
        }
        return None;
    }
    if kind.is_paired() || kind == MetricKind::PredictionDrift {
        let message = format!("only the target counts {}", kind.as_str());
        place.report(message, Some("leave `source` out".to_owned()));
    }
    Some(source)
}

fn judge_name(judge: Judge) -> &'static str {
    match judge {
        Judge::TwoSpeed => "two-speed",
        Judge::BoundaryE => "boundary-e",
        Judge::BucketE => "bucket-e",
        Judge::PairedSignE => "paired-sign-e",
        Judge::MultinomialE => "multinomial-e",
        Judge::Threshold => "threshold",
        Judge::FixedHorizon => "fixed-horizon",
        Judge::Kayenta => "kayenta",
    }
}
