//! What a rollout would do, for someone who ships models and is no release engineer.

use tagship_domain::{
    analysis::{Bound, Margin, MetricKind},
    forecast::{Comparison, Cost, Figure, Forecast, MetricForecast, Need, Origin, Outlook, Stretch},
    kayenta::KayentaScore,
    plan::{Smoke, Strategy},
    traffic::Weight,
    units::Duration,
};

use super::{
    paint::Style,
    table::{list, table},
};
use crate::{
    mark::Mark,
    number::{grouped, percent},
    sentence::Headline,
    text::counted,
};

/// The way of a rollout, what each metric needs on it, and whether it gets that.
pub fn plan(forecast: &Forecast, style: &Style) -> String {
    let mut text = style.headline(&headline(forecast));
    text.push_str(&style.indented("This is a forecast; nothing was changed.", 2));
    text.push('\n');
    text.push_str(&table(&["WAY", "SHARE", "AT LEAST", "MEASURED"], &way(forecast), style));
    text.push('\n');
    text.push_str(&list(&facts(forecast), style));
    let policy = forecast.plan.analysis.as_ref().and_then(|analysis| analysis.kayenta.as_ref());
    for metric in &forecast.metrics {
        text.push('\n');
        text.push_str(&of_metric(metric, policy, style));
    }
    if !forecast.notes.is_empty() {
        text.push('\n');
        for note in &forecast.notes {
            text.push_str(&style.indented(&format!("note: {note}"), 0));
        }
    }
    text
}

fn headline(forecast: &Forecast) -> Headline {
    let strategy = match forecast.plan.strategy {
        Strategy::AllAtOnce => "all at once",
        Strategy::Canary { .. } => "as a canary",
        Strategy::BlueGreen { .. } => "blue-green",
        Strategy::Shadow { .. } => "after a time as its shadow",
        Strategy::AB { .. } => "as an A/B test",
        Strategy::Matched { .. } => "as an A/B test by a header",
    };
    let what = if forecast.held {
        format!(
            "{} is in {} already; the version after it would go there {strategy}",
            forecast.candidate, forecast.environment
        )
    } else {
        format!("{} would go to {} {strategy}", forecast.candidate, forecast.environment)
    };
    let stuck: Vec<&str> = forecast.stuck().map(|metric| metric.name.as_str()).collect();
    let unknown: Vec<&str> = forecast
        .metrics
        .iter()
        .filter(|metric| matches!(metric.outlook, Outlook::Unknown { .. }))
        .map(|metric| metric.name.as_str())
        .collect();
    let (symbol, then) = if !stuck.is_empty() {
        (
            Mark::Failed,
            format!(", and would end up waiting for a person: {} cannot be decided", stuck.join(", ")),
        )
    } else if !unknown.is_empty() {
        (Mark::Unknown, format!("; whether {} can be decided is unknown", unknown.join(", ")))
    } else if forecast.metrics.is_empty() {
        (Mark::Neutral, ", and nothing is measured on the way".to_owned())
    } else {
        (Mark::Passed, ", and a version as good as stable gets through".to_owned())
    };
    Headline { symbol, tone: symbol.tone(), text: format!("{what}{then}") }
}

fn way(forecast: &Forecast) -> Vec<Vec<String>> {
    let mut rows = vec![vec![
        "before traffic".to_owned(),
        Weight::NONE.to_string(),
        "-".to_owned(),
        match &forecast.plan.smoke {
            Smoke::GoldenCases { count, .. } => format!("{count} golden cases, all must pass"),
            Smoke::ReadyOnly => "only that it is ready: the release has no golden cases".to_owned(),
        },
    ]];
    let last = forecast.way.len();
    for (index, stretch) in forecast.way.iter().enumerate() {
        let name = if stretch.matched {
            "match".to_owned()
        } else if stretch.mirror > Weight::NONE {
            "shadow".to_owned()
        } else if stretch.weight == Weight::NONE {
            "preview".to_owned()
        } else if index + 1 == last {
            if forecast.plan.bake > Duration::default() { "bake".to_owned() } else { "promoted".to_owned() }
        } else {
            format!("step {}", index + 1)
        };
        let lasts = stretch.lasts.map_or("until a person goes on".to_owned(), |lasts| match lasts {
            none if none == Duration::default() => "-".to_owned(),
            lasts => lasts.to_string(),
        });
        let rule = forecast.plan.strategy.rule().filter(|_| stretch.matched);
        let share = match (rule, stretch.mirror) {
            (Some(rule), _) => rule.to_string(),
            (None, Weight::NONE) => stretch.weight.to_string(),
            (None, mirror) => format!("copies of {mirror}"),
        };
        rows.push(vec![name, share, lasts, measured(stretch, forecast)]);
    }
    rows
}

