//! A dashboard of Grafana: traffic, errors and latency by version, how objectives stand, resources, and where versions came.
//!
//! It asks for what the model server counts, for what the rules record and for the usual series of processes; the same dashboard for
//! the same objectives. The data source and the version are chosen on the page.

mod panel;

use serde_json::{Value, json};

use crate::{
    objective::{Measure, Watched},
    rules::recorded_names,
};
use panel::{Panel, Place, Target, panel, row};

/// Version of the dashboard's format.
const SCHEMA_VERSION: u64 = 39;
/// A change lies between two samples: the window of marks holds two of them at the usual pace of a minute, and one that comes late.
const CHANGED: &str = "3m";
/// Longest identifier of a dashboard.
const LONGEST_UID: usize = 40;

/// The dashboard.
#[must_use]
pub fn dashboard(watched: &Watched) -> Value {
    let (model, environment) = (watched.model.as_str(), watched.environment.as_str());
    json!({
        "uid": uid(model, environment),
        "title": format!("{model} ({environment})"),
        "description": "Made by `tagship monitor grafana`.",
        "tags": ["tagship"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": { "from": "now-6h", "to": "now" },
        "templating": { "list": variables(model) },
        "annotations": { "list": [versions_that_came(model)] },
        "panels": panels(watched),
    })
}

/// The same for the same model and environment, of characters that an address may hold.
///
/// Two pairs of names may look the same once they are joined, replaced or cut, as `churn-eu` in `production` and `churn` in
/// `eu-production` do: a hash tells them apart (FNV-1a, 64 bits).
fn uid(model: &str, environment: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let whole: String = format!("tagship-{model}-{environment}").chars().map(plain).collect();
    let hash = format!("{model}\n{environment}").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}-{hash:016x}", &whole[..whole.len().min(LONGEST_UID - 17)])
}

