//! The judge of Kayenta: the keys of a metric that it judges, spelled as Kayenta spells them.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    analysis::{Judge, Metric},
    kayenta::{Direction, EffectMeasure, EffectSize, KayentaMetric, NanStrategy},
};

use crate::{adapter::AdapterSpec, place::Place, threshold::ARM};

/// The group of a metric that names none.
const GROUP: &str = "all";
/// Kayenta's own factor.
const OUTLIER_FACTOR: f64 = 3.0;

/// What is done about outliers of a version.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Outliers")]
pub(crate) struct OutliersLayer {
    /// `keep`, or `remove` those far from the quartiles.
    #[schemars(required)]
    strategy: Option<OutlierStrategy>,
    /// How many interquartile ranges far; only where they are removed.
    #[schemars(range(min = 0.0), extend("default" = OUTLIER_FACTOR))]
    outlier_factor: Option<f64>,
}

/// What is done about outliers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum OutlierStrategy {
    /// Nothing.
    Keep,
    /// They are left out.
    Remove,
}

/// How large a change must be.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "EffectSize")]
pub(crate) struct EffectSizeLayer {
    /// What the size is: the candidate's mean over stable's, or the common language effect size.
    #[schemars(extend("default" = EffectMeasure::default()))]
    measure: Option<EffectMeasure>,
    /// An increase of at least this counts, e.g. `1.1` for a tenth.
    allowed_increase: Option<f64>,
    /// A decrease to at most this counts, e.g. `0.9`.
    allowed_decrease: Option<f64>,
    /// Of a critical metric: an increase of at least this makes the score 0.
    critical_increase: Option<f64>,
    /// Of a critical metric: a decrease to at most this makes the score 0.
    critical_decrease: Option<f64>,
}

/// The keys of a metric that only the judge of Kayenta reads.
#[derive(Debug, Default)]
pub(crate) struct KayentaKeys {
    pub(crate) direction: Option<Direction>,
    pub(crate) nan_strategy: Option<NanStrategy>,
    pub(crate) outliers: Option<OutliersLayer>,
    pub(crate) effect_size: Option<EffectSizeLayer>,
    pub(crate) must_have_data: Option<bool>,
    pub(crate) critical: Option<bool>,
    pub(crate) groups: Option<Vec<String>>,
}

impl KayentaKeys {
    /// How the metric is judged; nothing for one with another judge.
    pub(crate) fn resolve(self, judge: Judge, place: &Place<'_>) -> Option<KayentaMetric> {
        if judge != Judge::Kayenta {
            self.refuse(place);
            return None;
        }
        let critical = self.critical.unwrap_or_default();
        let groups = self.groups.unwrap_or_else(|| vec![GROUP.to_owned()]);
        let at = place.key("groups");
        if groups.is_empty() {
            let help = "name one, or leave `groups` out".to_owned();
            at.report("a metric in no group has no part in the score".to_owned(), Some(help));
        }
        for (index, group) in groups.iter().enumerate() {
            if group.trim().is_empty() {
                let help = "write what people call it, e.g. `groups: [latency]`".to_owned();
                at.index(index).report("the name of the group is empty".to_owned(), Some(help));
            } else if groups[..index].contains(group) {
                let help = "leave one of them out".to_owned();
                at.index(index).report("the group is named twice".to_owned(), Some(help));
            }
        }
        let outlier_factor = self.outliers.and_then(|outliers| outliers.resolve(&place.key("outliers")));
        let effect_size = self
            .effect_size
            .map(|size| size.resolve(critical, &place.key("effect-size")))
            .unwrap_or_default();
        Some(KayentaMetric {
            direction: self.direction.unwrap_or_default(),
            nan_strategy: self.nan_strategy.unwrap_or_default(),
            outlier_factor,
            effect_size,
            must_have_data: self.must_have_data.unwrap_or_default(),
            critical,
            groups,
        })
    }

