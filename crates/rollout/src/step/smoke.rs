//! The smoke check: golden cases against the candidate's own endpoint, before any traffic.

use tagship_domain::{
    analysis::{JudgeState, MetricPhase},
    plan::Smoke,
    rollout::{Reason, RolloutState},
    validation::{GoldenCase, GoldenReport, Status},
};

use super::transition::Judgement;

/// Name of the smoke check among the judges of a rollout.
const SMOKE: &str = "smoke";

/// Judges a candidate that is ready, and records the verdict.
pub(super) fn judge(state: &mut RolloutState, report: Option<&GoldenReport>) -> Judgement {
    let version = state.candidate.version.clone();
    let verdict = match (&state.plan.smoke, report) {
        (Smoke::ReadyOnly, _) => {
            let message = "no golden cases: only readiness was checked".to_owned();
            record(state, JudgeState::checked(MetricPhase::Inconclusive, 0, message.clone()));
            return Judgement::Good(message);
        }
        (Smoke::GoldenCases { count, .. }, None) => {
            return Judgement::Wait(format!(
                "{version} is loaded without traffic; about to run {count} golden cases"
            ));
        }
        (Smoke::GoldenCases { count, .. }, Some(report)) => verdict(*count, report),
    };
    record(state, verdict.clone());
    match verdict.phase {
        MetricPhase::Successful => Judgement::Good(verdict.message),
        MetricPhase::Failed => Judgement::Bad(Reason::ValidationFailed, verdict.message),
        _ => Judgement::Wait(verdict.message),
    }
}

fn record(state: &mut RolloutState, verdict: JudgeState) {
    state.judges.insert(SMOKE.to_owned(), verdict);
}

/// A wrong answer fails, however complete the run is. Success needs every case that the release has: none of them
/// unanswered, and at least one.
fn verdict(count: u64, report: &GoldenReport) -> JudgeState {
    let n = report.cases.len() as u64;
    let judged = |phase, message| JudgeState::checked(phase, n, message);
    let failed: Vec<&GoldenCase> = report.cases.iter().filter(|case| !case.passed).collect();
    if let Some(first) = failed.first() {
        let why = first.message.as_deref().unwrap_or("no reason was given");
        let message = format!("{} of {n} golden cases failed, first {:?}: {why}", failed.len(), first.name);
        return judged(MetricPhase::Failed, message);
    }
    let why = report.message.as_deref().unwrap_or("no reason was given");
    match report.status {
        Status::Complete if n == count && n > 0 => judged(
            MetricPhase::Successful,
            format!("{n} of {count} golden cases passed{}", difference(report)),
        ),
        Status::Complete => {
            judged(MetricPhase::Inconclusive, format!("{n} of {count} golden cases were answered"))
        }
        Status::Incomplete => {
            judged(MetricPhase::Inconclusive, format!("golden cases could not be judged: {why}"))
        }
        Status::Error => judged(MetricPhase::Error, format!("golden cases could not be run: {why}")),
    }
}

fn difference(report: &GoldenReport) -> String {
    let largest = report.cases.iter().filter_map(|case| case.max_difference).reduce(f64::max);
    largest.map(|largest| format!(" (largest difference {largest:.1e})")).unwrap_or_default()
}
