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
}

/// The names of the detectors.
pub const DETECTORS: [&str; 9] =
    ["adwin", "hddm-a", "hddm-w", "page-hinkley", "ddm", "eddm", "kswin", "robust-z", "iqr"];

/// Goes on with a stream: values that are not newer than the last one are known already. `remembered` is of the same name;
/// where it is of another detector, the stream begins again.
///
/// # Errors
/// For a name that is no detector's, and for a state that this build cannot read.
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
    let before = remembered.map(|state| &state.state);
    let (state, detections, warns) = match detector {
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
        state,
        values: remembered.map_or(0, |state| state.values) + values.len() as u64,
        last: values.last().map(|observed| observed.at).or(last),
        detected: detections.last().copied().or_else(|| remembered.and_then(|state| state.detected)),
    };
    let newest = values.last().map(|observed| observed.value);
    Ok(Watched { state, taken: values.len() as u64, newest, detections, warns })
}

type Said = (Value, Vec<Timestamp>, bool);

fn go_on<D: Detector + serde::Serialize + serde::de::DeserializeOwned>(
    new: D,
    before: Option<&Value>,
    values: &[Observed],
) -> Result<Said, String> {
    let unreadable = |error| format!("the state of the detector cannot be read: {error}");
    let read = before.map(|state| serde_json::from_value(state.clone()).map_err(unreadable));
    let mut detector: D = read.transpose()?.unwrap_or(new);
    let (mut detections, mut signal) = (vec![], Signal::Stable);
    for observed in values {
        signal = detector.update(observed.value);
        if signal == Signal::Drift {
            detections.push(observed.at);
        }
    }
    let state = serde_json::to_value(&detector).map_err(unreadable)?;
    Ok((state, detections, signal == Signal::Warning))
}
