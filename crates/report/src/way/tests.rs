//! The way of the traffic in every kind of plan.

use serde_json::{Value, json};

use super::*;

fn state(strategy: &Value, bake: &str, phase: &str, step: usize, weight: u8) -> RolloutState {
    let release = |version: &str| {
        json!({ "model": "churn", "version": version, "digest": format!("sha256:{}", "b".repeat(64)),
                "manifest": format!("sha256:{}", "c".repeat(64)), "commit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567" })
    };
    serde_json::from_value(json!({ "id": "production-v1.1.0-2", "kind": "deploy", "model": "churn",
        "environment": "production", "candidate": release("v1.1.0"), "stable": release("v1.0.0"),
        "plan": { "strategy": strategy, "smoke": { "check": "ready-only" }, "progress_deadline": "10m",
                  "hold_back": 5, "bake": bake },
        "phase": phase, "reason": "OnTrack", "message": "", "step": step,
        "paused": if phase == "Paused" { json!({ "phase": "Progressing" }) } else { Value::Null },
        "weight": { "desired": weight, "applied": weight }, "judges": {}, "intended": [], "seq": 1,
        "started": "2026-11-24T03:44:00Z", "since": "2026-11-24T03:44:00Z", "deadline": null, "by": { "actor": "ada" } }))
    .unwrap()
}

fn canary() -> Value {
    json!({ "canary": { "steps": [
        { "set-weight": 5 }, { "pause": "10m" }, { "pause": "5m" }, { "set-weight": 50 }, { "pause": null }] } })
}

fn told(state: &RolloutState) -> String {
    let leg = |leg: &Leg| format!("{}{}", leg.mark.glyph(true), leg.name);
    legs(state).iter().map(leg).collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_canary_goes_through_its_steps_the_bake_and_the_end() {
    for (phase, step, way) in [
        ("Validating", 0, "·5% for 15m | ·50% until a person promotes | ·bake 1h at 95% | ·100%"),
        ("Progressing", 2, "●5% for 15m | ·50% until a person promotes | ·bake 1h at 95% | ·100%"),
        ("Paused", 4, "✔5% for 15m | ◷50% until a person promotes | ·bake 1h at 95% | ·100%"),
        ("Progressing", 5, "✔5% for 15m | ✔50% until a person promotes | ●bake 1h at 95% | ·100%"),
        ("Baking", 5, "✔5% for 15m | ✔50% until a person promotes | ●bake 1h at 95% | ·100%"),
        ("Promoting", 5, "✔5% for 15m | ✔50% until a person promotes | ✔bake 1h at 95% | ●100%"),
        ("Succeeded", 5, "✔5% for 15m | ✔50% until a person promotes | ✔bake 1h at 95% | ✔100%"),
        ("RolledBack", 3, "✔5% for 15m | ↩50% until a person promotes | ·bake 1h at 95% | ·100%"),
        ("Superseded", 0, "↩5% for 15m | ·50% until a person promotes | ·bake 1h at 95% | ·100%"),
        ("Failed", 0, ""),
    ] {
        assert_eq!(told(&state(&canary(), "1h", phase, step, 5)), way, "{phase} at step {step}");
    }
}

#[test]
fn blue_green_previews_and_then_moves_everything() {
    let waits = json!({ "blue-green": { "preview": "30m", "auto_promote": false } });
    assert_eq!(
        told(&state(&waits, "15m", "Paused", 0, 0)),
        "◷preview until a person promotes | ·bake 15m at 95% | ·100%"
    );
    let goes_on = json!({ "blue-green": { "preview": "30m", "auto_promote": true } });
    assert_eq!(told(&state(&goes_on, "0s", "Progressing", 0, 0)), "●preview 30m | ·100%");
    assert_eq!(told(&state(&goes_on, "15m", "Baking", 0, 95)), "✔preview 30m | ●bake 15m at 95% | ·100%");
}

#[test]
fn everything_at_once_is_no_way_to_speak_of() {
    assert_eq!(told(&state(&json!("all-at-once"), "0s", "Progressing", 0, 100)), "");
    assert_eq!(told(&state(&json!("all-at-once"), "1h", "Baking", 0, 95)), "●bake 1h at 95% | ·100%");
}
