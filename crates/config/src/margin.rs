//! `promote-margin`: how much worse than stable a candidate may be to be promoted.

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::analysis::{Margin, MetricKind};

use crate::{bound, choice::exactly_one, place::Place, share::ShareLayer};

/// How much worse than stable a candidate may be to be promoted; exactly one key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Margin", extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct MarginLayer {
    /// This many times stable's share of errors or slow answers; above 1, e.g. `1.5`.
    #[schemars(range(min = 1.0))]
    ratio: Option<f64>,
    /// This much more than stable's share of errors, slow answers or wrong predictions, e.g. `0.02` or `2%`.
    absolute: Option<ShareLayer>,
}

impl MarginLayer {
    pub(crate) fn resolve(self, kind: MetricKind, place: &Place<'_>) -> Option<Margin> {
        let Some(example) = example(kind) else {
            let message = match bound::example(kind) {
                Some(_) => format!("{} is held against its bound, so it has no margin", kind.as_str()),
                None => format!("{} promotes nothing, so it has no margin", kind.as_str()),
            };
            place.report(message, Some("leave `promote-margin` out".to_owned()));
            return None;
        };
        let choices = [
            ("ratio", self.ratio.map(Margin::Ratio)),
            ("absolute", self.absolute.map(|share| Margin::Absolute(share.0))),
        ];
        let (key, margin) = exactly_one(place, choices, example)?;
        match margin {
            Margin::Ratio(_) if is_accuracy(kind) => {
                let message = format!("the margin of {} is a number of points, not a ratio", kind.as_str());
                place.key(key).report_key(message, Some(format!("write {example}, which is two points")));
            }
            Margin::Ratio(ratio) if ratio <= 1.0 => {
                let message = format!("a ratio margin is above 1, not {ratio}");
                let help =
                    "with none, a candidate as good as stable is never promoted; half as much again is `1.5`";
                place.key(key).report(message, Some(help.to_owned()));
            }
            Margin::Ratio(_) | Margin::Absolute(_) => return Some(margin),
        }
        None
    }
}

fn is_accuracy(kind: MetricKind) -> bool {
    matches!(kind, MetricKind::LabelledAccuracy | MetricKind::PairedAccuracy)
}

fn example(kind: MetricKind) -> Option<&'static str> {
    match kind {
        MetricKind::ErrorRatio | MetricKind::Latency => Some("`promote-margin: { ratio: 1.5 }`"),
        MetricKind::LabelledAccuracy | MetricKind::PairedAccuracy => {
            Some("`promote-margin: { absolute: 0.02 }`")
        }
        MetricKind::Disagreement
        | MetricKind::ScoreDistance
        | MetricKind::PredictionDrift
        | MetricKind::Value
        | MetricKind::Score => None,
    }
}
