//! Files of labelled predictions as people and pipelines write them.

use std::{fs, path::Path};

use serde_json::json;
use tagship_domain::{
    Timestamp,
    analysis::MetricKind,
    scoring::{Labelled, LabelledRows},
};
use tagship_ports::OwnSource;

use crate::metric_sources::tests::{open, open_tally, version};

/// Wrong and all labelled predictions of v1.1.0 in these files up to noon.
async fn counted(files: &[(&str, &str)], more: serde_json::Value) -> Result<(u64, u64), String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let mut settings = more;
    settings["files"] = files.iter().map(|(name, _)| *name).collect();
    let source = open_tally("predictions", MetricKind::LabelledAccuracy, settings, directory.path());
    let source = source.map_err(|error| error.to_string())?;
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let tally = source.tally(&version(), noon).await.map_err(|error| error.to_string())?;
    Ok((tally.all_bad(), tally.all()))
}

const CSV: &str =
    "version,prediction,label\nv1.1.0,yes,yes\nv1.1.0,no,yes\nv1.1.0,yes,\nv1.0.0,no,yes\nv1.1.0, 1 ,1.0\n";
const LINES: &str = r#"{"version":"v1.1.0","prediction":3,"label":3.0}
{"version":"v1.1.0","prediction":true,"label":false}

{"version":"v1.1.0","prediction":"a","label":null}
{"version":"v1.1.0","prediction":"a"}
"#;

#[tokio::test]
async fn labelled_rows_of_the_version_are_counted() {
    assert_eq!(counted(&[("a.csv", CSV)], json!({})).await, Ok((1, 3)));
    assert_eq!(counted(&[("a.csv", CSV), ("b.jsonl", LINES)], json!({})).await, Ok((2, 5)));
    let named = "model;x,p,\"the, label\"\n\"v1.1.0\",b,\"b\"\n";
    let columns = json!({ "version": "model;x", "prediction": "p", "label": "the, label" });
    assert_eq!(counted(&[("a.csv", named)], columns).await, Ok((0, 1)));
}

#[tokio::test]
async fn young_predictions_wait_for_the_labels_that_come_late() {
    let text = "version,prediction,label,at\nv1.1.0,a,a,2026-11-24T11:49:00Z\nv1.1.0,a,b,2026-11-24T11:55:00Z\n\
                v1.1.0,a,b,1795521540.5\n";
    assert_eq!(counted(&[("a.csv", text)], json!({ "time": "at" })).await, Ok((2, 3)));
    assert_eq!(counted(&[("a.csv", text)], json!({ "time": "at", "delay": "10m" })).await, Ok((0, 1)));
    let open =
        |settings| open_tally("predictions", MetricKind::LabelledAccuracy, settings, Path::new(".")).unwrap();
    assert!(open(json!({ "files": ["a.csv"], "time": "at" })).knows_the_past());
    assert!(!open(json!({ "files": ["a.csv"] })).knows_the_past());
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_with_its_line() {
    for (file, text, more, words) in [
        (
            "a.csv",
            "version,label\nv1.1.0,a\n",
            json!({}),
            "no column \"prediction\"; there is version, label",
        ),
        (
            "a.csv",
            "version,prediction,label\nv1.1.0,a,b\nv1.1.0,,b\n",
            json!({}),
            "line 3 has a label and no prediction",
        ),
        ("a.csv", "version,prediction,label\nv1.1.0,a\n", json!({}), "found record with 2 fields"),
        ("a.csv", "", json!({}), "no column"),
        ("a.jsonl", "{\"label\":1,\"prediction\":1}\n", json!({}), "line 1 has a label and no version"),
        ("a.jsonl", "{}\n[1]\n", json!({}), "line 2 is no JSON object"),
        (
            "a.csv",
            "version,prediction,label,at\nv1.1.0,a,b,soon\n",
            json!({ "time": "at" }),
            "line 2: \"soon\" is not a time",
        ),
        (
            "a.csv",
            "version,prediction,label,at\nv1.1.0,a,b,\n",
            json!({ "time": "at" }),
            "line 2 has a label and no time",
        ),
        ("a.txt", "", json!({}), "no table by its ending"),
        ("a.csv", CSV, json!({ "delay": "5m" }), "needs a column of times"),
    ] {
        let error = counted(&[(file, text)], more).await.unwrap_err();
        assert!(error.contains(words), "{words:?} is not in {error}");
    }
    let gone = open_tally(
        "predictions",
        MetricKind::LabelledAccuracy,
        json!({ "files": ["x.csv"] }),
        Path::new("."),
    );
    let error = gone.unwrap().tally(&version(), Timestamp::LATEST).await.unwrap_err();
    assert!(error.to_string().contains("there is no such file"), "{error}");
}

#[test]
fn only_accuracy_is_counted() {
    let refused =
        |kind, settings| open("predictions", kind, settings, Path::new(".")).map(|_| ()).unwrap_err();
    let error = refused(MetricKind::ErrorRatio, json!({ "files": ["a.csv"] }));
    assert!(error.to_string().contains("write `kind: labelled-accuracy`"), "{error}");
    assert!(
        refused(MetricKind::LabelledAccuracy, json!({ "files": [] }))
            .to_string()
            .contains("`files` is empty")
    );
}

/// Labelled predictions of v1.0.0 and v1.1.0 since eleven, up to noon.
async fn collected(text: &str, more: serde_json::Value) -> Result<Labelled, String> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.csv"), text).unwrap();
    let mut settings = more;
    settings["files"] = json!(["a.csv"]);
    let source = open("predictions", MetricKind::Score, settings, directory.path());
    let OwnSource::Labelled(source) = source.map_err(|error| error.to_string())? else { panic!("no rows") };
    let [eleven, noon] =
        ["2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z"].map(|at| at.parse::<Timestamp>().unwrap());
    let stable = "v1.0.0".parse().unwrap();
    source.labelled(&stable, &version(), eleven, noon).await.map_err(|error| error.to_string())
}

