//! Candidate against stable on the same rows.
//!
//! The question is not whether the two differ but whether the candidate may have lost more accuracy than the
//! margin allows. So the confidence interval of the difference decides (non-inferiority at one-sided 2.5 %):
//! - the whole interval above `-margin`: Successful, even where the candidate is certainly a little worse, because
//!   that much was allowed;
//! - the whole interval below `-margin`: Failed;
//! - else the rows cannot tell. Where `McNemar`'s test says that the candidate is worse at 5 %, the loss is
//!   certain and only its size is open: Failed. Otherwise Inconclusive: more rows are needed.

mod predictions;

use tagship_config::{CompareSettings, CompareTest};
use tagship_domain::gate::{CheckKind, GateCheck, Outcome};
use tagship_stats::{
    Interval, Paired, bootstrap, mcnemar,
    non_inferiority::{self, Judgement},
};

pub use predictions::{MAX_PREDICTIONS_BYTES, MAX_ROWS};
use predictions::{Predictions, Unpaired, pair};

use crate::{
    plain::plain,
    request::{GateRequest, ReportFile, StableEvidence},
    text::shown,
};

/// Confidence of the interval; two-sided, so 2.5 % on the side that matters.
const CONFIDENCE: f64 = 0.95;

/// Level below which `McNemar`'s test calls the two different.
const SIGNIFICANCE: f64 = 0.05;

/// Resampling is repeatable: everybody who judges the same rows sees the same interval.
const PLAN: bootstrap::Plan = bootstrap::Plan { resamples: 2000, confidence: CONFIDENCE, seed: 1 };

pub(crate) fn check(settings: &CompareSettings, request: &GateRequest<'_>) -> GateCheck {
    let answer = answer(settings, request).unwrap_or_else(|not_compared| not_compared);
    plain(CheckKind::Compare, "same rows as stable", answer)
}

type Answer = (Outcome, String);

/// The answer; the error side is an answer too, for everything that comes before the first number.
fn answer(settings: &CompareSettings, request: &GateRequest<'_>) -> Result<Answer, Answer> {
    let Some(stable) = request.stable else {
        return Err(if request.settings.require_baseline {
            let message = "there is no stable version to compare with, and a baseline is required";
            (Outcome::Inconclusive, message.to_owned())
        } else {
            let message = "does not apply: there is no stable version to compare with yet";
            (Outcome::NotApplicable, message.to_owned())
        });
    };
    let undecided = |message: String| (Outcome::Inconclusive, message);
    let candidate = request
        .predictions
        .ok_or_else(|| undecided("the candidate has no predictions file; configure one".to_owned()))?;
    let baseline = stable
        .predictions
        .as_ref()
        .ok_or_else(|| undecided(format!("{} was released without its predictions", stable.version)))?;
    let candidate = read(candidate)?;
    let baseline = read(baseline)?;
    let paired = pair(&baseline, &candidate).map_err(|unpaired| undecided(describe(&unpaired, stable)))?;
    Ok(judge(&paired, settings, stable))
}

fn read(file: &ReportFile) -> Result<Predictions, Answer> {
    let path = shown(&file.path, 120);
    let bytes = file
        .content
        .as_ref()
        .map_err(|reason| (Outcome::Inconclusive, format!("missing: {path} ({})", shown(reason, 120))))?;
    Predictions::read(bytes).map_err(|error| (Outcome::Error, format!("{path}: {error}")))
}

fn describe(unpaired: &Unpaired, stable: &StableEvidence) -> String {
    let version = &stable.version;
    match unpaired {
        Unpaired::NoRows => "the predictions hold no row".to_owned(),
        Unpaired::OtherRows { shared, only_stable, only_candidate } => format!(
            "the rows are not the same: {shared} are shared, {only_stable} only in {version}, {only_candidate} \
             only in the candidate"
        ),
        Unpaired::OtherLabels { count, rows, first } => format!(
            "{count} of {rows} rows have another label than for {version}, the first is {}",
            shown(first, 80)
        ),
    }
}

fn judge(paired: &Paired, settings: &CompareSettings, stable: &StableEvidence) -> Answer {
    let interval = interval(paired, settings.test);
    let (p, form) = mcnemar::test(paired);
    let surely_worse = p < SIGNIFICANCE && paired.only_first > paired.only_second;
    let (outcome, verdict) = match non_inferiority::judge(&interval, settings.margin) {
        Judgement::NonInferior => (Outcome::Successful, "no worse than the margin allows"),
        Judgement::Inferior => (Outcome::Failed, "worse than the margin allows"),
        Judgement::Undecided if surely_worse => (Outcome::Failed, "worse, by how much is open"),
        Judgement::Undecided => (Outcome::Inconclusive, "too few rows to tell"),
    };
    let form = match form {
        mcnemar::Form::Exact => "exact",
        mcnemar::Form::ContinuityCorrected => "corrected",
    };
    let Paired { rows, only_first, only_second } = paired;
    let message = format!(
        "{verdict}: accuracy {:+.4} against {}, 95 % interval {interval}, margin {}, n = {rows}, right only in \
         stable b = {only_first}, only in the candidate c = {only_second}, McNemar ({form}) p = {}",
        paired.difference(),
        stable.version,
        settings.margin,
        p_value(p),
    );
    (outcome, message)
}

/// The interval that decides. A bootstrap can only draw what it saw: with few discordant rows it is too narrow,
/// so it is never taken narrower than the interval by formula.
fn interval(paired: &Paired, test: CompareTest) -> Interval {
    let by_formula = paired.interval(CONFIDENCE);
    match test {
        CompareTest::Mcnemar => by_formula,
        CompareTest::Bootstrap => {
            bootstrap::accuracy(paired, &PLAN).map_or(by_formula, |drawn| drawn.hull(by_formula))
        }
    }
}

fn p_value(p: f64) -> String {
    if p < 0.0001 { "under 0.0001".to_owned() } else { format!("{p:.4}") }
}