    fn refuse(&self, place: &Place<'_>) {
        if self.critical.is_some() {
            let message = "`critical` is about a score over several metrics, and this one decides by itself: \
                           the new version goes back at once when it is bad";
            let help = "leave `critical` out; only metrics with the judge `kayenta` have it";
            place.key("critical").report_key(message.to_owned(), Some(help.to_owned()));
        }
        let keys = [
            ("direction", self.direction.is_some()),
            ("nan-strategy", self.nan_strategy.is_some()),
            ("outliers", self.outliers.is_some()),
            ("effect-size", self.effect_size.is_some()),
            ("must-have-data", self.must_have_data.is_some()),
            ("groups", self.groups.is_some()),
        ];
        for (key, _) in keys.into_iter().filter(|(_, is_given)| *is_given) {
            let message = format!("only the judge `kayenta` reads `{key}`");
            let help = "leave it out, or write `kind: value` and `judge: kayenta`".to_owned();
            place.key(key).report_key(message, Some(help));
        }
    }
}

impl OutliersLayer {
    /// The factor where outliers are removed.
    fn resolve(self, place: &Place<'_>) -> Option<f64> {
        const EXAMPLE: &str =
            "write `outliers: { strategy: remove, outlier-factor: 3 }`, or leave it out to keep all";
        let factor = self.outlier_factor;
        if let Some(factor) = factor.filter(|factor| !(factor.is_finite() && *factor >= 0.0)) {
            let message = format!("a factor is 0 or more, not {factor}");
            place.key("outlier-factor").report(message, Some(EXAMPLE.to_owned()));
        }
        match self.strategy {
            Some(OutlierStrategy::Remove) => Some(factor.unwrap_or(OUTLIER_FACTOR)),
            Some(OutlierStrategy::Keep) => {
                if factor.is_some() {
                    let message = "outliers are kept, so nothing is done with a factor".to_owned();
                    place.key("outlier-factor").report_key(message, Some(EXAMPLE.to_owned()));
                }
                None
            }
            None => {
                let message = "the key `strategy` is missing".to_owned();
                place.key("strategy").report(message, Some(EXAMPLE.to_owned()));
                None
            }
        }
    }
}

impl EffectSizeLayer {
    fn resolve(self, critical: bool, place: &Place<'_>) -> EffectSize {
        let measure = self.measure.unwrap_or_default();
        // The size of no change, and the largest size there is.
        let (none, most) = match measure {
            EffectMeasure::MeanRatio => (1.0, f64::MAX),
            EffectMeasure::Cles => (0.5, 1.0),
        };
        let limits = [
            ("allowed-increase", self.allowed_increase, none..=most),
            ("critical-increase", self.critical_increase, none..=most),
            ("allowed-decrease", self.allowed_decrease, 0.0..=none),
            ("critical-decrease", self.critical_decrease, 0.0..=none),
        ];
        for (key, limit, range) in limits {
            let Some(limit) = limit else { continue };
            if !range.contains(&limit) {
                let most =
                    if *range.end() > 1.0 { "or more".to_owned() } else { format!("to {}", range.end()) };
                let message = format!("a limit of this kind is {} {most}, not {limit}", range.start());
                place.key(key).report(message, Some(format!("{none} is no change")));
            }
            if key.starts_with("critical") && !critical {
                let message = format!("`{key}` is about critical metrics, and this one is not");
                place
                    .key(key)
                    .report_key(message, Some("write `critical: true`, or leave it out".to_owned()));
            }
        }
        EffectSize {
            measure,
            allowed_increase: self.allowed_increase,
            allowed_decrease: self.allowed_decrease,
            critical_increase: self.critical_increase,
            critical_decrease: self.critical_decrease,
        }
    }
}

/// Reports what does not fit together in a metric that the judge of Kayenta judges.
pub(crate) fn check(metric: &Metric, source: Option<&AdapterSpec>, place: &Place<'_>) {
    if metric.kayenta.is_none() {
        return;
    }
    let Some(source) = source else {
        let message = "a value is answered by a source, not by the target".to_owned();
        let help =
            "name one, e.g. `source: { http: { url: \"https://metrics.example/{{arm}}\" } }`".to_owned();
        place.key("source").report(message, Some(help));
        return;
    };
    if !source.settings.values().any(|setting| setting.to_string().contains(ARM)) {
        let message = format!("both versions are compared, and the source is asked without {ARM}");
        let help = format!("write {ARM} where the version stands, so that both are asked about");
        place.key("source").report(message, Some(help));
    }
}
