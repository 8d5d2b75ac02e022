//! Annotations for people who look at the cluster: which rollout an object was written for. Nothing is read from them.

use serde_json::{Value, json};
use tagship_ports::target::Order;

/// The notes of an order; none where it brings none.
pub(crate) fn notes(order: &Order) -> Value {
    let Some(note) = &order.note else { return json!({}) };
    let mut notes = json!({
        "tagship/rollout-id": note.rollout.to_string(),
        "tagship/candidate-digest": note.candidate.to_string(),
        "tagship/step": note.step,
    });
    // What an order does not have is not left over from the one before.
    for (key, value) in [
        ("tagship/stable-digest", note.stable.as_ref().map(ToString::to_string)),
        ("tagship/deadline", note.deadline.map(|deadline| deadline.to_string())),
        ("tagship/run-url", note.run.clone()),
    ] {
        notes[key] = json!(value.unwrap_or_else(|| "none".to_owned()));
    }
    notes
}
