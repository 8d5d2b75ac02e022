//! Sentences about metrics that are judged the way of Kayenta, and about their score.

use std::fmt::Write as _;

use tagship_domain::{
    analysis::{JudgeState, Metric},
    kayenta::{EffectMeasure, KayentaJudged, KayentaMetric, KayentaScore},
};
use tagship_stats::kayenta::{Cause, Entry, Reason, Score, Verdict};

use crate::analysis::message::significant;

/// What no reader may miss.
const NO_RATE: &str = "the judge of Kayenta holds no error rate";

/// How many values there are, before the lifetime is over.
pub(super) fn collecting(metric: &Metric, state: &JudgeState) -> String {
    let n = super::numbers(state);
    let mut text = format!("{} values of the candidate so far, {} of stable; not compared yet", n[1], n[0]);
    advisory(metric, &mut text);
    text
}

/// That nothing is decided before the lifetime is over.
pub(super) fn waiting(policy: &KayentaScore, n: [u64; 2]) -> String {
    format!(
        "{} values of the candidate and {} of stable at least; judged once, {} after the first look, and looks before that \
         decide nothing",
        n[1], n[0], policy.lifetime
    )
}

/// The class of a metric and what it rests on.
pub(super) fn judged(
    metric: &Metric,
    settings: &KayentaMetric,
    judged: &KayentaJudged,
    reason: Reason,
    critical: bool,
) -> String {
    let ([n0, n1], class) = (judged.n, judged.class.as_str());
    let mut text = format!("{class}: ");
    let least = KayentaMetric::LEAST_SAMPLES;
    let _ = match reason {
        Reason::Identical => write!(text, "{n1} values of the candidate and {n0} of stable, all the same"),
        Reason::NothingReported => write!(text, "no version reported anything, which counts as zero"),
        Reason::NoPoints => write!(text, "{n1} values of the candidate and {n0} of stable"),
        Reason::TooFew => {
            write!(text, "{n1} values of the candidate and {n0} of stable, {least} each are needed")
        }
        Reason::NotFinite => write!(text, "a value is too large to be compared"),
        Reason::Compared { comparison, effect } => {
            let [low, shift, high] =
                [comparison.interval.low, comparison.estimate, comparison.interval.high].map(significant);
            let _ = write!(
                text,
                "shifted by {shift} against stable (98% interval {low} to {high}) over {n1} values, {n0} of stable"
            );
            match (effect, settings.effect_size.measure) {
                (Some(effect), EffectMeasure::MeanRatio) => {
                    write!(text, "; its mean is {} times stable's", significant(effect))
                }
                (Some(effect), EffectMeasure::Cles) => {
                    write!(text, "; larger than stable with probability {}", significant(effect))
                }
                (None, _) => write!(text, "; the ratio of means has no meaning, the interval decides alone"),
            }
        }
    };
    if critical {
        text.push_str("; critical");
    }
    advisory(metric, &mut text);
    text
}

/// The score, what it is made of and what it leads to.
pub(super) fn scored(policy: &KayentaScore, score: &Score, entries: &[Entry]) -> String {
    let KayentaScore { pass, marginal, .. } = policy;
    let verdict = match score.verdict {
        Verdict::Pass => "Pass",
        Verdict::Marginal => "Marginal",
        Verdict::Fail => "Fail",
    };
    let mut text =
        format!("score {} of 100, {verdict} (pass {pass}, marginal {marginal})", significant(score.total));
    match &score.cause {
        Cause::Groups => {}
        Cause::CriticalMetric(name) => {
            let _ = write!(text, "; {name} is critical and changed, so the score is 0");
        }
        Cause::CriticalUnknown(name) => {
            let _ = write!(text, "; {name} is critical and could not be judged");
        }
        Cause::MostlyUnknown => {
            text.push_str("; at least half of the metrics could not be judged, so a person decides");
        }
        Cause::GroupsUnknown => {
            text.push_str("; groups that could not be judged might change that, so a person decides");
        }
    }
    for group in &score.groups {
        let said = group.score.map_or_else(|| "unknown".to_owned(), significant);
        let _ = write!(text, "; {} {said} (weight {})", group.name, significant(group.weight));
    }
    let counted = entries.iter().filter(|entry| !entry.muted && entry.class.is_change());
    let changed: Vec<String> = counted.map(|entry| format!("{} {:?}", entry.name, entry.class)).collect();
    if !changed.is_empty() {
        let _ = write!(text, "; {}", changed.join(", "));
    }
    let _ = write!(text, "; {NO_RATE}");
    text
}

fn advisory(metric: &Metric, text: &mut String) {
    if !metric.decides() {
        text.push_str(" (advisory)");
    }
}
