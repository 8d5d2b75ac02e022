//! Alerts: incidents that open when something is bad for long enough, and close when it has been good for long enough.
//!
//! A pure state machine: what was found and what is remembered go in, what is remembered and what is to be told come out. What
//! cannot be judged neither opens nor closes anything; missing data is an incident of its own.

#[cfg(test)]
mod tests;

use tagship_domain::{
    Duration, Timestamp,
    incident::{Finding, Incident, IncidentChange, IncidentPhase, NO_DATA, Standing},
};

/// When incidents open, close and are told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Bad looks in a row that open one.
    pub open_after: u32,
    /// Good looks in a row that close one.
    pub resolve_after: u32,
    /// An open one is told again after so long.
    pub remind: Duration,
}

/// Opens at once, closes after two good looks, is told again every day.
impl Default for Policy {
    fn default() -> Self {
        Self { open_after: 1, resolve_after: 2, remind: DAY }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Most good looks that a flapping incident waits for.
const MOST_LOOKS: u32 = 64;

/// An incident that has changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What happened.
    pub change: IncidentChange,
    /// The incident as it is now.
    pub incident: Incident,
}

/// What comes of a look.
///
/// Every incident that is remembered and every finding leads to one incident; those that are over and long ago are forgotten.
/// What is no longer watched is over.
#[must_use]
pub fn advance(
    remembered: &[Incident],
    findings: &[Finding],
    policy: &Policy,
    now: Timestamp,
) -> (Vec<Incident>, Vec<Change>) {
    let (mut incidents, mut changes) = (vec![], vec![]);
    let mut go_on = |(incident, change): (Option<Incident>, Option<IncidentChange>)| {
        if let Some((change, incident)) = change.zip(incident.as_ref()) {
            changes.push(Change { change, incident: incident.clone() });
        }
        incidents.extend(incident);
    };
    for (topic, finding, is_bad) in findings.iter().flat_map(sightings) {
        let known = remembered.iter().find(|incident| incident.topic == topic).cloned();
        go_on(match is_bad {
            Some(true) => worse(known, topic, finding, policy, now),
            Some(false) => better(known, finding, policy, now),
            None => (known.and_then(|known| kept(known, now)), None),
        });
    }
    let is_watched =
        |incident: &&Incident| findings.iter().flat_map(sightings).any(|(topic, ..)| topic == incident.topic);
    for gone in remembered.iter().filter(|incident| !is_watched(incident)) {
        let mut finding = gone.finding.clone();
        "it is no longer watched".clone_into(&mut finding.sentence);
        let at_once = Policy { resolve_after: 0, ..*policy };
        let quiet = Incident { opened: gone.opened.last().copied().into_iter().collect(), ..gone.clone() };
        go_on(better(Some(quiet), &finding, &at_once, now));
    }
    (incidents, changes)
}

/// What a finding says about its incident and about that of missing data: bad, good, or nothing.
fn sightings(finding: &Finding) -> [(String, &Finding, Option<bool>); 2] {
    let (is_bad, lacks) = match finding.standing {
        Standing::Good => (Some(false), Some(false)),
        Standing::Bad => (Some(true), Some(false)),
        Standing::NoData => (None, Some(true)),
        Standing::Unknown => (None, None),
    };
    [(finding.topic.clone(), finding, is_bad), (format!("{}{NO_DATA}", finding.topic), finding, lacks)]
}

fn worse(
    known: Option<Incident>,
    topic: String,
    finding: &Finding,
    policy: &Policy,
    now: Timestamp,
) -> (Option<Incident>, Option<IncidentChange>) {
    let new = || Incident {
        topic,
        phase: IncidentPhase::Pending,
        looks: 0,
        bad: 0,
        opened: vec![],
        since: now,
        told: None,
        finding: finding.clone(),
        issue: None,
    };
    let mut incident = known.unwrap_or_else(new);
    let was = incident.finding.severity;
    incident.finding = finding.clone();
    incident.bad += 1;
    if incident.phase == IncidentPhase::Open {
        incident.looks = 0;
        let is_due = incident.told.is_none_or(|told| now.since(told) >= policy.remind);
        let is_told = is_due || finding.severity > was;
        incident.told = if is_told { Some(now) } else { incident.told };
        return (Some(incident), is_told.then_some(IncidentChange::Updated));
    }
    if incident.phase == IncidentPhase::Resolved {
        (incident.phase, incident.looks, incident.since) = (IncidentPhase::Pending, 0, now);
    }
    incident.looks += 1;
    if incident.looks < policy.open_after {
        return (Some(incident), None);
    }
    incident.opened.retain(|opened| now.since(*opened) < DAY);
    incident.opened.push(now);
    (incident.phase, incident.looks) = (IncidentPhase::Open, 0);
    (incident.since, incident.told) = (now, Some(now));
    // The issue of the time before is closed.
    incident.issue = None;
    (Some(incident), Some(IncidentChange::Opened))
}

fn better(
    known: Option<Incident>,
    finding: &Finding,
    policy: &Policy,
    now: Timestamp,
) -> (Option<Incident>, Option<IncidentChange>) {
    let Some(mut incident) = known else { return (None, None) };
    incident.bad = 0;
    match incident.phase {
        // It never was one, unless it was before.
        IncidentPhase::Pending if incident.opened.is_empty() => (None, None),
        IncidentPhase::Pending => {
            (incident.phase, incident.looks) = (IncidentPhase::Resolved, 0);
            (kept(incident, now), None)
        }
        IncidentPhase::Resolved => (kept(incident, now), None),
        IncidentPhase::Open => {
            incident.looks += 1;
            if incident.looks < calm(&incident, policy) {
                return (Some(incident), None);
            }
            incident.finding = finding.clone();
            (incident.phase, incident.looks) = (IncidentPhase::Resolved, 0);
            (incident.since, incident.told) = (now, Some(now));
            (Some(incident), Some(IncidentChange::Resolved))
        }
    }
}

/// Good looks that close an incident: twice as many each time that it came back within a day.
fn calm(incident: &Incident, policy: &Policy) -> u32 {
    let again = u32::try_from(incident.opened.len().saturating_sub(1)).unwrap_or(u32::MAX);
    policy.resolve_after.saturating_mul(2_u32.saturating_pow(again.min(6))).min(MOST_LOOKS)
}

/// What is over is remembered for a day, so that what flaps is known.
fn kept(incident: Incident, now: Timestamp) -> Option<Incident> {
    let is_old = incident.phase == IncidentPhase::Resolved && now.since(incident.since) >= DAY;
    (!is_old).then_some(incident)
}
