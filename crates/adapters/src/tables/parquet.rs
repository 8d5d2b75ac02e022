//! Rows of a Parquet file: one row group after the other, of each only the columns that are named, some thousand values of
//! each at a time.
//!
//! Values become the texts that CSV would hold, so that one file says the same in every format. What a text could not say
//! without guessing (decimals, dates, times without a zone, nested columns) is refused by its name.

use std::fs::File;

use ::parquet::{
    basic::{LogicalType, TimeUnit, Type},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::reader::{FileReader as _, RowGroupReader, SerializedFileReader},
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};
use tagship_ports::Problem;

use super::{TextRow, Wrong, wrong};
use crate::parquet_pages;

/// Values of a column that are held at a time.
const BATCH: usize = 4096;
/// Most rows of a file: some encodings hold any number of equal values in a few bytes.
const MAX_ROWS: u64 = 100_000_000;
/// Longest text of one value, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// A column that is read.
#[derive(Debug, Clone, Copy)]
struct Column {
    /// Its place in the file.
    at: usize,
    /// The definition level of a value that is there; 0 where every row has one.
    defined: i16,
    meaning: Meaning,
}

/// What the numbers and bytes of a column stand for.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Plain,
    Unsigned,
    /// Since 1970 in UTC, so many in a second.
    Instant(i64),
}

/// Goes through the rows.
pub(super) fn each(
    file: File,
    columns: &[Option<&str>],
    see: &mut dyn FnMut(TextRow<'_>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let reader = SerializedFileReader::new(file).map_err(|error| unreadable(&error))?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let found = columns.iter().map(|name| name.map(|name| find(schema, name)).transpose());
    let found = found.collect::<Result<Vec<_>, _>>()?;
    let mut before = 0;
    for index in 0..metadata.num_row_groups() {
        let group = reader.get_row_group(index).map_err(|error| unreadable(&error))?;
        let rows = u64::try_from(group.metadata().num_rows()).unwrap_or(u64::MAX);
        if rows > MAX_ROWS - before {
            return Err(wrong(Problem::Invalid, format!("it has more than {MAX_ROWS} rows")));
        }
        each_of(group.as_ref(), rows, &found, |at, cells| {
            see(TextRow { what: "row", number: before + at, cells })
        })?;
        before += rows;
    }
    Ok(())
}

/// Tells each row of a group its number, from 1 on, and its cells.
fn each_of(
    group: &dyn RowGroupReader,
    rows: u64,
    columns: &[Option<Column>],
    mut tell: impl FnMut(u64, &mut [Option<String>]) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let open = |column: &Option<Column>| {
        let open = |column: &Column| Ok((*column, parquet_pages::open(group, column.at)?));
        column.as_ref().map(open).transpose().map_err(|error: ParquetError| unreadable(&error))
    };
    let mut readers = columns.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut done = 0;
    while done < rows {
        let wanted = usize::try_from(rows - done).unwrap_or(BATCH).min(BATCH);
        let read = readers.iter_mut().map(|reader| match reader {
            Some((column, reader)) => column.read(reader, wanted),
            None => Ok(vec![None; wanted]),
        });
        let mut batch = read.collect::<Result<Vec<_>, _>>()?;
        for at in 0..wanted {
            done += 1;
            let cell = |values: &mut Vec<Option<String>>| {
                values.get_mut(at).and_then(Option::take).filter(|text| !text.is_empty())
            };
            let mut cells: Vec<_> = batch.iter_mut().map(cell).collect();
            tell(done, &mut cells)?;
        }
    }
    Ok(())
}

fn find(schema: &SchemaDescriptor, name: &str) -> Result<Column, Wrong> {
    let top = |column: &ColumnDescriptor| column.path().parts().first().is_some_and(|part| part == name);
    let Some(at) = schema.columns().iter().position(|column| top(column)) else {
        let names = schema.root_schema().get_fields().iter().map(|field| field.name().to_owned());
        let names = names.take(20).collect::<Vec<_>>().join(", ");
        return Err(wrong(Problem::Invalid, format!("there is no column {name:?}; there is {names}")));
    };
    let column = schema.column(at);
    if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
        let message = format!("the column {name:?} holds lists or groups; write one value a row");
        return Err(wrong(Problem::Invalid, message));
    }
    let meaning = meaning(&column).map_err(|what| {
        let message = format!("the column {name:?} holds {what}; write texts, numbers, or times in UTC");
        wrong(Problem::Invalid, message)
    })?;
    Ok(Column { at, defined: column.max_def_level(), meaning })
}

