//! Which metrics made a rollout stop or wait, and what they say in few words and in full.

use tagship_domain::{
    analysis::MetricPhase,
    rollout::{Reason, RolloutState},
};

use super::{MetricView, views};
use crate::{measure, text::clean};

/// Longest name of a metric in a sentence.
const NAME: usize = 40;

/// A metric that made a rollout stop or wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Culprit {
    /// Its name with what is wrong: `accuracy 87.2%`, `accuracy got no data`.
    pub(crate) what: String,
    /// What that is held against: `92.1% of v1.0.0`; absent where nothing is.
    pub(crate) against: Option<String>,
    /// `evidence 24.1 of 20 needed to fail`, and from how many observations.
    pub(crate) evidence: Vec<String>,
}

impl Culprit {
    /// For a headline: `accuracy 87.2% against 92.1% of v1.0.0`.
    pub(crate) fn brief(&self) -> String {
        match &self.against {
            Some(against) => format!("{} against {against}", self.what),
            None => self.what.clone(),
        }
    }

    /// With the evidence behind it.
    pub(crate) fn full(&self) -> String {
        std::iter::once(self.brief()).chain(self.evidence.iter().cloned()).collect::<Vec<_>>().join("; ")
    }
}

/// The metrics that are the reason for where a rollout stands, worst first; none where the reason is another.
pub(crate) fn culprits(state: &RolloutState) -> Vec<Culprit> {
    let decides = |view: &&MetricView<'_>| {
        let mut metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
        metrics.all(|metric| metric.name != view.name || metric.decides())
    };
    let all = views(state, &[]);
    let guilty = |is: fn(&MetricView<'_>) -> bool| {
        all.iter().filter(decides).filter(|view| is(view)).map(|view| culprit(view, state)).collect()
    };
    match state.reason {
        Reason::AnalysisFailed => guilty(|view| view.phase == MetricPhase::Failed),
        Reason::AnalysisError => guilty(|view| view.phase == MetricPhase::Error),
        Reason::Frozen | Reason::RollbackProposed => {
            guilty(|view| matches!(view.phase, MetricPhase::Failed | MetricPhase::Error))
        }
        Reason::InconclusiveAnalysis => guilty(is_open),
        Reason::NoData => {
            let empty: Vec<Culprit> = guilty(|view| is_open(view) && has_no_data(view));
            if empty.is_empty() { guilty(is_open) } else { empty }
        }
        _ => vec![],
    }
}

fn is_open(view: &MetricView<'_>) -> bool {
    !matches!(view.phase, MetricPhase::Successful | MetricPhase::Failed)
}

fn has_no_data(view: &MetricView<'_>) -> bool {
    view.n.is_none_or(|[_, candidate]| candidate == 0)
}

fn culprit(view: &MetricView<'_>, state: &RolloutState) -> Culprit {
    let name = clean(view.name, NAME);
    let stable = state.stable.as_ref().map_or("stable".to_owned(), |stable| stable.version.to_string());
    let counts = view.n.map(|[old, new]| {
        let old = (old > 0).then(|| format!(" ({stable}: {})", measure::count(old)));
        format!("{} {}{}", measure::count(new), view.noun, old.unwrap_or_default())
    });
    let evidence =
        view.evidence.iter().map(|evidence| format!("evidence {} needed {}", evidence.text, evidence.aim));
    let [value, old] = &view.values;
    match (view.phase, value) {
        (MetricPhase::Failed, Some(value)) => Culprit {
            what: format!("{name} {value}"),
            against: old.as_ref().map(|old| format!("{old} of {stable}")).or_else(|| view.allowed.clone()),
            evidence: evidence.take(1).chain(counts).collect(),
        },
        (MetricPhase::Failed, None) => {
            Culprit { what: format!("{name} failed"), against: None, evidence: evidence.take(1).collect() }
        }
        (MetricPhase::Error, _) => {
            let missing = view.missing.clone().unwrap_or_else(|| "could not be measured".to_owned());
            Culprit { what: format!("{name} {missing}"), against: None, evidence: vec![] }
        }
        _ if has_no_data(view) => {
            Culprit { what: format!("{name} got no data"), against: None, evidence: vec![] }
        }
        _ => Culprit {
            what: format!("{name} is undecided"),
            against: None,
            evidence: view.missing.clone().into_iter().chain(evidence).chain(counts).collect(),
        },
    }
}