fn measured(stretch: &Stretch, forecast: &Forecast) -> String {
    let against = match stretch.against {
        None => return "-".to_owned(),
        Some(Comparison::Stable) => "beside stable",
        Some(Comparison::Bound) => "against fixed bounds",
        Some(Comparison::Shadow) => "on copies of stable's requests",
    };
    let max_wait = forecast.plan.analysis.as_ref().map(|analysis| analysis.max_wait).unwrap_or_default();
    if stretch.needs_verdict {
        format!("{against}; waits up to {max_wait} for every verdict")
    } else {
        against.to_owned()
    }
}

fn facts(forecast: &Forecast) -> Vec<Vec<String>> {
    let mut shortest = forecast.shortest.to_string();
    if forecast.persons() > 0 {
        shortest = format!("{shortest}, and a person has to go on {}", counted(forecast.persons(), "time"));
    }
    let stable = forecast.stable.as_ref().map_or(
        "nothing serves yet, so all traffic comes at once and only fixed bounds count".to_owned(),
        |stable| match forecast.plan.hold_back {
            Weight::NONE => stable.version.to_string(),
            held => format!("{}, which keeps {held} until the bake has ended", stable.version),
        },
    );
    let rate = forecast.rate.map_or("unknown".to_owned(), |rate| {
        format!("{} requests/s ({})", short(rate.value), origin(rate.from))
    });
    let pair = |name: &str, said: String| vec![name.to_owned(), said];
    vec![pair("stable", stable), pair("shortest way", shortest), pair("traffic", rate)]
}

fn of_metric(metric: &MetricForecast, policy: Option<&KayentaScore>, style: &Style) -> String {
    let mut text =
        format!("{}\n", style.bold(&style.text(&format!("{} ({})", metric.name, metric.kind.as_str()), 120)));
    if let Some(stable) = metric.stable {
        text.push_str(&style.indented(&about(metric, stable), 2));
    }
    if let Some(threshold) = &metric.threshold {
        let least = counted(usize::try_from(threshold.least_looks()).unwrap_or(usize::MAX), "look");
        let asked = format!("Good is {}; it takes {least} at least.", threshold.words());
        text.push_str(&style.indented(&style.text(&asked, 400), 2));
    }
    if let Some(scoring) = &metric.scoring {
        let asked = format!(
            "Good is {}. It is {}; looks in between decide nothing, and it never promotes alone.",
            scoring.words(),
            scoring.horizon
        );
        text.push_str(&style.indented(&style.text(&asked, 400), 2));
    }
    if let (Some(kayenta), Some(policy)) = (&metric.kayenta, policy) {
        let asked = format!(
            "Good is {}. It has a part in one {}; it never promotes alone.",
            kayenta.words(),
            policy.words()
        );
        text.push_str(&style.indented(&style.text(&asked, 400), 2));
    }
    let rows: Vec<Vec<String>> = metric.needs.iter().map(row).collect();
    if metric.stable.is_some() && !rows.is_empty() {
        let header = ["SHARE", "AGAINST", "TO SEE IT", "TIME", "TO PROMOTE", "TIME"];
        text.push_str(&table(&header, &rows, style));
    }
    let (mark, said) = outlook(metric);
    text.push_str(&style.headline(&Headline { symbol: mark, tone: mark.tone(), text: said }));
    text
}

