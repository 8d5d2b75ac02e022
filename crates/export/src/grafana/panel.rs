//! Panels: lines over time, and rows that hold them.

use serde_json::{Value, json};

/// Height of a panel, in Grafana's grid of 24 columns.
pub(super) const HEIGHT: usize = 8;

/// A panel with lines.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    title: String,
    unit: &'static str,
    targets: Vec<Target>,
    /// A value at which a line is drawn.
    line: Option<f64>,
}

/// A query.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) expr: String,
    pub(super) legend: String,
}

/// Where a panel begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) x: usize,
    pub(super) y: usize,
}

impl Panel {
    pub(super) fn new(title: &str, unit: &'static str, targets: Vec<Target>) -> Self {
        Self { title: title.to_owned(), unit, targets, line: None }
    }

    /// With a line at what is asked for.
    pub(super) fn with_line(self, at: f64) -> Self {
        Self { line: Some(at), ..self }
    }
}

/// The data source that is chosen on the page.
pub(super) fn source() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// A panel; numbers begin with one.
pub(super) fn panel(panel: &Panel, before: usize, place: &Place) -> Value {
    let targets = panel.targets.iter().zip('A'..).map(|(target, letter)| {
        json!({
            "refId": letter.to_string(), "datasource": source(), "expr": target.expr,
            "legendFormat": target.legend, "range": true,
        })
    });
    // The first step begins below every value, which the format says by null.
    let mut steps = vec![json!({ "color": "green", "value": Value::Null })];
    steps.extend(panel.line.map(|line| json!({ "color": "red", "value": line })));
    let style = if panel.line.is_some() { "dashed" } else { "off" };
    json!({
        "id": before + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source(),
        "gridPos": { "x": place.x, "y": place.y, "w": 12, "h": HEIGHT },
        "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "thresholds": { "mode": "absolute", "steps": steps },
                "custom": { "thresholdsStyle": { "mode": style } },
            },
            "overrides": [],
        },
        "options": {
            "legend": { "calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true },
            "tooltip": { "mode": "multi", "sort": "desc" },
        },
    })
}

/// The title of what follows.
pub(super) fn row(title: &str, before: usize, y: usize) -> Value {
    json!({
        "id": before + 1, "type": "row", "title": title, "collapsed": false, "panels": [],
        "gridPos": { "x": 0, "y": y, "w": 24, "h": 1 },
    })
}
