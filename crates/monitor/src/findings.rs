//! What was measured, as findings that incidents can come of.

mod drift;

pub use drift::{DRIFT, is_of_slice, of_drift};

use tagship_domain::{
    incident::{Finding, Standing},
    quality::{QualityCode, QualityReport, QualityScore},
    slo::{ObjectiveReport, Severity, SloState},
};

use crate::streams::Watched;

/// Where more than one row in so many has no time, those of a window are not known to be the ones that came in it.
const UNTIMED: u64 = 20;

/// Of quality: one per bound, and whether there are predictions at all. A broken bound is a regression where the rows are
/// those of the version that serves alone. What is expected without labels counts where labels say nothing.
#[must_use]
pub fn of_quality(report: &QualityReport, is_of_version: bool) -> Vec<Finding> {
    let window = format!("{} predictions, {} with a label", report.rows, report.labelled);
    let of = |score: &QualityScore, what: &str, is_regression: bool| {
        let bound = score.bound?;
        let value = score.value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.4}"));
        let interval = score
            .interval
            .map_or_else(String::new, |[low, high]| format!(", between {low:.4} and {high:.4}"));
        let why = score.reason.as_ref().map_or_else(String::new, |why| format!("; {why}"));
        Some(Finding {
            topic: format!("quality/{what}{}", score.metric),
            standing: match score.good {
                Some(true) => Standing::Good,
                Some(false) => Standing::Bad,
                None => Standing::Unknown,
            },
            severity: Severity::Ticket,
            is_regression,
            value: score.value,
            limit: Some(bound.limit()),
            threshold: bound.to_string(),
            window: window.clone(),
            sentence: format!("{what}{} is {value}{interval}; {bound} is asked for{why}", score.metric),
        })
    };
    let untimed = report.findings.iter().find(|finding| finding.code == QualityCode::RowsWithoutTime);
    let mut findings = vec![Finding {
        topic: "quality/predictions".to_owned(),
        standing: match report.rows {
            0 => Standing::NoData,
            rows if report.untimed > rows / UNTIMED => Standing::Unknown,
            _ => Standing::Good,
        },
        severity: Severity::Ticket,
        is_regression: false,
        value: None,
        limit: None,
        threshold: "at least one prediction".to_owned(),
        window: window.clone(),
        sentence: match untimed {
            Some(untimed) => format!("there are {window}; {}", untimed.message),
            None => format!("there are {window}"),
        },
    }];
    findings.extend(report.scores.iter().filter_map(|score| of(score, "", is_of_version)));
    let is_open = |metric| {
        report
            .scores
            .iter()
            .any(|score| score.metric == metric && score.bound.is_some() && score.good.is_none())
    };
    let estimated = report.estimate.iter().flat_map(|estimate| &estimate.scores);
    let estimated = estimated.filter(|score| is_open(score.metric));
    findings.extend(estimated.filter_map(|score| of(score, "expected-", false)));
    findings
}

/// Of an objective. A budget's number is how near it is to an alarm, so that it has one scale whichever windows say most.
#[must_use]
pub fn of_objective(report: &ObjectiveReport) -> Finding {
    let nearest = report.windows.iter().filter_map(|window| Some((window, window.nearness()?)));
    let nearest = nearest.max_by(|(_, one), (_, other)| one.total_cmp(other));
    let is_budget = !report.windows.is_empty();
    Finding {
        topic: format!("slo/{}", report.name),
        standing: match report.state {
            SloState::Kept => Standing::Good,
            SloState::Burning => Standing::Bad,
            SloState::NoData => Standing::NoData,
            SloState::Unknown => Standing::Unknown,
        },
        severity: report.severity.unwrap_or(Severity::Ticket),
        is_regression: report.severity == Some(Severity::Page),
        value: report.value.or(nearest.map(|(_, nearness)| nearness)),
        limit: is_budget.then_some(1.0),
        threshold: if is_budget {
            format!("{}; 1 is the pace that alarms", report.asked)
        } else {
            report.asked.clone()
        },
        window: match (nearest, is_budget) {
            (Some((window, _)), _) => format!("{} and {}", window.windows[0], window.windows[1]),
            (None, true) => "the windows of the budget".to_owned(),
            (None, false) => "the window of the bound".to_owned(),
        },
        sentence: format!("{}: {}", report.name, report.reason),
    }
}

