//! `analysis`: what a new version must show on live traffic.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use tagship_domain::{
    Duration,
    analysis::{Analysis, Metric, OnNoData},
};

use crate::{
    adapter::AdapterSpec,
    diagnostic::{ConfigErrors, printable},
    kayenta_score::{self, KayentaLayer},
    metric::MetricLayer,
    place::{Place, Source},
    read::read,
};

/// Time from one look to the next where nothing is said.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);
/// How long a weight is held for undecided metrics where nothing is said.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(3600);
/// Shorter windows would hold single requests, and ask the target more often than it can say anything new.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const EXAMPLE: &str = "write one, e.g. `metrics: [{ name: errors, kind: error-ratio }]`";

/// What a new version must show on live traffic.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Analysis")]
pub(crate) struct AnalysisLayer {
    /// Time from one look to the next; at least `1s`.
    #[schemars(extend("default" = DEFAULT_INTERVAL))]
    interval: Option<Duration>,
    /// How long a weight is held for metrics that are not decided, before a person has to decide.
    #[schemars(extend("default" = DEFAULT_MAX_WAIT))]
    max_wait: Option<Duration>,
    /// What a look without data means, where a metric does not say.
    #[schemars(extend("default" = OnNoData::default()))]
    on_no_data: Option<OnNoData>,
    /// The metrics, each with a name that is used once.
    #[schemars(required, length(min = 1))]
    metrics: Option<Vec<MetricLayer>>,
    /// The score over all metrics with the judge `kayenta`, as Kayenta computes it.
    kayenta: Option<KayentaLayer>,
}

impl AnalysisLayer {
    /// The analysis, and the sources of their own that metrics have, by name.
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<(Analysis, BTreeMap<String, AdapterSpec>)> {
        let interval = self.interval.unwrap_or(DEFAULT_INTERVAL);
        if interval < SHORTEST_INTERVAL {
            let message = format!("an interval is {SHORTEST_INTERVAL} or longer, not {interval}");
            let help = "errors come in bursts: `60s` tells them from a bad version, shorter ones may not";
            place.key("interval").report(message, Some(help.to_owned()));
        }
        let at = place.key("metrics");
        let Some(layers) = self.metrics else {
            at.report("the key `metrics` is missing".to_owned(), Some(EXAMPLE.to_owned()));
            return None;
        };
        if layers.is_empty() {
            let message = "an analysis without metrics judges nothing".to_owned();
            at.report(message, Some(format!("{EXAMPLE}, or leave `analysis` out")));
        }
        let on_no_data = self.on_no_data.unwrap_or_default();
        let (metrics, sources) = resolve_metrics(layers, on_no_data, &at);
        let max_wait = self.max_wait.unwrap_or(DEFAULT_MAX_WAIT);
        let kayenta = match self.kayenta {
            Some(layer) => layer.resolve(&metrics, interval, &place.key("kayenta")),
            None => {
                kayenta_score::check_is_there(&metrics, &at);
                None
            }
        };
        Some((Analysis { interval, max_wait, metrics, kayenta }, sources))
    }
}

fn resolve_metrics(
    layers: Vec<MetricLayer>,
    on_no_data: OnNoData,
    place: &Place<'_>,
) -> (Vec<Metric>, BTreeMap<String, AdapterSpec>) {
    let count = layers.len();
    let mut names = BTreeSet::new();
    let (mut metrics, mut sources) = (vec![], BTreeMap::new());
    for (index, layer) in layers.into_iter().enumerate() {
        let at = place.index(index);
        let Some((metric, source)) = layer.resolve(on_no_data, &at) else { continue };
        sources.extend(source.map(|source| (metric.name.clone(), source)));
        if !names.insert(metric.name.clone()) {
            let message = format!("the name `{}` is used twice", printable(&metric.name));
            at.key("name").report(message, Some("give each metric its own name".to_owned()));
        }
        metrics.push(metric);
    }
    if count > 0 && metrics.len() == count && !metrics.iter().any(Metric::decides) {
        let message =
            "every metric only advises, so that none decides whether the version is good".to_owned();
        place.report(
            message,
            Some("add one that does, e.g. `{ name: errors, kind: error-ratio }`".to_owned()),
        );
    } else if count > 0 && metrics.len() == count {
        check_watched(&metrics, place);
    }
    (metrics, sources)
}

/// A score looks once, so that nobody watches before and after.
fn check_watched(metrics: &[Metric], place: &Place<'_>) {
    if metrics.iter().any(|metric| metric.decides() && metric.is_watched()) {
        return;
    }
    let message = "a score never promotes alone: it is judged once, and nothing watches the new version before and \
                   after that";
    let help = "add a metric that is judged at every look, e.g. `{ name: errors, kind: error-ratio }`";
    let first = metrics.iter().position(Metric::decides).unwrap_or_default();
    place.index(first).key("kind").report(message.to_owned(), Some(help.to_owned()));
}

/// Reads and checks an analysis that is a document of its own: what stands below `analysis:` in `tagship.yml`.
/// `file` is only for messages.
///
/// # Errors
/// Everything that is wrong with it, each with its place, as [`Config::parse`](crate::Config::parse) tells it.
pub fn parse_analysis(file: &str, text: &str) -> Result<Analysis, ConfigErrors> {
    let source = Source::parse(file, text)?;
    let layer: Option<AnalysisLayer> = read(&source);
    source.errors()?;
    source.finish(layer.and_then(|layer| layer.resolve(&source.root()))).map(|(analysis, _)| analysis)
}
