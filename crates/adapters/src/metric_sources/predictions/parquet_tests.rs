//! Parquet files of labelled predictions, as several writers make them.

use std::path::Path;

use ::parquet::basic::{Compression, ZstdLevel};
use serde_json::{Value, json};
use tagship_domain::{Timestamp, analysis::MetricKind};

use crate::{
    metric_sources::tests::{open_tally, version},
    parquet_written::{Cells, write},
};

/// Wrong and all labelled predictions of v1.1.0 in `a.parquet` up to noon.
async fn counted(directory: &Path, mut settings: Value) -> Result<(u64, u64), String> {
    settings["files"] = json!(["a.parquet"]);
    let source = open_tally("predictions", MetricKind::LabelledAccuracy, settings, directory);
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let tally = source.map_err(|error| error.to_string())?.tally(&version(), noon).await;
    let tally = tally.map_err(|error| error.to_string())?;
    Ok((tally.all_bad(), tally.all()))
}

const TEXTS: &str = "message m { optional binary version (STRING); optional binary prediction (STRING); \
                     optional binary label (STRING); }";

fn texts() -> Vec<Vec<Cells>> {
    let group = |label: Option<&'static str>| {
        vec![
            Cells::Texts(vec![Some("v1.1.0"), Some("v1.1.0"), Some("v1.0.0"), Some("v1.1.0")]),
            Cells::Texts(vec![Some("yes"), Some("no"), Some("no"), None]),
            Cells::Texts(vec![Some("yes"), label, Some("yes"), None]),
        ]
    };
    vec![group(Some("yes")), group(None)]
}

#[tokio::test]
async fn every_row_group_counts_whatever_it_is_compressed_with() {
    let directory = tempfile::tempdir().unwrap();
    for compression in
        [Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default())]
    {
        write(&directory.path().join("a.parquet"), TEXTS, compression, &texts());
        assert_eq!(counted(directory.path(), json!({})).await, Ok((1, 3)), "{compression:?}");
    }
}

#[tokio::test]
async fn numbers_of_every_kind_are_compared_as_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let schema = "message m { optional binary version (STRING); optional int32 prediction; optional double label; \
                  optional int64 unread; }";
    let versions = || Cells::Texts(vec![Some("v1.1.0"); 4]);
    let cells = vec![
        versions(),
        Cells::Halves(vec![Some(1), Some(2), Some(3), Some(4)]),
        Cells::Reals(vec![Some(1.0), Some(2.5), Some(f64::NAN), None]),
        Cells::Wholes(vec![None; 4]),
    ];
    write(&path, schema, Compression::SNAPPY, &[cells]);
    assert_eq!(counted(directory.path(), json!({})).await, Ok((1, 2)), "NaN is no label");

    let schema =
        "message m { optional binary version (STRING); optional boolean p; optional boolean label; }";
    let (yes, no) = (Some(true), Some(false));
    let cells = vec![versions(), Cells::Bools(vec![yes, yes, no, no]), Cells::Bools(vec![yes, no, None, no])];
    write(&path, schema, Compression::SNAPPY, &[cells]);
    assert_eq!(counted(directory.path(), json!({ "prediction": "p" })).await, Ok((1, 3)));
}

#[tokio::test]
async fn times_in_utc_are_times_and_others_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let seconds = noon.as_millis() / 1000;
    for (unit, second) in [("MILLIS", 1_000), ("MICROS", 1_000_000), ("NANOS", 1_000_000_000)] {
        for (utc, expected) in [("true", Ok((1, 2))), ("false", Err("times without a zone"))] {
            let schema = format!(
                "message m {{ optional binary version (STRING); optional int32 prediction; optional int32 label; \
                 optional int64 at (TIMESTAMP({unit},{utc})); }}"
            );
            let at = |minutes: i64| Some((seconds + 60 * minutes) * second);
            let cells = vec![
                Cells::Texts(vec![Some("v1.1.0"); 3]),
                Cells::Halves(vec![Some(1); 3]),
                Cells::Halves(vec![Some(1), Some(2), Some(2)]),
                Cells::Wholes(vec![at(-30), at(-11), at(-9)]),
            ];
            write(&path, &schema, Compression::SNAPPY, &[cells]);
            let found = counted(directory.path(), json!({ "time": "at", "delay": "10m" })).await;
            match expected {
                Ok(counts) => assert_eq!(found, Ok(counts), "{unit}"),
                Err(words) => assert!(found.clone().unwrap_err().contains(words), "{found:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_is_missing_or_of_another_kind_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let one = |label| vec![Cells::Texts(vec![Some("v1.1.0")]), Cells::Texts(vec![None]), label];
    for (schema, cells, settings, words) in [
        (TEXTS, one(Cells::Texts(vec![Some("a")])), json!({}), "row 1 has a label and no prediction"),
        (
            TEXTS,
            one(Cells::Texts(vec![None])),
            json!({ "label": "truth" }),
            "no column \"truth\"; there is version, prediction, label",
        ),
        (
            "message m { optional binary version (STRING); optional binary prediction (STRING); \
             optional int32 label (DATE); }",
            one(Cells::Halves(vec![Some(1)])),
            json!({}),
            "the column \"label\" holds values of the type Date",
        ),
        (
            "message m { optional binary version (STRING); optional binary prediction (STRING); \
             optional group label { optional int32 x; } }",
            one(Cells::Halves(vec![Some(1)])),
            json!({}),
            "holds lists or groups",
        ),
    ] {
        write(&path, schema, Compression::SNAPPY, &[cells]);
        let error = counted(directory.path(), settings).await.unwrap_err();
        assert!(error.contains(words), "{words:?} is not in {error}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_ends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write(&path, TEXTS, Compression::SNAPPY, &texts());
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = counted(directory.path(), json!({})).await.unwrap_err();
        assert!(error.contains("cannot be read as Parquet"), "cut at {length}: {error}");
    }
    let mut ended = vec![];
    for at in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut other = whole.clone();
            other[at] ^= change;
            std::fs::write(&path, &other).unwrap();
            // Without a checksum some changes only make other values of it; none may end the program.
            if let Err(error) = counted(directory.path(), json!({})).await {
                ended.extend(error.contains("panic").then(|| format!("byte {at} ^ {change}: {error}")));
            }
        }
    }
    assert!(ended.is_empty(), "{ended:#?}");
}
