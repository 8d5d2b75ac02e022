//! The steps of a canary, which Tagship writes: a share is the last one before an endless pause, and a promotion has no pause.
//!
//! Argo begins steps anew whenever they change, and gives a version nothing until it has the pods of its first step. So
//! what is in force already comes first: its pods are there, and it stays until there are pods for more.

use serde_json::{Value, json};

/// What steps lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// This share, in percent, and there they stay.
    Share(u8),
    /// All traffic, and the end.
    Through,
    /// Somebody else wrote them.
    Other,
}

/// Steps to a share, from the one that is in force; without traffic one pod is kept.
pub(super) fn to(from: Option<u8>, share: u8) -> Value {
    if share == 0 {
        return json!([{ "setCanaryScale": { "replicas": 1 } }, { "setWeight": 0 }, { "pause": {} }]);
    }
    let mut steps = before(from, share);
    steps.extend([json!({ "setWeight": share }), json!({ "pause": {} })]);
    json!(steps)
}

/// Steps to the end. `again`: others than the ones that are there, for Argo goes on only where they change.
pub(super) fn through(from: Option<u8>, there: &Value) -> Value {
    let mut steps = before(from, 100);
    steps.push(json!({ "setWeight": 100 }));
    if json!(steps) == *there {
        steps.push(json!({ "setWeight": 100 }));
    }
    json!(steps)
}

fn before(from: Option<u8>, share: u8) -> Vec<Value> {
    from.filter(|from| (1..share).contains(from))
        .map(|from| json!({ "setWeight": from }))
        .into_iter()
        .collect()
}

/// What there is.
pub(super) fn read(steps: &Value) -> Steps {
    let Some(all) = steps.as_array() else { return Steps::Other };
    let share = |step: &Value| step["setWeight"].as_u64().and_then(|share| u8::try_from(share).ok());
    match all.as_slice() {
        [.., last, pause] if *pause == json!({ "pause": {} }) => {
            share(last).map_or(Steps::Other, Steps::Share)
        }
        [walk @ .., last] if share(last) == Some(100) && walk.iter().all(|step| share(step).is_some()) => {
            Steps::Through
        }
        _ => Steps::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_force_stays_until_there_are_pods_for_more() {
        assert_eq!(to(Some(25), 50), json!([{ "setWeight": 25 }, { "setWeight": 50 }, { "pause": {} }]));
        assert_eq!(to(Some(0), 25), json!([{ "setWeight": 25 }, { "pause": {} }]));
        assert_eq!(
            to(Some(50), 25),
            json!([{ "setWeight": 25 }, { "pause": {} }]),
            "never above what is wanted"
        );
        let first = through(Some(50), &Value::Null);
        assert_eq!(first, json!([{ "setWeight": 50 }, { "setWeight": 100 }]));
        assert_ne!(through(Some(50), &first), first, "steps that stay the same are not begun anew");
    }

    #[test]
    fn steps_are_read_as_they_are_written() {
        for share in [0, 1, 50, 100] {
            for from in [None, Some(0), Some(10), Some(90)] {
                assert_eq!(read(&to(from, share)), Steps::Share(share));
                let once = through(from, &Value::Null);
                assert_eq!((read(&once), read(&through(from, &once))), (Steps::Through, Steps::Through));
            }
        }
        for other in [
            json!(null),
            json!([]),
            json!([{ "pause": {} }]),
            json!([{ "setWeight": 20 }]),
            json!([{ "setWeight": 20 }, { "pause": { "duration": "1h" } }]),
            json!([{ "pause": {} }, { "setWeight": 100 }]),
        ] {
            assert_eq!(read(&other), Steps::Other, "{other}");
        }
    }
}
