//! Tables as people and programs write them.

use std::{fs, io::Write as _, path::Path};

use ::parquet::basic::Compression;
use tempfile::TempDir;

use super::*;
use crate::parquet_written::{Cells, write};
use tagship_ports::Cell;

const NOTHING_SET: Variables<'_> = Variables { secret: &|_| None, plain: &|_| None };

fn open(path: impl AsRef<Path>, declared: &Declared) -> Result<Box<dyn Dataset>, PortError> {
    super::open(&path.as_ref().to_string_lossy(), &NOTHING_SET, declared)
}

fn table(name: &str, text: impl AsRef<[u8]>) -> (TempDir, Box<dyn Dataset>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    let dataset = open(&path, &Declared::default()).unwrap();
    (directory, dataset)
}

fn refused(name: &str, text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    let read = open(&path, &Declared::default()).and_then(|table| {
        let first = table.columns()[0].name.clone();
        table.scan(&[&first], &mut |_, _| {})
    });
    read.unwrap_err().to_string()
}

/// The cells of a column as they are written in Rust; `-` where there is no value.
fn cells(table: &dyn Dataset, column: &str) -> String {
    let mut told = vec![];
    let scanned = table.scan(&[column], &mut |_, cell| {
        told.push(match cell {
            Cell::Absent => "-".to_owned(),
            Cell::Number(number) => format!("{number:?}"),
            Cell::Text(text) => format!("{text:?}"),
            Cell::Time(at) => at.to_string(),
        });
    });
    scanned.map_or_else(|error| error.to_string(), |()| told.join(" "))
}

fn names(table: &dyn Dataset) -> Vec<&str> {
    table.columns().iter().map(|column| column.name.as_str()).collect()
}

