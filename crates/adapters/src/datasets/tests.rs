//! Tables as people and programs write them.

use std::{collections::BTreeMap, fs};

use ::parquet::basic::Compression;
use tempfile::TempDir;

use super::*;
use crate::parquet_written::{Cells, write};
use tagship_ports::ColumnValues;

fn table(name: &str, text: &str) -> (TempDir, Box<dyn Dataset>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    let dataset = open(&path).unwrap();
    (directory, dataset)
}

fn refused(name: &str, text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    let read = open(&path).and_then(|mut table| {
        let first = table.columns()[0].clone();
        table.read(&first).map(drop)
    });
    read.unwrap_err().to_string()
}

fn numbers(values: &[f64], absent: u64) -> ColumnValues {
    ColumnValues::Numbers { values: values.to_vec(), absent }
}

fn categories(counts: &[(&str, u64)], absent: u64) -> ColumnValues {
    let counts: BTreeMap<String, u64> =
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    ColumnValues::Categories { counts, absent }
}

#[test]
fn csv_says_by_its_values_what_a_column_holds() {
    let text = "age,plan,code,empty\n31,basic,01,\n-inf,NA,1,\n1e3,\"pro, plus\",x,\n,basic,2,null\n";
    let (_kept, mut table) = table("a.csv", text);
    assert_eq!(table.columns(), ["age", "plan", "code", "empty"]);
    assert_eq!(table.read("age").unwrap(), numbers(&[31.0, f64::NEG_INFINITY, 1e3], 1));
    assert_eq!(table.read("plan").unwrap(), categories(&[("basic", 2), ("pro, plus", 1)], 1));
    assert_eq!(table.read("code").unwrap(), categories(&[("01", 1), ("1", 1), ("2", 1), ("x", 1)], 0));
    assert_eq!(table.read("empty").unwrap(), ColumnValues::Nothing { absent: 4 });
    assert!(table.read("other").unwrap_err().to_string().contains("no column \"other\""));
}

#[test]
fn an_empty_line_of_a_single_column_is_a_row_without_a_value() {
    let (_kept, mut one) = table("a.csv", "x\n1\n\n2\n\n\n3\n\n");
    assert_eq!(one.read("x").unwrap(), numbers(&[1.0, 2.0, 3.0], 4));
    let (_kept, mut quoted) = table("a.csv", "x\n\"a\nb\"\n\nc\n");
    assert_eq!(quoted.read("x").unwrap(), categories(&[("a\nb", 1), ("c", 1)], 1));
    let (_kept, mut two) = table("a.csv", "x,y\n1,2\n\n3,4\n");
    assert_eq!(two.read("x").unwrap(), numbers(&[1.0, 3.0], 0));
}

#[test]
fn json_lines_may_lack_keys_and_change_types() {
    let text = "{\"x\":1,\"ok\":true}\n\n{\"x\":2.5,\"late\":\"7\"}\n{\"x\":null,\"late\":3}\n";
    let (_kept, mut table) = table("a.jsonl", text);
    assert_eq!(table.columns(), ["ok", "x", "late"]);
    assert_eq!(table.read("x").unwrap(), numbers(&[1.0, 2.5], 1));
    assert_eq!(table.read("ok").unwrap(), categories(&[("true", 1)], 2));
    assert_eq!(table.read("late").unwrap(), categories(&[("3", 1), ("7", 1)], 1));
}

#[test]
fn parquet_is_read_by_its_types() {
    let schema = "message m { optional double x; optional binary plan (STRING); optional boolean flag; \
                  optional int64 at (TIMESTAMP(MILLIS,true)); optional int32 n; }";
    let group = |x: Option<f64>| {
        vec![
            Cells::Reals(vec![x, Some(f64::NAN), None]),
            Cells::Texts(vec![Some("a"), None, Some("b")]),
            Cells::Bools(vec![Some(true), Some(false), None]),
            Cells::Wholes(vec![Some(1), Some(2), Some(3)]),
            Cells::Halves(vec![None, None, None]),
        ]
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    write(&path, schema, Compression::SNAPPY, &[group(Some(1.5)), group(None)]);
    let mut table = open(&path).unwrap();
    assert_eq!(table.columns(), ["x", "plan", "flag", "at", "n"]);
    let ColumnValues::Numbers { values, absent } = table.read("x").unwrap() else { panic!() };
    assert_eq!((values.len(), values[0], absent), (3, 1.5, 3), "{values:?}");
    assert_eq!(table.read("plan").unwrap(), categories(&[("a", 2), ("b", 2)], 2));
    assert_eq!(table.read("flag").unwrap(), categories(&[("false", 2), ("true", 2)], 2));
    assert_eq!(table.read("n").unwrap(), ColumnValues::Nothing { absent: 6 });
    let times = table.read("at").unwrap_err().to_string();
    assert!(times.contains("\"at\" holds values of the type"), "{times}");
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    assert!(refused("a.csv", "x,y\n1,2\n1\n").contains("a.csv"), "a row that is too short");
    assert!(refused("a.csv", "x,x\n1,2\n").contains("two columns are called \"x\""));
    assert!(refused("a.jsonl", "{\"x\":1}\n[1]\n").contains("line 2 is no JSON object"));
    assert!(refused("a.parquet", "PAR1 not really").contains("cannot be read as Parquet"));
    assert!(refused("a.xlsx", "x").contains("known endings are .csv"));
    let missing = open(Path::new("/nowhere/a.csv")).err().map(|error| error.to_string());
    assert!(missing.is_some_and(|message| message.contains("there is no such file")));
}
