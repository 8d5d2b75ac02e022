//! What a metric of the kind `score` computes, and when it is judged.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use tagship_domain::{
    Duration,
    analysis::{Metric, MetricKind},
    scoring::{Horizon, Labelled, Score, Scoring},
};

use crate::{adapter::AdapterSpec, choice::exactly_one, diagnostic::listed, place::Place};

const HORIZON: &str = "`horizon: { rows: 2000 }`, or `horizon: { after: 24h }`";

/// When a score is judged; exactly one key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Horizon", extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct HorizonLayer {
    /// At the first look that finds this many labelled predictions of the new version.
    #[schemars(range(min = 1, max = Labelled::MOST))]
    rows: Option<u64>,
    /// At the first look that ends this long after the first one, e.g. `24h`.
    after: Option<Duration>,
}

/// A class as labels name it: a text, a whole number, or true or false.
#[derive(Debug)]
pub(crate) struct ClassLayer(String);

struct ClassVisitor;

impl<'de> Deserialize<'de> for ClassLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClassVisitor)
    }
}

impl Visitor<'_> for ClassVisitor {
    type Value = ClassLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a class as labels name it: a text, a whole number, or true or false")
    }

    fn visit_u64<E: de::Error>(self, class: u64) -> Result<ClassLayer, E> {
        Ok(ClassLayer(class.to_string()))
    }

    fn visit_i64<E: de::Error>(self, class: i64) -> Result<ClassLayer, E> {
        Ok(ClassLayer(class.to_string()))
    }

    fn visit_bool<E: de::Error>(self, class: bool) -> Result<ClassLayer, E> {
        Ok(ClassLayer(class.to_string()))
    }

    fn visit_str<E: de::Error>(self, class: &str) -> Result<ClassLayer, E> {
        Ok(ClassLayer(class.to_owned()))
    }
}

impl JsonSchema for ClassLayer {
    fn schema_name() -> Cow<'static, str> {
        "Class".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A class as labels name it: a text, a whole number, or true or false.",
            "type": ["string", "integer", "boolean"],
        })
    }
}

/// The keys of a metric that say what is computed, and when.
#[derive(Debug, Default)]
pub(crate) struct ScoringKeys {
    pub(crate) score: Option<Score>,
    pub(crate) positive: Option<ClassLayer>,
    pub(crate) margin: Option<f64>,
    pub(crate) horizon: Option<HorizonLayer>,
}

impl ScoringKeys {
    /// What is computed, and when; nothing for metrics of other kinds.
    pub(crate) fn resolve(self, kind: MetricKind, place: &Place<'_>) -> Option<Scoring> {
        if kind != MetricKind::Score {
            self.refuse(kind, place);
            return None;
        }
        let at = place.key("horizon");
        if self.horizon.is_none() {
            let message = "a score is judged once, and nothing says when".to_owned();
            at.report(message, Some(format!("write {HORIZON}")));
        }
        let horizon = self.horizon.and_then(|layer| layer.resolve(&at));
        let margin = self.margin.filter(|margin| margin.is_finite() && *margin > 0.0);
        if margin.is_none() {
            let message = match self.margin {
                Some(margin) => format!("a margin is above 0, not {margin}"),
                None => "the key `margin` is missing".to_owned(),
            };
            let help = "write how much worse than stable's score is fine, e.g. `margin: 0.02`; with none, a version \
                        as good as stable is never promoted";
            place.key("margin").report(message, Some(help.to_owned()));
        }
        let Some(score) = self.score else {
            let scores: Vec<&str> = Score::ALL.iter().map(|score| score.as_str()).collect();
            let help = format!("write which one, one of {}", listed(&scores));
            place.key("score").report("the key `score` is missing".to_owned(), Some(help));
            return None;
        };
        let positive = self.positive.map(|class| class.0);
        match (&positive, score.is_of_class()) {
            (None, true) => {
                let message = format!("{} is about one class, and nothing says which", score.as_str());
                let help = "name it as labels do, e.g. `positive: churned`, or `positive: 1`".to_owned();
                place.key("positive").report(message, Some(help));
            }
            (Some(_), false) => {
                let message = format!("{} is about numbers, it knows no class", score.as_str());
                place.key("positive").report_key(message, Some("leave `positive` out".to_owned()));
            }
            _ => {}
        }
        Some(Scoring { score, positive, margin: margin?, horizon: horizon? })
    }

    fn refuse(&self, kind: MetricKind, place: &Place<'_>) {
        let keys = [
            ("score", self.score.is_some()),
            ("positive", self.positive.is_some()),
            ("margin", self.margin.is_some()),
            ("horizon", self.horizon.is_some()),
        ];
        for (key, _) in keys.into_iter().filter(|(_, is_given)| *is_given) {
            let message = format!("`{key}` is about scores, and {} is none", kind.as_str());
            let help = "leave it out, or choose the kind `score`".to_owned();
            place.key(key).report_key(message, Some(help));
        }
    }
}

impl HorizonLayer {
    fn resolve(self, place: &Place<'_>) -> Option<Horizon> {
        let choices = [("rows", self.rows.map(Horizon::Rows)), ("after", self.after.map(Horizon::After))];
        let (key, horizon) = exactly_one(place, choices, HORIZON)?;
        match horizon {
            Horizon::Rows(rows) if rows > Labelled::MOST as u64 => {
                let message = format!("a score is computed of at most {} predictions", Labelled::MOST);
                place.key(key).report(message, Some(format!("write {} or less", Labelled::MOST)));
                None
            }
            Horizon::After(length) if length == Duration::default() => {
                let message = "no time is no horizon".to_owned();
                place.key(key).report(message, Some(format!("write {HORIZON}")));
                None
            }
            horizon => Some(horizon),
        }
    }
}

/// Reports what does not fit together in a score.
pub(crate) fn check(metric: &Metric, source: Option<&AdapterSpec>, place: &Place<'_>) {
    if metric.kind != MetricKind::Score {
        return;
    }
    if source.is_none() {
        let message = "a score is computed from labelled predictions, which no target keeps".to_owned();
        let help =
            "name where they are, e.g. `source: { predictions: { files: [labels/churn.csv] } }`".to_owned();
        place.key("source").report(message, Some(help));
    }
    if let Some(Scoring { horizon: Horizon::Rows(rows), .. }) = &metric.scoring
        && *rows < metric.min_samples
    {
        let least = metric.min_samples;
        let message = format!("{rows} predictions are fewer than the {least} that a verdict needs");
        let help = format!("write {least} or more, or a smaller `min-samples`");
        place.key("horizon").report(message, Some(help));
    }
}