/// Of a stream. Without a new value there is no data; a detector that has not learnt yet says nothing by being silent.
#[must_use]
pub fn of_stream(watched: &Watched, severity: Severity) -> Finding {
    let state = &watched.state;
    let standing = match (watched.taken, watched.detections.is_empty()) {
        (0, _) => Standing::NoData,
        (_, false) => Standing::Bad,
        (_, true) if watched.unready.is_some() => Standing::Unknown,
        (_, true) => Standing::Good,
    };
    let sentence = match watched.detections.last() {
        Some(at) => format!("{} changed at {}, says {}", state.name, at.readable(), state.detector),
        None if watched.taken == 0 => format!("no data: {} has no new value", state.name),
        None if let Some(why) = &watched.unready => format!("{} cannot be judged: {why}", state.name),
        None if watched.warns => format!("{} may be changing, says {}", state.name, state.detector),
        None => format!("{} has not changed, says {}", state.name, state.detector),
    };
    Finding {
        topic: format!("stream/{}", state.name),
        standing,
        severity,
        is_regression: false,
        value: watched.newest,
        limit: None,
        threshold: format!("no change that {} can tell from chance", state.detector),
        window: format!("{} new values of {}", watched.taken, state.values),
        sentence,
    }
}

/// Of something that could not be looked at, because it is not there, or for another reason.
#[must_use]
pub fn unseen(topic: String, is_absent: bool, why: &str) -> Finding {
    Finding {
        topic,
        standing: if is_absent { Standing::NoData } else { Standing::Unknown },
        severity: Severity::Ticket,
        is_regression: false,
        value: None,
        limit: None,
        threshold: "unknown".to_owned(),
        window: "unknown".to_owned(),
        sentence: format!("it could not be looked at: {why}"),
    }
}

/// Whether all is well.
#[must_use]
pub fn together(findings: &[Finding]) -> Option<bool> {
    if findings.iter().any(|finding| finding.standing == Standing::Bad) {
        return Some(false);
    }
    (!findings.is_empty() && findings.iter().all(|finding| finding.standing == Standing::Good))
        .then_some(true)
}

#[cfg(test)]
mod tests {
    use tagship_domain::{Duration, slo::BurnWindow};

    use super::*;

    fn window(severity: Severity, hours: u64, factor: f64, pace: f64) -> BurnWindow {
        BurnWindow {
            severity,
            windows: [Duration::from_secs(3600 * hours), Duration::from_secs(300 * hours)],
            factor,
            burn: [Some(pace), Some(pace)],
            events: 10_000,
            bad: 100,
            fires: Some(pace > factor),
        }
    }

    fn report(severity: Option<Severity>, slow: f64) -> ObjectiveReport {
        ObjectiveReport {
            name: "errors".to_owned(),
            asked: "99% of the requests good".to_owned(),
            state: if severity.is_some() { SloState::Burning } else { SloState::Kept },
            severity,
            value: None,
            windows: vec![window(Severity::Page, 1, 14.4, 0.5), window(Severity::Ticket, 72, 1.0, slow)],
            budget_left: None,
            reason: "said".to_owned(),
        }
    }

    #[test]
    fn a_budget_has_one_scale_whichever_windows_say_most() {
        let slow = of_objective(&report(Some(Severity::Ticket), 1.7));
        assert_eq!((slow.value, slow.limit, slow.window.as_str()), (Some(1.7), Some(1.0), "3d and 6h"));
        let kept = of_objective(&report(None, 0.7));
        assert_eq!((kept.value, kept.limit, kept.window.as_str()), (Some(0.7), Some(1.0), "3d and 6h"));
        let mut fast = report(Some(Severity::Page), 0.7);
        fast.windows[0].burn = [Some(43.2), Some(28.8)];
        let told = of_objective(&fast);
        assert_eq!(
            (told.value, told.window.as_str()),
            (Some(2.0), "1h and 5m"),
            "the window that is less far"
        );
        fast.windows.iter_mut().for_each(|window| window.burn = [Some(9.0), None]);
        assert_eq!((of_objective(&fast).value, of_objective(&fast).limit), (None, Some(1.0)));
    }
}
