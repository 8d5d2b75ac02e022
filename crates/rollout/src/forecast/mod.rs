//! What a rollout would do, and whether its metrics can be decided on the way: asked before anything moves.
//!
//! The way is read from the same legs that the state machine goes, the costs come from the planner of the tests.
//! What is not known is never guessed; where a judge's own rules give a worst case, that is taken and said.

mod horizon;
mod known;
mod looks;
mod need;
mod outlook;
#[cfg(test)]
mod tests;
mod way;

use tagship_domain::{
    Duration, Environment, Release,
    analysis::{Analysis, Metric},
    forecast::{Forecast, MetricForecast},
    plan::RolloutPlan,
    rollout::Kind,
};

pub use known::{Given, Known};

use crate::start::fitted;

/// What a forecast is about.
#[derive(Debug, Clone, Copy)]
pub struct ForecastRequest<'a> {
    /// Where it would go.
    pub environment: &'a Environment,
    /// What would be rolled out.
    pub candidate: &'a Release,
    /// What serves now; absent on a first deployment.
    pub stable: Option<&'a Release>,
    /// The environment's plan.
    pub plan: &'a RolloutPlan,
    /// What is known about the traffic.
    pub known: &'a Known,
}

/// Says what a rollout would do and what each of its metrics needs.
pub fn forecast(request: &ForecastRequest<'_>) -> Forecast {
    let ForecastRequest { environment, candidate, stable, plan, known } = request;
    let plan = fitted(plan, Kind::Deploy, stable.is_some());
    let way = way::way(&plan, stable.is_some());
    let metrics = plan.analysis.as_ref().map_or(&[][..], |analysis| &analysis.metrics);
    let none = Analysis {
        interval: Duration::default(),
        max_wait: Duration::default(),
        metrics: vec![],
        kayenta: None,
    };
    let analysis = plan.analysis.as_ref().unwrap_or(&none);
    let terms = need::Terms { known, interval: analysis.interval, analysis };
    let of_metric = |metric: &Metric| {
        let shares = need::shares(metric, &terms);
        MetricForecast {
            name: metric.name.clone(),
            kind: metric.kind,
            judge: metric.judge,
            margin: metric.promote_margin,
            bound: metric.bound,
            threshold: metric.threshold.clone(),
            scoring: metric.scoring.clone(),
            kayenta: metric.kayenta.clone(),
            stable: shares.shown(),
            regression: shares.shown().map(|stable| need::regressed(metric, stable.value, known)),
            labelled: known.labelled().ok().filter(|_| need::needs_labels(metric)),
            needs: need::needs(metric, &way, &terms),
            outlook: outlook::outlook(metric, &way, &plan, &terms),
        }
    };
    Forecast {
        model: candidate.model.clone(),
        environment: (*environment).clone(),
        candidate: (*candidate).clone(),
        stable: stable.cloned(),
        held: stable.is_some_and(|stable| stable.digest == candidate.digest),
        shortest: way.iter().filter_map(|stretch| stretch.lasts).fold(Duration::default(), Duration::plus),
        rate: known.rate(),
        metrics: metrics.iter().map(of_metric).collect(),
        notes: known.notes.clone(),
        way,
        plan,
    }
}