fn variables(model: &str) -> Value {
    let versions = format!("label_values(tagship_requests_total{{model={}}}, version)", Value::from(model));
    json!([
        { "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1 },
        {
            "name": "version", "label": "Version", "type": "query", "datasource": panel::source(),
            "query": versions, "refresh": 2, "sort": 7,
            "multi": true, "includeAll": true, "allValue": ".+",
        },
    ])
}

/// A mark where the share of traffic of a version changes, also where it was as before when the next sample was taken: the server
/// counts changes. One that began to count within the window has none before it to compare with, and had no traffic then.
fn versions_that_came(model: &str) -> Value {
    let count = format!("tagship_version_weight_changes_total{{model={}}}", Value::from(model));
    let expr = format!("changes({count}[{CHANGED}]) > 0 or {count} > 0 unless {count} offset {CHANGED}");
    json!({
        "name": "Deploys", "enable": true, "iconColor": "blue", "datasource": panel::source(),
        "target": { "refId": "Anno", "interval": "60s", "expr": expr },
        "titleFormat": "traffic of {{version}} changed", "tagKeys": "version",
    })
}

fn panels(watched: &Watched) -> Vec<Value> {
    let mut panels = vec![];
    let mut y = 0;
    for (title, contents) in [
        ("Traffic, errors and latency by version", traffic(watched)),
        ("Objectives", objectives(watched)),
        ("Resources", resources()),
    ] {
        panels.push(row(title, panels.len(), y));
        y += 1;
        for pair in contents.chunks(2) {
            for (column, content) in pair.iter().enumerate() {
                let place = Place { x: 12 * column, y };
                panels.push(panel(content, panels.len(), &place));
            }
            y += panel::HEIGHT;
        }
    }
    panels
}

fn traffic(watched: &Watched) -> Vec<Panel> {
    let of = format!("{{model={},version=~\"$version\"}}", Value::from(watched.model.as_str()));
    let rate = |name: &str| format!("sum by (version) (rate({name}{of}[$__rate_interval]))");
    let (requests, errors) = (rate("tagship_requests_total"), rate("tagship_errors_total"));
    let quantile = |q: f64| {
        let buckets = format!("tagship_request_duration_seconds_bucket{of}");
        let expr =
            format!("histogram_quantile({q}, sum by (version, le) (rate({buckets}[$__rate_interval])))");
        Target { expr, legend: format!("{{{{version}}}} p{}", q * 100.0) }
    };
    let by_version = |expr: String| vec![Target { expr, legend: "{{version}}".to_owned() }];
    vec![
        Panel::new("Requests", "reqps", by_version(requests.clone())),
        Panel::new(
            "Share of the traffic",
            "percent",
            by_version(format!("tagship_version_weight_percent{of}")),
        ),
        Panel::new("Errors", "percentunit", by_version(format!("{errors} / {requests}"))),
        Panel::new("Latency", "s", [0.5, 0.95, 0.99].map(quantile).to_vec()),
    ]
}

/// How fast budgets are spent, and values beside their bounds.
fn objectives(watched: &Watched) -> Vec<Panel> {
    let of = |objective: &crate::objective::Objective| {
        let names = recorded_names(objective);
        let key = format!("{}/{}/{}@", watched.model, watched.environment, objective.name);
        let chosen = format!("{{slo=~{}}}", Value::from(format!("{}.*", pattern(&key))));
        let targets =
            names.into_iter().map(|(name, legend)| Target { expr: format!("{name}{chosen}"), legend });
        let targets = targets.collect();
        match &objective.measure {
            Measure::Value { bound, .. } => {
                Panel::new(&format!("{}: {bound}", objective.name), "short", targets).with_line(bound.limit())
            }
            _ => Panel::new(
                &format!("{}: pace at which the budget is spent", objective.name),
                "short",
                targets,
            )
            .with_line(1.0),
        }
    };
    watched.objectives.iter().map(of).collect()
}

/// As a regular expression that matches the text alone.
fn pattern(text: &str) -> String {
    text.replace('.', "[.]").replace('+', "[+]")
}

fn resources() -> Vec<Panel> {
    let of = |expr: &str, legend: &str| vec![Target { expr: expr.to_owned(), legend: legend.to_owned() }];
    let servers = "on(instance, job) group_left() group by (instance, job) (tagship_requests_in_flight)";
    vec![
        Panel::new("Requests in flight", "short", of("tagship_requests_in_flight", "{{instance}}")),
        Panel::new(
            "Requests turned away",
            "reqps",
            of("rate(tagship_requests_turned_away_total[$__rate_interval])", "{{instance}}"),
        ),
        Panel::new(
            "Processor",
            "percentunit",
            of(
                r#"1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))"#,
                "{{instance}}",
            ),
        ),
        Panel::new(
            "Memory",
            "bytes",
            of(&format!("process_resident_memory_bytes * {servers}"), "{{instance}}"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use tagship_domain::{Duration, quality::QualityBound, slo::Severity};

    use super::*;
    use crate::objective::Objective;

    fn watched(environment: &str) -> Watched {
        let cpu = Measure::Value {
            bound: QualityBound::AtMost(0.8),
            over: Some(Duration::from_secs(600)),
            severity: Severity::Ticket,
            query: "cpu".to_owned(),
        };
        Watched {
            model: "churn".parse().unwrap(),
            environment: environment.parse().unwrap(),
            version: "v1.0.0".parse().unwrap(),
            runbook: None,
            objectives: vec![Objective { name: "cpu".to_owned(), measure: cpu }],
            looks_every: None,
        }
    }

    #[test]
    fn a_dashboard_is_known_by_its_model_and_environment() {
        let made = |environment| dashboard(&watched(environment))["uid"].as_str().unwrap().to_owned();
        assert_eq!(made("production"), "tagship-churn-productio-f4f69aeaf5192c92");
        assert_ne!(made("production/eu"), made("production-eu"));
        assert_ne!(uid("churn-eu", "production"), uid("churn", "eu-production"));
        assert!(made("a-very-long-name-of-an-environment/of-the-world").len() <= LONGEST_UID);
    }

    #[test]
    fn panels_have_numbers_of_their_own_and_do_not_overlap() {
        let dashboard = dashboard(&watched("production"));
        let panels = dashboard["panels"].as_array().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for panel in panels {
            let place = &panel["gridPos"];
            assert!(seen.insert(panel["id"].as_u64()) && place["x"].as_u64() < Some(24), "{panel}");
            assert!(
                seen.insert(place["y"].as_u64().map(|y| 1000 + 2 * y + place["x"].as_u64().unwrap() / 12))
            );
        }
        let text = dashboard.to_string();
        assert!(text.contains("tagship_slo:value"), "{text}");
        let marks = dashboard["annotations"]["list"][0]["target"]["expr"].as_str().unwrap();
        assert!(
            marks.contains("changes(tagship_version_weight_changes_total{model=\"churn\"}[3m]) > 0"),
            "{marks}"
        );
    }
}
