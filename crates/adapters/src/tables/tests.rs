//! The same rows in every form.

use std::{fs, io::Write as _, path::Path};

use super::*;

fn read(directory: &Path, name: &str) -> Result<Vec<String>, Wrong> {
    let mut rows = vec![];
    Table::new(directory, Path::new(name)).unwrap().each(&[Some("x"), None, Some("y")], &mut |row| {
        let cells = row.cells.iter().map(|cell| cell.as_deref().unwrap_or("-"));
        rows.push(cells.collect::<Vec<_>>().join(" "));
        Ok(())
    })?;
    Ok(rows)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

#[test]
fn compressed_texts_hold_the_same_rows() {
    let directory = tempfile::tempdir().unwrap();
    let csv = "y,x\nb,1\n,2\n";
    let lines = "{\"x\":1,\"y\":\"b\"}\n{\"x\":2}\n";
    // Two members, as a log that was rotated by appending.
    let members = [gzip("y,x\nb,1\n"), gzip(",2\n")].concat();
    for (name, bytes) in [
        ("a.csv", csv.as_bytes().to_vec()),
        ("a.csv.gz", members),
        ("a.jsonl.gz", gzip(lines)),
        ("a.ndjson.zst", zstd::encode_all(lines.as_bytes(), 1).unwrap()),
    ] {
        fs::write(directory.path().join(name), bytes).unwrap();
        assert_eq!(read(directory.path(), name).unwrap(), ["1 - b", "2 - -"], "{name}");
    }
    assert!(Table::new(directory.path(), Path::new("a.parquet.gz")).is_err());
}

#[test]
fn a_compressed_text_that_is_cut_or_none_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let whole = gzip(&format!("x,y\n{}", "1,2\n".repeat(10_000)));
    for bytes in [&whole[..whole.len() - 9], b"x,y\n1,2\n"] {
        fs::write(directory.path().join("a.csv.gz"), bytes).unwrap();
        assert_eq!(read(directory.path(), "a.csv.gz").unwrap_err().problem, Problem::Invalid);
    }
}

#[test]
fn what_is_beyond_the_limit_is_no_end() {
    let mut text = Bounded { text: &b"12345"[..], left: 4 };
    assert_eq!(
        io::copy(&mut text, &mut io::sink()).unwrap_err().to_string(),
        format!("it holds more than {MAX_FILE} bytes")
    );
    let mut text = Bounded { text: &b"1234"[..], left: 4 };
    assert_eq!(io::copy(&mut text, &mut io::sink()).unwrap(), 4);
}
