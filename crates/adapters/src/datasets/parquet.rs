//! Parquet: of each row group one column at a time, some thousand values of it.

use std::{io, sync::Arc};

use ::parquet::{
    basic::{LogicalType, TimeUnit, Type},
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{ByteArray, DataType},
    errors::ParquetError,
    file::{
        metadata::{ParquetMetaData, ParquetMetaDataReader},
        properties::ReaderProperties,
        reader::{ChunkReader, Length},
        serialized_reader::SerializedRowGroupReader,
    },
    schema::types::ColumnDescriptor,
};
use tagship_domain::Timestamp;
use tagship_ports::{Cell, DataColumn, Dataset, Holds, PortError, Problem};

use super::{
    At,
    declared::{Declared, told},
    source::{From, Source},
};
use crate::parquet_pages;

/// Values that are held at a time.
const BATCH: usize = 8192;
/// Most rows of a file: some encodings hold any number of equal values in a few bytes.
const MAX_ROWS: u64 = 1 << 30;
/// Longest text of a value, in bytes.
const MAX_TEXT: usize = 1 << 20;

pub(super) struct Parquet {
    source: Arc<Source>,
    metadata: ParquetMetaData,
    columns: Vec<DataColumn>,
    declared: Declared,
    rows: u64,
    at: At,
}

/// How the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meaning {
    Number,
    Unsigned,
    Text,
    /// So many of its units are a millisecond.
    Time(i64),
}

impl Parquet {
    pub(super) fn of(source: Source, at: At, declared: &Declared) -> Result<Self, PortError> {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&source);
        let metadata = metadata.map_err(|error| unreadable(&at, &error))?;
        let mut rows = 0_u64;
        for group in metadata.row_groups() {
            let more = u64::try_from(group.num_rows());
            let more =
                more.map_err(|_negative| at.wrong(Problem::Invalid, "a row group has fewer rows than none"))?;
            rows = rows.saturating_add(more);
        }
        if rows > MAX_ROWS {
            return Err(at.wrong(Problem::Invalid, format!("it has more than {MAX_ROWS} rows")));
        }
        let schema = metadata.file_metadata().schema_descr();
        let fields = schema.root_schema().get_fields().iter().map(|field| field.name().to_owned());
        let columns = fields.map(|name| {
            let leaf = leaf(&metadata, &name).map(|place| schema.column(place));
            let holds = leaf.map_or(Holds::Other, |leaf| declared.of(&name).unwrap_or(holds(&leaf)));
            DataColumn { name, holds }
        });
        let columns = columns.collect();
        Ok(Self { source: Arc::new(source), columns, metadata, declared: declared.clone(), rows, at })
    }

    fn scan_one(&self, name: &str, see: &mut dyn FnMut(Cell<'_>)) -> Result<(), PortError> {
        let place = leaf(&self.metadata, name).ok_or_else(|| self.at.no_column(name))?;
        let column = self.metadata.file_metadata().schema_descr().column(place);
        let meaning = meaning(&column).map_err(|what| {
            self.at
                .wrong(Problem::Unsupported, format!("the column {name:?} holds {what}"))
                .hint("write numbers, texts or truths to compare it")
        })?;
        let mut as_declared;
        let see: &mut dyn FnMut(Cell<'_>) = match self.declared.of(name) {
            Some(holds) => {
                as_declared = move |cell: Cell<'_>| told(cell, holds, see);
                &mut as_declared
            }
            None => see,
        };
        let mut telling = Telling { meaning, defined: column.max_def_level(), see };
        self.each_group(place, &mut telling).map_err(|error| unreadable(&self.at, &error))
    }

    fn each_group(&self, place: usize, telling: &mut Telling<'_>) -> Result<(), ParquetError> {
        let properties = Arc::new(ReaderProperties::builder().build());
        for (index, group) in self.metadata.row_groups().iter().enumerate() {
            let rows = usize::try_from(group.num_rows()).unwrap_or(usize::MAX);
            let pages = self.metadata.page_index_for_row_group(index);
            let source = Arc::clone(&self.source);
            let group = SerializedRowGroupReader::new(source, group, pages, Arc::clone(&properties))?;
            telling.take(parquet_pages::open(&group, place)?, rows)?;
        }
        Ok(())
    }
}

/// The place of a field among the columns of values; a group has those of its parts.
fn leaf(metadata: &ParquetMetaData, name: &str) -> Option<usize> {
    let schema = metadata.file_metadata().schema_descr();
    schema.columns().iter().position(|column| column.path().parts().first().is_some_and(|part| part == name))
}

impl Dataset for Parquet {
    fn location(&self) -> String {
        self.at.0.clone()
    }

