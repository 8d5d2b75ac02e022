//! An alert where nobody looks: what no look has judged is not known to be well, and a schedule that ended tells nobody itself.

use tagship_domain::{Duration, slo::Severity};

use super::{PATIENCE, Rule, summary, yaml::Texts};
use crate::{exposition::LOOKED, objective::Watched};

/// Alert on looks that stopped.
pub(super) const NOBODY: &str = "TagshipNobodyLooks";
/// So many looks may be missing, as pages say of an old one.
const MISSED: u64 = 3;
/// What it is about.
const TOPIC: &str = "looks";

/// The series that says when the last look was.
pub(super) fn looked(watched: &Watched) -> String {
    let text = serde_json::Value::from;
    let (model, environment) = (text(watched.model.as_str()), text(watched.environment.as_str()));
    format!("{LOOKED}{{model={model},environment={environment}}}")
}

/// From this age on the last look is too old; absent where looks are not watched.
pub(super) fn oldest(watched: &Watched) -> Option<Duration> {
    watched.looks_every.map(|every| Duration::from_secs(every.std().as_secs() * MISSED))
}

/// The alert. A series that is not there at all says as little as an old one.
pub(super) fn alert(watched: &Watched) -> Option<Rule> {
    let oldest = oldest(watched)?;
    let (series, seconds) = (looked(watched), oldest.std().as_secs());
    let labels = Texts::from([
        ("model", watched.model.to_string()),
        ("environment", watched.environment.to_string()),
        ("severity", Severity::Ticket.to_string()),
        ("topic", TOPIC.to_owned()),
    ]);
    let mut annotations = Texts::from([
        ("summary", summary(watched, TOPIC, "nobody looks")),
        ("window", oldest.to_string()),
        (
            "command",
            format!("tagship monitor check --model {} --environment {}", watched.model, watched.environment),
        ),
        (
            "description",
            format!(
                "for {oldest} no look at {} in {} is known here: the schedule of `tagship monitor check` has ended, its looks \
                 fail, or their metrics do not come here, by `monitor.export` or `--metrics`",
                watched.model, watched.environment
            ),
        ),
    ]);
    annotations.extend(watched.runbook.clone().map(|runbook| ("runbook_url", super::escaped(&runbook))));
    Some(Rule {
        is_alert: true,
        name: NOBODY.to_owned(),
        // Of several servers that were told of looks, the newest counts.
        expr: format!("absent({series}) or time() - max({series}) > {seconds}"),
        lasts: Some(PATIENCE),
        labels,
        annotations,
    })
}
