//! Parquet: of each row group one column at a time, some thousand values of it.

use std::{collections::BTreeMap, fs::File};

use ::parquet::{
    basic::{LogicalType, Type},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::reader::{FileReader as _, SerializedFileReader},
    schema::types::ColumnDescriptor,
};
use tagship_ports::{ColumnValues, Dataset, PortError, Problem};

use super::{At, cells::count};
use crate::parquet_pages;

/// Values that are held at a time before they are counted.
const BATCH: usize = 8192;
/// Most rows of a file: some encodings hold any number of equal values in a few bytes.
const MAX_ROWS: u64 = 1 << 30;
/// Longest text of a value, in bytes.
const MAX_TEXT: usize = 1 << 20;

pub(super) struct Parquet {
    reader: SerializedFileReader<File>,
    at: At,
}

/// How the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    Number,
    Unsigned,
    Text,
}

impl Parquet {
    pub(super) fn of(file: File, at: At) -> Result<Self, PortError> {
        let reader = SerializedFileReader::new(file).map_err(|error| unreadable(&at, &error))?;
        let mut rows = 0_u64;
        for group in reader.metadata().row_groups() {
            let more = u64::try_from(group.num_rows());
            let more =
                more.map_err(|_negative| at.wrong(Problem::Invalid, "a row group has fewer rows than none"))?;
            rows = rows.saturating_add(more);
        }
        if rows > MAX_ROWS {
            return Err(at.wrong(Problem::Invalid, format!("it has more than {MAX_ROWS} rows")));
        }
        Ok(Self { reader, at })
    }

    fn column_at(&self, name: &str) -> Option<usize> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        schema
            .columns()
            .iter()
            .position(|column| column.path().parts().first().is_some_and(|part| part == name))
    }
}

impl Dataset for Parquet {
    fn location(&self) -> String {
        self.at.0.clone()
    }

    fn columns(&self) -> Vec<String> {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        schema.root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect()
    }

    fn read(&mut self, name: &str) -> Result<ColumnValues, PortError> {
        let at = self.column_at(name).ok_or_else(|| self.at.no_column(name))?;
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let column = schema.column(at);
        let meaning = meaning(&column).map_err(|what| {
            self.at
                .wrong(Problem::Unsupported, format!("the column {name:?} holds {what}"))
                .hint("write numbers, texts or truths to compare it")
        })?;
        let mut found = Found {
            meaning,
            defined: column.max_def_level(),
            numbers: vec![],
            counts: BTreeMap::new(),
            absent: 0,
        };
        for index in 0..self.reader.metadata().num_row_groups() {
            let group = self.reader.get_row_group(index).map_err(|error| unreadable(&self.at, &error))?;
            let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(usize::MAX);
            let reader =
                parquet_pages::open(group.as_ref(), at).map_err(|error| unreadable(&self.at, &error))?;
            found.take(reader, rows).map_err(|error| unreadable(&self.at, &error))?;
        }
        Ok(found.values())
    }
}

/// What has been read of a column.
struct Found {
    meaning: Meaning,
    /// The definition level of a value that is there.
    defined: i16,
    numbers: Vec<f64>,
    counts: BTreeMap<String, u64>,
    absent: u64,
}

impl Found {
    #[expect(clippy::cast_precision_loss, reason = "as every library of tables reads long integers")]
    fn take(&mut self, reader: ColumnReader, rows: usize) -> Result<(), ParquetError> {
        let unsigned = self.meaning == Meaning::Unsigned;
        match reader {
            ColumnReader::BoolColumnReader(reader) => self.each(reader, rows, |found, value| {
                count(&mut found.counts, if value { "true" } else { "false" });
                Ok(())
            }),
            ColumnReader::Int32ColumnReader(reader) => self.each(reader, rows, |found, value: i32| {
                found.numbers.push(if unsigned {
                    f64::from(value.cast_unsigned())
                } else {
                    f64::from(value)
                });
                Ok(())
            }),
            ColumnReader::Int64ColumnReader(reader) => self.each(reader, rows, |found, value: i64| {
                found.numbers.push(if unsigned { value.cast_unsigned() as f64 } else { value as f64 });
                Ok(())
            }),
            ColumnReader::FloatColumnReader(reader) => self.each(reader, rows, |found, value: f32| {
                found.numbers.push(f64::from(value));
                Ok(())
            }),
            ColumnReader::DoubleColumnReader(reader) => self.each(reader, rows, |found, value| {
                found.numbers.push(value);
                Ok(())
            }),
            ColumnReader::ByteArrayColumnReader(reader) => {
                self.each(reader, rows, |found, value: ByteArray| {
                    let text = value.as_utf8()?;
                    if text.len() > MAX_TEXT {
                        return Err(ParquetError::General(format!("a value has more than {MAX_TEXT} bytes")));
                    }
                    count(&mut found.counts, text);
                    Ok(())
                })
            }
            ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
                Err(ParquetError::General("a column has another type than the schema says".to_owned()))
            }
        }
    }

    fn each<T: DataType>(
        &mut self,
        mut reader: ColumnReaderImpl<T>,
        rows: usize,
        see: impl Fn(&mut Self, T::T) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        let (mut values, mut levels) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        let mut done = 0;
        while done < rows {
            values.clear();
            levels.clear();
            let wanted = (rows - done).min(BATCH);
            let (records, there, _) = reader.read_records(wanted, Some(&mut levels), None, &mut values)?;
            if records == 0 || there != values.len() || there > records {
                return Err(ParquetError::General("a column ends before its row group does".to_owned()));
            }
            if self.defined > 0 && levels.iter().filter(|level| **level == self.defined).count() != there {
                return Err(ParquetError::General("a column holds fewer values than it says".to_owned()));
            }
            self.absent += (records - there) as u64;
            for value in values.drain(..) {
                see(self, value)?;
            }
            done += records;
        }
        Ok(())
    }

    fn values(self) -> ColumnValues {
        let absent = self.absent;
        match self.meaning {
            _ if self.numbers.is_empty() && self.counts.is_empty() => ColumnValues::Nothing { absent },
            Meaning::Text => ColumnValues::Categories { counts: self.counts, absent },
            Meaning::Number | Meaning::Unsigned => ColumnValues::Numbers { values: self.numbers, absent },
        }
    }
}

/// How a column is read, or what kind its values are of that is not read.
fn meaning(column: &ColumnDescriptor) -> Result<Meaning, String> {
    if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
        return Err("lists or groups".to_owned());
    }
    match (column.logical_type_ref(), column.physical_type()) {
        (Some(LogicalType::Integer(whole)), Type::INT32 | Type::INT64) => {
            Ok(if whole.is_signed { Meaning::Number } else { Meaning::Unsigned })
        }
        (None | Some(LogicalType::String | LogicalType::Enum), Type::BYTE_ARRAY) | (None, Type::BOOLEAN) => {
            Ok(Meaning::Text)
        }
        // A column that has nothing but absent values has no type to speak of.
        (None | Some(LogicalType::Unknown), Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE) => {
            Ok(Meaning::Number)
        }
        (Some(logical), _) => Err(format!("values of the type {logical:?}")),
        (None, physical) => Err(format!("values of the type {physical}")),
    }
}

fn unreadable(at: &At, error: &ParquetError) -> PortError {
    at.wrong(Problem::Invalid, format!("it cannot be read as Parquet: {error}")).hint("write it again")
}