#[test]
fn csv_says_by_its_values_what_a_column_holds() {
    let text = "age,plan,code,empty\n31,basic,01,\n-inf,NA,1,\n1e3,\"pro, plus\",x,\n,basic,2,null\n";
    let (_kept, table) = table("a.csv", text);
    assert_eq!((names(table.as_ref()), table.rows()), (vec!["age", "plan", "code", "empty"], 4));
    assert_eq!(cells(table.as_ref(), "age"), "31.0 -inf 1000.0 -");
    assert_eq!(cells(table.as_ref(), "plan"), r#""basic" - "pro, plus" "basic""#);
    assert_eq!(cells(table.as_ref(), "code"), r#""01" "1" "x" "2""#);
    assert_eq!(cells(table.as_ref(), "empty"), "- - - -");
    assert_eq!(table.columns()[3].holds, Holds::Nothing);
    assert!(cells(table.as_ref(), "other").contains("no column \"other\""));
}

#[test]
fn csv_names_a_truth_as_parquet_does() {
    let (_kept, truths) = table("b.csv", "a\nTrue\nFALSE\ntrue\nTrue story\n");
    assert_eq!(cells(truths.as_ref(), "a"), r#""true" "false" "true" "True story""#);
}

#[test]
fn what_was_declared_goes_before_what_values_look_like() {
    let declared = [("code".to_owned(), Holds::Categories), ("x".to_owned(), Holds::Numbers)];
    let declared: Declared = declared.into_iter().collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.csv");
    fs::write(&path, "code,x\n01,1\n1,none\n").unwrap();
    let table = open(&path, &declared).unwrap();
    assert_eq!(
        (cells(table.as_ref(), "code"), cells(table.as_ref(), "x")),
        (r#""01" "1""#.into(), "1.0 -".into())
    );
    let path = directory.path().join("a.parquet");
    let group = vec![Cells::Wholes(vec![Some(7), None]), Cells::Texts(vec![Some("2.5"), Some("?")])];
    let schema = "message m { optional int64 code; optional binary x (STRING); }";
    write(&path, schema, Compression::UNCOMPRESSED, &[group]);
    let table = open(&path, &declared).unwrap();
    assert_eq!(
        (cells(table.as_ref(), "code"), cells(table.as_ref(), "x")),
        (r#""7" -"#.into(), "2.5 -".into())
    );
    assert_eq!(table.columns()[0].holds, Holds::Categories);
}

#[test]
fn compressed_texts_are_read_as_what_they_hold() {
    let text = "age,plan\n31,basic\n32,pro\n";
    let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    // Two members one after the other are one text.
    let more = {
        let mut more = gzip.clone();
        more.extend(&gzip);
        more
    };
    let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
    for (name, bytes) in [("a.csv.gz", &gzip), ("a.csv.zst", &zstd)] {
        let (_kept, table) = table(name, bytes);
        assert_eq!(cells(table.as_ref(), "age"), "31.0 32.0", "{name}");
    }
    let (_kept, twice) = table("a.csv.gz", more);
    assert_eq!(cells(twice.as_ref(), "plan"), r#""basic" "pro" "plan" "basic" "pro""#);
    let (_kept, lines) = table("a.jsonl.zst", zstd::encode_all(&b"{\"x\":1}\n"[..], 3).unwrap());
    assert_eq!(cells(lines.as_ref(), "x"), "1.0");
    let directory = tempfile::tempdir().unwrap();
    let cut = directory.path().join("a.csv.gz");
    fs::write(&cut, &gzip[..gzip.len() - 9]).unwrap();
    assert!(open(&cut, &Declared::default()).is_err(), "a text that was cut is no shorter table");
}

#[test]
fn a_folder_is_one_table_and_the_names_of_its_folders_are_columns() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("dt=2026-01-02/b.csv", "code,x\nz,3\n");
    put("dt=2026-01-01/a.csv", "x,code\n1,7\n2,8\n");
    put("dt=2026-01-03/c.jsonl", "{\"x\":4}\n");
    put("dt=2026-01-01/_SUCCESS", "");
    put("dt=2026-01-01/.hidden.csv", "no");
    let table = open(directory.path(), &Declared::default()).unwrap();
    assert_eq!((names(table.as_ref()), table.rows()), (vec!["x", "code", "dt"], 4));
    assert_eq!(cells(table.as_ref(), "x"), "1.0 2.0 3.0 4.0");
    assert_eq!(cells(table.as_ref(), "code"), r#""7" "8" "z" -"#, "of one kind in all files");
    assert_eq!(cells(table.as_ref(), "dt"), r#""2026-01-01" "2026-01-01" "2026-01-02" "2026-01-03""#);
    let empty = tempfile::tempdir().unwrap();
    let nothing = open(empty.path(), &Declared::default()).err().map(|error| error.to_string());
    assert!(nothing.is_some_and(|message| message.contains("holds no table")));
}

#[test]
fn an_empty_line_of_a_single_column_is_a_row_without_a_value() {
    let (_kept, one) = table("a.csv", "x\n1\n\n2\n\n\n3\n\n");
    assert_eq!(cells(one.as_ref(), "x"), "1.0 - 2.0 - - 3.0 -");
    let (_kept, quoted) = table("a.csv", "x\n\"a\nb\"\n\nc\n");
    assert_eq!(cells(quoted.as_ref(), "x"), r#""a\nb" - "c""#);
    let (_kept, two) = table("a.csv", "x,y\n1,2\n\n3,4\n");
    assert_eq!(cells(two.as_ref(), "x"), "1.0 3.0");
}

#[test]
fn json_lines_may_lack_keys_and_change_types() {
    let text = "{\"x\":1,\"ok\":true}\n\n{\"x\":2.5,\"late\":\"7\"}\n{\"x\":null,\"late\":3}\n";
    let (_kept, table) = table("a.jsonl", text);
    assert_eq!(names(table.as_ref()), ["ok", "x", "late"]);
    assert_eq!(cells(table.as_ref(), "x"), "1.0 2.5 -");
    assert_eq!(cells(table.as_ref(), "ok"), r#""true" - -"#);
    assert_eq!(cells(table.as_ref(), "late"), r#"- "7" "3""#);
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
    let table = open(&path, &Declared::default()).unwrap();
    assert_eq!((names(table.as_ref()), table.rows()), (vec!["x", "plan", "flag", "at", "n"], 6));
    assert!(!table.is_by_row());
    assert_eq!(cells(table.as_ref(), "x"), "1.5 NaN - - NaN -");
    assert_eq!(cells(table.as_ref(), "plan"), r#""a" - "b" "a" - "b""#);
    assert_eq!(cells(table.as_ref(), "flag"), r#""true" "false" - "true" "false" -"#);
    assert_eq!(cells(table.as_ref(), "n"), "- - - - - -");
    assert!(
        cells(table.as_ref(), "at").starts_with("1970-01-01T00:00:00.001Z "),
        "{}",
        cells(table.as_ref(), "at")
    );
}

#[test]
fn what_cannot_be_read_says_where_and_why() {
    assert!(refused("a.csv", "x,y\n1,2\n1\n").contains("a.csv"), "a row that is too short");
    assert!(refused("a.csv", "x,x\n1,2\n").contains("two columns are called \"x\""));
    assert!(refused("a.jsonl", "{\"x\":1}\n[1]\n").contains("line 2 is no JSON object"));
    assert!(refused("a.parquet", "PAR1 not really").contains("cannot be read as Parquet"));
    assert!(refused("a.xlsx", "x").contains("known endings are .csv"));
    let missing =
        open(Path::new("/nowhere/a.csv"), &Declared::default()).err().map(|error| error.to_string());
    assert!(missing.is_some_and(|message| message.contains("there is no such file")));
}

#[cfg(unix)]
#[test]
fn a_linked_folder_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.csv"), "x\n1\n2\n").unwrap();
    std::os::unix::fs::symlink(directory.path(), directory.path().join("again")).unwrap();
    let error = open(directory.path(), &Declared::default()).err().map(|error| error.to_string());
    assert!(error.is_some_and(|message| message.contains("again is a link to a folder")));
}

/// Bytes that cannot be had any more after so many reads.
struct Breaks(Vec<u8>, std::sync::atomic::AtomicUsize);

impl source::Bytes for Breaks {
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<usize> {
        use std::sync::atomic::Ordering::Relaxed;
        if self.1.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err() {
            return Err(io::Error::other(PortError::new(
                Problem::Unreachable,
                "read it",
                "the line is dead",
            )));
        }
        let rest = &self.0[usize::try_from(place).unwrap().min(self.0.len())..];
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn block(&self) -> usize {
        16
    }
}

#[test]
fn bytes_that_cannot_be_had_are_no_damage_of_the_table() {
    let directory = tempfile::tempdir().unwrap();
    let parquet = directory.path().join("a.parquet");
    let column = Cells::Wholes((0..200).map(Some).collect());
    write(&parquet, "message t { optional int64 x; }", Compression::UNCOMPRESSED, &[vec![column]]);
    let rows = |row: &str| row.repeat(40).into_bytes();
    let tables = [
        ("a.csv", [b"x\n".to_vec(), rows("17\n")].concat()),
        ("a.jsonl", rows("{\"x\":17}\n")),
        ("a.parquet", fs::read(&parquet).unwrap()),
    ];
    for (name, bytes) in tables {
        let reads = |most: usize| {
            let breaks = Breaks(bytes.clone(), most.into());
            let source = Source::new(std::sync::Arc::new(breaks), bytes.len() as u64);
            super::table(source, At(name.to_owned()), &Declared::default())
                .and_then(|table| table.scan(&["x"], &mut |_, _| {}))
        };
        reads(100_000).unwrap();
        let mut broken = 0;
        for most in 0.. {
            match reads(most) {
                Ok(()) => break,
                Err(error) => {
                    assert_eq!(error.problem, Problem::Unreachable, "{name}, {most} reads: {error}");
                }
            }
            broken += 1;
        }
        assert!(broken > 3, "{name}");
    }
}
