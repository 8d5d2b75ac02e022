//! Looking for everything that is wrong with the tags of a repository.

use tagship_domain::Timestamp;

use crate::{
    finding::{Finding, FindingKind, MODEL},
    model::Model,
    registry::Registry,
    repair::repairable,
};

/// Tagger clocks may be this much ahead before it is worth a finding, in seconds.
const CLOCK_TOLERANCE_SECONDS: i64 = 24 * 60 * 60;

impl Registry {
    /// Everything that is wrong with the tags: by tag as read, then by model.
    pub fn doctor(&self, now: Timestamp) -> Vec<Finding> {
        let mut findings = self.tag_findings().to_vec();
        for model in self.all_models() {
            findings.extend(repairable(model).map(|(finding, _)| finding));
            if let Some(reason) = model.contradiction() {
                findings.push(Finding {
                    kind: FindingKind::Contradiction,
                    subject: format!("{MODEL}{}", model.name()),
                    detail: reason.to_owned(),
                });
            }
            findings.extend(clock_order(model));
            findings.extend(future_times(model, now));
        }
        findings
    }
}

/// Tags whose counter is lower than that of an older tag: written by a machine whose clock lags.
fn clock_order(model: &Model) -> Vec<Finding> {
    let mut counted: Vec<_> =
        model.events().filter_map(|event| Some((event.time(), event.counter?, &event.tag))).collect();
    counted.sort_unstable();
    let mut findings = Vec::new();
    let mut next: Option<(u64, &str)> = None;
    // From newest to oldest: a counter above the lowest seen so far belongs to a tag dated too early.
    for &(_, counter, tag) in counted.iter().rev() {
        match next {
            Some((lower, newer)) if counter > lower => findings.push(Finding {
                kind: FindingKind::ClockOrder,
                subject: tag.clone(),
                detail: format!("{newer} has the newer time and counts as the later event"),
            }),
            _ => next = Some((counter, tag)),
        }
    }
    findings
}

fn future_times(model: &Model, now: Timestamp) -> impl Iterator<Item = Finding> {
    let limit = now.as_seconds().saturating_add(CLOCK_TOLERANCE_SECONDS);
    model.events().filter(move |event| event.time().as_seconds() > limit).map(|event| Finding {
        kind: FindingKind::FutureTime,
        subject: event.tag.clone(),
        detail: event.tagger.iso_time(),
    })
}
