//! Programs that print what they are told to.

use std::path::Path;

use serde_json::{Value, json};
use tagship_domain::analysis::MetricKind;
use tagship_ports::Problem;

use crate::metric_sources::tests::{ask, open, open_tally, open_value, to, version};

async fn printed(script: &str) -> Result<Value, tagship_ports::PortError> {
    let settings =
        json!({ "command": ["sh", "-c", script, "name", "{{arm}}", "{{interval}}"], "timeout": "20s" });
    let source = open_value("command", settings).unwrap();
    ask(source.as_ref()).await.map(|mut points| points.remove(0).value)
}

#[tokio::test]
async fn a_program_prints_the_value() {
    assert_eq!(printed("echo 0.25").await, Ok(json!(0.25)));
    assert_eq!(printed(r#"echo "[\"$1\",\"$2\"]""#).await, Ok(json!(["v1.1.0", "60s"])));
    assert_eq!(printed("echo null").await, Ok(json!(null)));
    let asked = printed("cat").await.unwrap();
    assert_eq!((&asked["version"], &asked["stable"]), (&json!("v1.1.0"), &json!("v1.0.0")));
    assert_eq!(
        printed("echo \\\"${SECRET:-none}\\\"").await,
        Ok(json!("none")),
        "it gets no variable unasked"
    );
}

#[tokio::test]
async fn a_program_without_an_answer_is_an_error_with_its_words() {
    for (script, words) in [
        ("echo the store is down >&2; exit 3", "exit code 3; it said: the store is down"),
        ("echo 12 apples", "it printed no JSON"),
        ("true", "it printed no JSON"),
        ("head -c 2000000 /dev/zero", "printed more than"),
    ] {
        let error = printed(script).await.unwrap_err();
        assert_eq!(error.problem, Problem::Invalid, "{error}");
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
    let slow = json!({ "command": ["sleep", "60"], "timeout": "50ms" });
    let error = ask(open_value("command", slow).unwrap().as_ref()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.to_string().contains("raise `timeout`"), "{error}");
    let absent = json!({ "command": ["no-such-program-anywhere"] });
    let error = ask(open_value("command", absent).unwrap().as_ref()).await.unwrap_err();
    assert!(error.to_string().contains("there is no such program"), "{error}");
}

#[tokio::test]
async fn a_program_counts() {
    let settings =
        json!({ "command": ["sh", "-c", "echo '{\"bad\":3,\"n\":50}'"], "bad": "$.bad", "total": "$.n" });
    let source = open_tally("command", MetricKind::LabelledAccuracy, settings, Path::new(".")).unwrap();
    let tally = source.tally(&version(), to()).await.unwrap();
    assert_eq!((tally.all_bad(), tally.all()), (3, 50));
}

#[test]
fn mistakes_in_settings_are_told_and_secrets_not_shown() {
    for (settings, words) in [
        (json!({ "command": [] }), "`command` is empty"),
        (json!({ "command": ["x", "{{arn}}"] }), "{{arm}}, {{candidate}}"),
        (json!({ "command": "x" }), "invalid type"),
        (json!({ "command": ["x"], "env": ["UNSET"] }), "UNSET is not set"),
        (json!({ "command": ["x"], "timeout": "0s" }), "no time"),
    ] {
        let error = open("command", MetricKind::Value, settings, Path::new(".")).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
}
