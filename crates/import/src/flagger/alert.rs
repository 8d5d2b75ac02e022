//! Alerts: who is told.

use serde_json::{Map, Value, json};

use super::hook::variable;
use crate::{document::Documents, draft::Draft, fields::Fields, notes::About};

pub(super) fn read(analysis: &Fields<'_>, documents: &Documents, draft: &mut Draft) {
    let notes = analysis.notes();
    let mut used = vec![];
    for alert in analysis.list("alerts") {
        let name = alert.text("name").unwrap_or_default();
        let severity = alert.text("severity").unwrap_or_default();
        let provider = alert.below("providerRef").and_then(|provider| {
            provider.value("namespace");
            let name = provider.text("name");
            provider.rest(&About::Key("notify"), &[]);
            name
        });
        alert.rest(&About::Key("notify"), &[]);
        let of_name =
            |name: &String| documents.of_kind("AlertProvider").find(|document| document.name == *name);
        let Some(document) = provider.as_ref().and_then(of_name) else {
            let text = format!(
                "the provider of `{name}` is in none of the files; write it below `notify`, e.g. `slack`"
            );
            notes.by_hand(About::Environment, alert.here(), text);
            continue;
        };
        used.push(document.title());
        let fields = document.fields(notes);
        fields.value("metadata");
        let kind = fields.below("spec").and_then(|spec| {
            let kind = spec.text("type");
            let reasons = [
                ("channel", "the address says where it goes"),
                ("username", "the address says who tells it"),
                ("secretRef", "the address is read from a variable of the workflow"),
                ("address", "the address is read from a variable of the workflow"),
            ];
            spec.rest(&About::Key("notify"), &reasons);
            kind
        });
        fields.rest(&About::Key("notify"), &[]);
        let ours = match kind.as_deref() {
            Some("slack") => "slack",
            Some("msteams") => "teams",
            other => {
                let text = format!(
                    "nothing here tells `{}`; `webhook` takes any address",
                    other.unwrap_or("nobody")
                );
                notes.by_hand(About::Environment, alert.here(), text);
                continue;
            }
        };
        let variable = variable(&document.name);
        let text = format!(
            "its address is a secret, which is read from the variable {variable}; what is told differs"
        );
        notes.by_hand(About::Key("notify"), alert.here(), text);
        let mut settings = Map::new();
        settings.insert("webhook-env".to_owned(), variable.into());
        settings.insert("on".to_owned(), told(&severity));
        draft.notify.push((ours, settings));
    }
    for document in documents.of_kind("AlertProvider").filter(|document| !used.contains(&document.title())) {
        notes.left_out(About::Environment, document.title(), "the canary does not use it");
    }
}

fn told(severity: &str) -> Value {
    match severity {
        "error" => json!(["rollback"]),
        "warn" => json!(["pause", "rollback"]),
        _ => json!(["start", "pause", "promotion", "rollback"]),
    }
}