/// What the values of a column stand for, or what kind they are that is not read.
fn meaning(column: &ColumnDescriptor) -> Result<Meaning, String> {
    match (column.logical_type_ref(), column.physical_type()) {
        (_, Type::INT96) => Err("times of an old kind that names no zone (INT96)".to_owned()),
        (Some(LogicalType::Timestamp(time)), Type::INT64) if time.is_adjusted_to_u_t_c => {
            Ok(Meaning::Instant(match time.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            }))
        }
        (Some(LogicalType::Timestamp(_)), _) => Err("times without a zone".to_owned()),
        (Some(LogicalType::Integer(whole)), Type::INT32 | Type::INT64) => {
            Ok(if whole.is_signed { Meaning::Plain } else { Meaning::Unsigned })
        }
        (None | Some(LogicalType::String | LogicalType::Enum), Type::BYTE_ARRAY)
        | (None, Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE) => {
            Ok(Meaning::Plain)
        }
        (Some(logical), _) => Err(format!("values of the type {logical:?}")),
        (None, physical) => Err(format!("values of the type {physical}")),
    }
}

impl Column {
    /// The next values, one a row.
    fn read(self, reader: &mut ColumnReader, rows: usize) -> Result<Vec<Option<String>>, Wrong> {
        match reader {
            ColumnReader::BoolColumnReader(reader) => {
                self.texts(reader, rows, |value| Ok(Some(value.to_string())))
            }
            ColumnReader::Int32ColumnReader(reader) => self.texts(reader, rows, |value| {
                Ok(Some(match self.meaning {
                    Meaning::Unsigned => value.cast_unsigned().to_string(),
                    Meaning::Plain | Meaning::Instant(_) => value.to_string(),
                }))
            }),
            ColumnReader::Int64ColumnReader(reader) => self.texts(reader, rows, |value| {
                Ok(Some(match self.meaning {
                    Meaning::Unsigned => value.cast_unsigned().to_string(),
                    Meaning::Instant(second) => seconds(value, second),
                    Meaning::Plain => value.to_string(),
                }))
            }),
            // What is no number is no label either.
            ColumnReader::FloatColumnReader(reader) => {
                self.texts(reader, rows, |value| Ok((!value.is_nan()).then(|| value.to_string())))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                self.texts(reader, rows, |value| Ok((!value.is_nan()).then(|| value.to_string())))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                self.texts(reader, rows, |value| text(&value).map(Some))
            }
            ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
                Err(damaged("a column has another type than the schema says"))
            }
        }
    }

    fn texts<T: DataType>(
        self,
        reader: &mut ColumnReaderImpl<T>,
        rows: usize,
        written: impl Fn(T::T) -> Result<Option<String>, Wrong>,
    ) -> Result<Vec<Option<String>>, Wrong> {
        let (mut values, mut levels) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let read = reader.read_records(rows, Some(&mut levels), None, &mut values);
        let (records, ..) = read.map_err(|error| unreadable(&error))?;
        if records != rows {
            return Err(damaged("a column ends before its row group does"));
        }
        let mut values = values.into_iter();
        let next = || damaged("a column holds fewer values than it says");
        let mut texts = Vec::with_capacity(rows);
        for row in 0..rows {
            let is_there = self.defined == 0 || levels.get(row) == Some(&self.defined);
            texts.push(if is_there { written(values.next().ok_or_else(next)?)? } else { None });
        }
        Ok(texts)
    }
}

fn text(value: &ByteArray) -> Result<String, Wrong> {
    let bytes = value.data();
    if bytes.len() > MAX_TEXT {
        return Err(wrong(Problem::Invalid, format!("a value has more than {MAX_TEXT} bytes")));
    }
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|error| wrong(Problem::Invalid, format!("a value is no text: {error}")))?;
    Ok(text.trim().to_owned())
}

/// A time in seconds since 1970, to the millisecond.
fn seconds(value: i64, second: i64) -> String {
    let millis = value.div_euclid(second / 1000);
    let (sign, size) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    format!("{sign}{}.{:03}", size / 1000, size % 1000)
}

fn unreadable(error: &ParquetError) -> Wrong {
    damaged(&error.to_string())
}

fn damaged(why: &str) -> Wrong {
    wrong(Problem::Invalid, format!("it cannot be read as Parquet: {why}; write it again"))
}
