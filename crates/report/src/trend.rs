//! How a metric went, as small pictures with the words to read them by.

use tagship_domain::series::SeriesPoint;

use crate::{
    measure, spark,
    verdict::{MetricView, TO_FAIL, TO_PASS},
};

/// One metric over the looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trend {
    /// How many looks there were.
    pub(crate) looks: usize,
    /// Pictures, each with what it shows.
    pub(crate) lines: Vec<(String, String)>,
}

/// Values and evidence of a metric in pictures of at most `width` characters; absent where there were no looks.
pub(crate) fn trend(view: &MetricView<'_>, width: usize, unicode: bool) -> Option<Trend> {
    let series = view.series?;
    let points = series.thinned(width);
    if points.is_empty() {
        return None;
    }
    let values: Vec<Option<f64>> = points.iter().map(|point| point.value).collect();
    let mut lines = vec![(spark::line(&values, unicode), range(view, &values))];
    let [fails_at, succeeds_at] = view.needed;
    let aims = [
        (fails_at, TO_FAIL, (|point| point.e_value) as fn(&SeriesPoint) -> Option<f64>),
        (succeeds_at, TO_PASS, |point| point.promotion_e_value),
    ];
    for (needed, aim, of) in aims {
        let Some(needed) = needed else { continue };
        let evidence: Vec<Option<f64>> = points.iter().map(|point| of(point)).collect();
        let Some(highest) = evidence.iter().flatten().copied().reduce(f64::max) else { continue };
        let parts: Vec<Option<f64>> =
            evidence.iter().map(|e_value| e_value.map(|e_value| measure::way(e_value, needed))).collect();
        let words = format!("evidence {aim}, {} at its highest", measure::evidence(highest, needed));
        lines.push((spark::parts(&parts, unicode), words));
    }
    Some(Trend { looks: series.looks, lines })
}

/// Between which values it was, and where it is now.
fn range(view: &MetricView<'_>, values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let (Some(least), Some(most)) = (known().reduce(f64::min), known().reduce(f64::max)) else {
        return "not measured".to_owned();
    };
    match values.last().copied().flatten().filter(|last| last.is_finite()) {
        Some(last) => {
            let [least, most, last] = view.unit.alike([least, most, last]);
            if least == most {
                format!("{least} throughout")
            } else {
                format!("{least} to {most}, {last} last")
            }
        }
        None => {
            let [least, most] = view.unit.alike([least, most]);
            format!("{least} to {most}, not measured last")
        }
    }
}