    fn columns(&self) -> &[DataColumn] {
        &self.columns
    }

    fn rows(&self) -> u64 {
        self.rows
    }

    fn is_by_row(&self) -> bool {
        false
    }

    fn scan(&self, names: &[&str], see: &mut dyn FnMut(usize, Cell<'_>)) -> Result<(), PortError> {
        let mut each = names.iter().enumerate();
        each.try_for_each(|(place, name)| self.scan_one(name, &mut |cell| see(place, cell)))
    }
}

/// Tells the cells of one column.
struct Telling<'a> {
    meaning: Meaning,
    /// The definition level of a value that is there.
    defined: i16,
    see: &'a mut dyn FnMut(Cell<'_>),
}

impl Telling<'_> {
    #[expect(clippy::cast_precision_loss, reason = "as every library of tables reads long integers")]
    fn take(&mut self, reader: ColumnReader, rows: usize) -> Result<(), ParquetError> {
        let meaning = self.meaning;
        match reader {
            ColumnReader::BoolColumnReader(reader) => self.each(reader, rows, |value, see| {
                see(Cell::Text(if *value { "true" } else { "false" }));
                Ok(())
            }),
            ColumnReader::Int32ColumnReader(reader) => self.each(reader, rows, |value: &i32, see| {
                let unsigned = meaning == Meaning::Unsigned;
                see(Cell::Number(if unsigned {
                    f64::from(value.cast_unsigned())
                } else {
                    f64::from(*value)
                }));
                Ok(())
            }),
            ColumnReader::Int64ColumnReader(reader) => self.each(reader, rows, |value: &i64, see| {
                see(match meaning {
                    Meaning::Time(units) => Cell::Time(time(*value, units)?),
                    Meaning::Unsigned => Cell::Number(value.cast_unsigned() as f64),
                    Meaning::Number | Meaning::Text => Cell::Number(*value as f64),
                });
                Ok(())
            }),
            ColumnReader::FloatColumnReader(reader) => self.each(reader, rows, |value: &f32, see| {
                see(Cell::Number(f64::from(*value)));
                Ok(())
            }),
            ColumnReader::DoubleColumnReader(reader) => self.each(reader, rows, |value: &f64, see| {
                see(Cell::Number(*value));
                Ok(())
            }),
            ColumnReader::ByteArrayColumnReader(reader) => {
                self.each(reader, rows, |value: &ByteArray, see| {
                    let text = value.as_utf8()?;
                    if text.len() > MAX_TEXT {
                        return Err(ParquetError::General(format!("a value has more than {MAX_TEXT} bytes")));
                    }
                    see(Cell::Text(text));
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
        tell: impl Fn(&T::T, &mut dyn FnMut(Cell<'_>)) -> Result<(), ParquetError>,
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
            if self.defined == 0 {
                values.iter().try_for_each(|value| tell(value, self.see))?;
            } else {
                let mut left = values.iter();
                for level in &levels {
                    let is_there = *level == self.defined;
                    match if is_there { left.next() } else { None } {
                        Some(value) => tell(value, self.see)?,
                        None if is_there => return Err(fewer()),
                        None => (self.see)(Cell::Absent),
                    }
                }
                if left.next().is_some() || levels.len() != records {
                    return Err(fewer());
                }
            }
            done += records;
        }
        Ok(())
    }
}

fn fewer() -> ParquetError {
    ParquetError::General("a column holds fewer values than it says".to_owned())
}

fn time(value: i64, units: i64) -> Result<Timestamp, ParquetError> {
    Timestamp::from_millis(value.div_euclid(units)).map_err(|error| ParquetError::General(error.to_string()))
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
        (Some(LogicalType::Timestamp(time)), Type::INT64) => Ok(Meaning::Time(match time.unit {
            TimeUnit::MILLIS => 1,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1_000_000,
        })),
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

fn holds(column: &ColumnDescriptor) -> Holds {
    match meaning(column) {
        Ok(_) if matches!(column.logical_type_ref(), Some(LogicalType::Unknown)) => Holds::Nothing,
        Ok(Meaning::Number | Meaning::Unsigned) => Holds::Numbers,
        Ok(Meaning::Text) => Holds::Categories,
        Ok(Meaning::Time(_)) => Holds::Times,
        Err(_) => Holds::Other,
    }
}

fn unreadable(at: &At, error: &ParquetError) -> PortError {
    at.unread(error, |at| {
        at.wrong(Problem::Invalid, format!("it cannot be read as Parquet: {error}")).hint("write it again")
    })
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.length()
    }
}

impl ChunkReader for Source {
    type T = io::BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes, ParquetError> {
        Ok(self.exactly(start, length)?.into())
    }
}