/// What stable does, what is to be seen, and what promotion asks for.
fn about(metric: &MetricForecast, stable: Figure) -> String {
    let beside = metric.needs.iter().any(|need| need.against != Comparison::Bound);
    let what = match metric.kind {
        MetricKind::ErrorRatio => "requests fail",
        MetricKind::Latency => "answers are slow",
        MetricKind::Disagreement => "copied requests are answered differently",
        MetricKind::ScoreDistance => "scores of copied requests are too far apart",
        MetricKind::LabelledAccuracy
        | MetricKind::PairedAccuracy
        | MetricKind::PredictionDrift
        | MetricKind::Value
        | MetricKind::Score => "labelled predictions are wrong",
    };
    let whose = if beside { "stable's " } else { "" };
    let asked = match (metric.margin, metric.bound) {
        (_, Some(bound)) if !beside => kept(bound),
        (Margin::Ratio(ratio), _) => format!("the new version has less than {} times as many", short(ratio)),
        (Margin::Absolute(points), _) => {
            format!("the new version has less than {} points more", short(points * 100.0))
        }
    };
    let regression = metric.regression.map(percent).unwrap_or_default();
    let labelled = metric.labelled.map(|labelled| {
        format!(" {} of requests get a label ({}).", percent(labelled.value), origin(labelled.from))
    });
    format!(
        "{} of {whose}{what} ({}). A regression to see is {regression}; promotion asks for evidence that {asked}.{}",
        percent(stable.value),
        origin(stable.from),
        labelled.unwrap_or_default(),
    )
}

/// What a bound asks for, as a clause.
fn kept(bound: Bound) -> String {
    match bound {
        Bound::MaxErrorRatio(share) => format!("at most {} of requests fail", percent(share)),
        Bound::MaxDisagreement(share) => {
            format!("at most {} of copied requests are answered differently", percent(share))
        }
        Bound::ScoreDistance { beyond, share } => {
            format!(
                "at most {} of copied requests have scores more than {} apart",
                percent(share),
                short(beyond)
            )
        }
        Bound::MinAccuracy(share) => format!("at least {} of labelled predictions are right", percent(share)),
        Bound::Latency { quantile, within_ms } => {
            format!("at least {} of answers take {} ms at most", percent(quantile), short(within_ms))
        }
    }
}

fn row(need: &Need) -> Vec<String> {
    let cost = |cost: Option<Cost>, none: &str| match cost {
        None => [none.to_owned(), "-".to_owned()],
        Some(cost) => [grouped(cost.observations), cost.lasts.map_or("unknown".to_owned(), in_minutes)],
    };
    let against = match need.against {
        Comparison::Stable => "stable",
        Comparison::Bound => "bound",
        Comparison::Shadow => "copies",
    };
    let mut cells = vec![need.weight.to_string(), against.to_owned()];
    cells.extend(cost(need.see, "tolerated"));
    cells.extend(cost(need.promote, "never"));
    cells
}

fn outlook(metric: &MetricForecast) -> (Mark, String) {
    let sentences = |advice: &[String]| match advice {
        [only] => format!("what would be enough: {only}"),
        several => format!("any of these would be enough: {}", several.join(", or ")),
    };
    let version = match metric.threshold {
        Some(_) => "a version that keeps it at every look",
        None => "a version as good as stable",
    };
    match &metric.outlook {
        Outlook::InTime { after, waits: false } => {
            (Mark::Passed, format!("{version} is found good after about {}", in_minutes(*after)))
        }
        Outlook::InTime { after, waits: true } => (
            Mark::Passed,
            format!(
                "{version} is found good after about {}, which is later than the pauses end; \
                 the rollout waits for it",
                in_minutes(*after)
            ),
        ),
        Outlook::TooLate { reached, advice } => (
            Mark::Failed,
            format!(
                "WARNING: even {version} has only {reached}% of the evidence when the wait is \
                 over, and a person has to decide; {}",
                sentences(advice)
            ),
        ),
        Outlook::Never { why, advice } => {
            (Mark::Failed, format!("WARNING: it can never be found good: {why}; {}", sentences(advice)))
        }
        Outlook::Unknown { why } => (Mark::Unknown, format!("unknown: {why}")),
        Outlook::Advisory => (Mark::Neutral, "it only advises: no verdict waits for it".to_owned()),
    }
}

fn origin(from: Origin) -> &'static str {
    match from {
        Origin::Given => "given",
        Origin::Measured => "measured",
        Origin::WorstCase => "the worst case of how the judge chooses what is slow",
    }
}

/// Seconds matter below two minutes only.
fn in_minutes(length: Duration) -> String {
    let seconds = length.std().as_secs();
    if seconds < 120 {
        length.to_string()
    } else {
        Duration::from_secs(seconds.div_ceil(60) * 60).to_string()
    }
}

fn short(number: f64) -> String {
    crate::number::value(number)
}
