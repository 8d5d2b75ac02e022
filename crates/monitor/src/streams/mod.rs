//! Streams: series of values that detectors watch one by one, over many runs as over one.

#[cfg(test)]
mod tests;

use serde_json::Value;
use tagship_domain::{Timestamp, incident::StreamState};
use tagship_stats::streams::{
    Adwin, Ddm, Detector, Eddm, Fence, HddmA, HddmW, Kswin, PageHinkley, RobustZ, Signal, Standardised,
};

/// A value of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: f64,
}

/// What a detector said about the newest values.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// To be remembered for the next time.
    pub state: StreamState,
    /// Values that were new.
    pub taken: u64,
    /// The newest of all.
    pub newest: Option<f64>,
    /// When it alarmed among them.
    pub detections: Vec<Timestamp>,
    /// Whether it warned at the end.
    pub warns: bool,
    /// Why its silence means nothing, where it does not.
    pub unready: Option<String>,
}

/// The names of the detectors.
pub const DETECTORS: [&str; 9] =
    ["adwin", "hddm-a", "hddm-w", "page-hinkley", "ddm", "eddm", "kswin", "robust-z", "iqr"];

/// What is said of a state that this build cannot read.
const LOST: &str = "what it had learnt could not be read, so that it begins again";
/// Detectors of shares: they take values from 0 to 1.
const OF_SHARES: [&str; 4] = ["hddm-a", "hddm-w", "ddm", "eddm"];

/// Goes on with a stream: values that are not newer than the last one are known already. `remembered` is of the same name;
/// where it is of another detector, or cannot be read, the stream begins again.
///
/// # Errors
/// For a name that is no detector's.
pub fn watch(
    name: &str,
    detector: &str,
    remembered: Option<&StreamState>,
    values: &[Observed],
) -> Result<Watched, String> {
    let remembered = remembered.filter(|state| state.detector == detector);
    let mut values: Vec<Observed> = values.to_vec();
    values.sort_by_key(|observed| observed.at);
    let last = remembered.and_then(|state| state.last);
    values.retain(|observed| last.is_none_or(|last| observed.at > last));
    let newest = values.last().copied();
    let of_shares = OF_SHARES.contains(&detector);
    let fits = |observed: &Observed| !of_shares || (0.0..=1.0).contains(&observed.value);
    let unfit = values.iter().filter(|observed| !fits(observed)).count();
    values.retain(fits);
    let before = remembered.map(|state| &state.state);
    let said = match detector {
        "adwin" => go_on(Adwin::default(), before, &values),
        "hddm-a" => go_on(HddmA::default(), before, &values),
        "hddm-w" => go_on(HddmW::default(), before, &values),
        "page-hinkley" => go_on(Standardised::new(PageHinkley::default()), before, &values),
        "ddm" => go_on(Ddm::default(), before, &values),
        "eddm" => go_on(Eddm::default(), before, &values),
        "kswin" => go_on(Kswin::default(), before, &values),
        "robust-z" => go_on(RobustZ::default(), before, &values),
        "iqr" => go_on(Fence::default(), before, &values),
        other => Err(format!("{other:?} is no detector; there is {}", DETECTORS.join(", "))),
    }?;
    let state = StreamState {
        name: name.to_owned(),
        detector: detector.to_owned(),
        state: said.state,
        values: remembered.map_or(0, |state| state.values) + values.len() as u64,
        last: newest.map(|observed| observed.at).or(last),
        detected: said.detections.last().copied().or_else(|| remembered.and_then(|state| state.detected)),
    };
    let unready = if unfit > 0 {
        Some(format!("{unfit} values lie outside of 0 to 1, which {detector} takes"))
    } else {
        said.unready
    };
    let (detections, warns) = (said.detections, said.warns);
    let newest = newest.map(|observed| observed.value);
    Ok(Watched { state, taken: (values.len() + unfit) as u64, newest, detections, warns, unready })
}

/// What a detector says, and its state.
struct Said {
    state: Value,
    detections: Vec<Timestamp>,
    warns: bool,
    unready: Option<String>,
}

fn go_on<D: Detector + serde::Serialize + serde::de::DeserializeOwned>(
    new: D,
    before: Option<&Value>,
    values: &[Observed],
) -> Result<Said, String> {
    let read = before.map(|state| serde_json::from_value(state.clone()));
    let is_lost = matches!(read, Some(Err(_)));
    let mut detector: D = read.and_then(Result::ok).unwrap_or(new);
    let (mut detections, mut signal) = (vec![], Signal::Stable);
    for observed in values {
        signal = detector.update(observed.value);
        if signal == Signal::Drift {
            detections.push(observed.at);
        }
    }
    let unready = if is_lost {
        Some(LOST.to_owned())
    } else {
        (!detector.is_ready()).then(|| "it has not seen enough values yet".to_owned())
    };
    let state = serde_json::to_value(&detector)
        .map_err(|error| format!("the state of the detector cannot be written: {error}"))?;
    Ok(Said { state, detections, warns: signal == Signal::Warning, unready })
}
