//! The rollout that goes on, candidate beside stable, and those that have ended.

use tagship_domain::{
    analysis::MetricPhase,
    explanation::{Explanation, MetricHistory},
    monitor::{MonitorReport, PastRollout},
    rollout::Kind,
};

use super::{
    super::{
        escape::text,
        table::{chip, section as titled, table},
    },
    timeline::is_back,
};
use crate::{
    measure::{self, Unit},
    sentence::phase_name,
};

/// Most rollouts of the table.
const MOST: usize = 12;

/// The rollout that goes on; empty where none does.
pub(super) fn running(report: &MonitorReport) -> String {
    let Some(rollout) = &report.rollout else { return String::new() };
    let stable = rollout.stable.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let candidate = format!("candidate {}", rollout.candidate);
    let stable = format!("stable {stable}");
    let rows: Vec<Vec<String>> = rollout.metrics.iter().map(metric).collect();
    let head = ["Metric", &candidate, &stable, "Must keep", "Requests", "Verdict"];
    let inside = if rows.is_empty() {
        "<p class=\"note\">Nothing has been measured yet.</p>\n".to_owned()
    } else {
        table("Candidate and stable", &head, &rows)
    };
    titled("rollout", "Rollout that goes on", &(lead(rollout) + &inside))
}

fn lead(rollout: &Explanation) -> String {
    let share = rollout.traffic.last().and_then(|point| point.candidate);
    let share = share.map_or_else(|| "an unknown share".to_owned(), |share| share.to_string());
    format!(
        "<p>{} {} has {} of the traffic since {}. {}</p>\n",
        chip("running", phase_name(rollout.phase)),
        text(&rollout.candidate.to_string()),
        text(&share),
        text(&rollout.updated.readable()),
        text(&rollout.sentence)
    )
}

fn metric(metric: &MetricHistory) -> Vec<String> {
    let (class, word) = match metric.phase {
        MetricPhase::Pending => ("neutral", "not measured"),
        MetricPhase::Running | MetricPhase::Inconclusive => ("unknown", "undecided"),
        MetricPhase::Successful => ("good", "good"),
        MetricPhase::Failed => ("bad", "bad"),
        MetricPhase::Error => ("unknown", "not measurable"),
    };
    let unit = metric.kind.map_or(Unit::Plain, Unit::from);
    let last = metric.points.last().map(|point| &point.reading.measurement);
    let [candidate, stable] = unit.pair(last.and_then(|of| of.value), last.and_then(|of| of.stable));
    let unknown = || "unknown".to_owned();
    vec![
        text(&metric.name),
        text(&candidate.unwrap_or_else(unknown)),
        text(&stable.unwrap_or_else(unknown)),
        text(&metric.allowed),
        last.map_or_else(unknown, |of| text(&measure::count(of.n[1]))),
        chip(class, word),
    ]
}

/// The newest rollouts that have ended.
pub(super) fn past(report: &MonitorReport) -> String {
    let rows: Vec<Vec<String>> = report.past.iter().take(MOST).map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let mut inside = table("Rollouts", &["Version", "Ended", "What", "How it ended"], &rows);
    if report.past.len() > MOST || !report.complete {
        inside.push_str("<p class=\"note\">Older ones are in the journal: <code>tagship status</code>, <code>tagship rollout explain</code>.</p>\n");
    }
    titled("past", "Rollouts", &inside)
}

fn row(past: &PastRollout) -> Vec<String> {
    let before = past.before.as_ref().map(ToString::to_string);
    let what = match (past.kind, before) {
        (Kind::Deploy, Some(before)) => format!("deploy over {before}"),
        (Kind::Deploy, None) => "first deployment".to_owned(),
        (Kind::Rollback, Some(before)) => format!("back from {before}"),
        (Kind::Rollback, None) => "back".to_owned(),
    };
    let class = if is_back(past) { "bad" } else { "good" };
    vec![
        text(&past.version.to_string()),
        text(&past.at.readable()),
        text(&what),
        chip(class, phase_name(past.phase)),
    ]
}
