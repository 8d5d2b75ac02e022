//! Parquet files as tests need them.

use std::{fs::File, path::Path, sync::Arc};

use ::parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};

/// A column of a row group, with nothing where a row has no value.
pub(crate) enum Cells {
    Texts(Vec<Option<&'static str>>),
    Wholes(Vec<Option<i64>>),
    Halves(Vec<Option<i32>>),
    Reals(Vec<Option<f64>>),
    Bools(Vec<Option<bool>>),
}

pub(crate) fn write(path: &Path, schema: &str, compression: Compression, groups: &[Vec<Cells>]) {
    fn column<T: DataType>(
        writer: &mut ::parquet::file::writer::SerializedColumnWriter<'_>,
        cells: Vec<Option<T::T>>,
    ) {
        let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
        let values: Vec<T::T> = cells.into_iter().flatten().collect();
        writer.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
    }

    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer =
        SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::new(properties)).unwrap();
    for cells in groups {
        let mut group = writer.next_row_group().unwrap();
        for cells in cells {
            let mut writer = group.next_column().unwrap().unwrap();
            match cells {
                Cells::Texts(cells) => column::<ByteArrayType>(
                    &mut writer,
                    cells.iter().map(|cell| cell.map(ByteArray::from)).collect(),
                ),
                Cells::Wholes(cells) => column::<Int64Type>(&mut writer, cells.clone()),
                Cells::Halves(cells) => column::<Int32Type>(&mut writer, cells.clone()),
                Cells::Reals(cells) => column::<DoubleType>(&mut writer, cells.clone()),
                Cells::Bools(cells) => column::<BoolType>(&mut writer, cells.clone()),
            }
            writer.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}