fn owned<const N: usize>(rows: &[[&str; N]]) -> Vec<[String; N]> {
    rows.iter().map(|row| row.map(str::to_owned)).collect()
}

#[tokio::test]
async fn rows_of_both_versions_stand_side_by_side_in_their_order() {
    let text = "version,prediction,label,at\nv1.1.0,0.9,1,2026-11-24T11:10:00Z\nv1.0.0,0.2,0,2026-11-24T11:11:00Z\n\
                v1.1.0,0.4,,2026-11-24T11:12:00Z\nv1.0.0,0.8,1,2026-11-24T10:59:00Z\nv0.9.0,0,0,2026-11-24T11:13:00Z\n\
                v1.1.0,0.1,0,2026-11-24T11:14:00Z\nv1.1.0,0.3,0,2026-11-24T11:55:00Z\n";
    let found = collected(text, json!({ "time": "at", "delay": "10m" })).await.unwrap();
    let expected = LabelledRows::Apart {
        stable: owned(&[["0", "0.2"]]),
        candidate: owned(&[["1", "0.9"], ["0", "0.1"]]),
    };
    assert_eq!(found.rows, expected, "what is old, young, without a label or of another version is left out");
    assert_eq!(found.digest.as_ref().map(String::len), Some(64));
    let again = collected(text, json!({ "time": "at", "delay": "10m" })).await.unwrap();
    let other =
        collected(&text.replace("0.9,1", "0.8,1"), json!({ "time": "at", "delay": "10m" })).await.unwrap();
    assert_eq!(again.digest, found.digest);
    assert_ne!(other.digest, found.digest);
}

#[tokio::test]
async fn rows_with_an_id_are_pairs_where_both_versions_predicted() {
    let text = "version,prediction,label,req\nv1.1.0,0.9,1,a\nv1.0.0,0.2,0,b\nv1.0.0,0.7,1,a\nv1.0.0,0.5,1,c\n\
                v1.1.0,0.3,0,b\n";
    let found = collected(text, json!({ "id": "req" })).await.unwrap();
    let expected = LabelledRows::Paired(owned(&[["1", "0.7", "0.9"], ["0", "0.2", "0.3"]]));
    assert_eq!(found.rows, expected);
    for (row, words) in [
        ("v1.1.0,0.9,0,b\n", "was predicted twice by v1.1.0"),
        ("v1.1.0,0.9,0,c\n", "id \"c\" has the labels \"1\" and \"0\""),
        ("v1.1.0,0.9,0,\n", "line 7 has a label and no id"),
    ] {
        let error = collected(&format!("{text}{row}"), json!({ "id": "req" })).await.unwrap_err();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn only_scores_know_ids() {
    let settings = json!({ "files": ["a.csv"], "id": "req" });
    let error = open("predictions", MetricKind::LabelledAccuracy, settings, Path::new(".")).unwrap_err();
    assert!(error.to_string().contains("only scores compare pairs by `id`"), "{error}");
    let error = open("http", MetricKind::Score, json!({}), Path::new(".")).unwrap_err();
    assert!(error.to_string().contains("has no labelled predictions, which score needs"), "{error}");
}
