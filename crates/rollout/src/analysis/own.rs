//! What a look saw of a metric that a source of its own counts.

use tagship_domain::{
    analysis::{Metric, MetricKind, Seen, Share, Window},
    tally::Tally,
};

use super::window::is_sound;

/// What was counted about both versions since the look before, as a window of the metric's kind.
pub fn own_window(metric: &Metric, stable: Option<&Tally>, candidate: &Tally) -> Seen {
    match metric.kind {
        MetricKind::ErrorRatio | MetricKind::LabelledAccuracy => shares(stable, candidate),
        MetricKind::Latency => durations(stable, candidate),
        MetricKind::PairedAccuracy
        | MetricKind::Disagreement
        | MetricKind::ScoreDistance
        | MetricKind::PredictionDrift
        | MetricKind::Value
        | MetricKind::Score => Seen::Error(format!(
            "a source of its own does not count {}; take `source` out",
            metric.kind.as_str()
        )),
    }
}

fn shares(stable: Option<&Tally>, candidate: &Tally) -> Seen {
    let share = |tally: &Tally| Share { n: tally.all(), bad: tally.all_bad() };
    let (stable, candidate) = (stable.map(share), share(candidate));
    if let Some(wrong) = [stable, Some(candidate)].into_iter().flatten().find(|share| share.bad > share.n) {
        return Seen::Error(format!(
            "the source counts {} bad observations of {} since the look before; check that what `bad` counts is part of \
             what `total` counts",
            wrong.bad, wrong.n
        ));
    }
    Seen::Window(Window::Shares { stable, candidate })
}

fn durations(stable: Option<&Tally>, candidate: &Tally) -> Seen {
    let all = |tally: &Tally| tally.all_durations().filter(is_sound);
    let unusable = |role: &str| {
        Seen::Error(format!(
            "the histograms of {role} do not add up: all instances need the same ascending bounds"
        ))
    };
    let Some(of_candidate) = all(candidate) else { return unusable("the candidate") };
    let of_stable = match stable.map(all) {
        None => None,
        Some(None) => return unusable("stable"),
        Some(of_stable) => of_stable,
    };
    Seen::Window(Window::Histograms { stable: of_stable, candidate: of_candidate })
}
