//! Pages of a column of a Parquet file, checked before they are decoded.
//!
//! The library takes some of what a file says about itself for sound, and panics where it is not: an error is due, for a
//! run that ends with a panic is led on by nobody.

use ::parquet::{
    basic::Encoding,
    column::{
        page::{Page, PageMetadata, PageReader},
        reader::{ColumnReader, get_column_reader},
    },
    errors::{ParquetError, Result},
    file::{metadata::ColumnChunkMetaData, reader::RowGroupReader},
};

/// Largest column of a row group, in bytes, decompressed.
const MAX_CHUNK: i64 = 1 << 30;

/// Opens a column of a row group.
pub(crate) fn open(group: &dyn RowGroupReader, at: usize) -> Result<ColumnReader> {
    let chunk = group.metadata().column(at);
    check_place(chunk)?;
    let pages = group.get_column_page_reader(at)?;
    Ok(get_column_reader(chunk.column_descr_ptr(), Box::new(Checked { pages, has_dictionary: false })))
}

fn check_place(chunk: &ColumnChunkMetaData) -> Result<()> {
    let first = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
    let size = chunk.compressed_size();
    if first < 0 || size < 0 || first.checked_add(size).is_none() {
        return Err(ParquetError::General("a column lies at a place that is none".to_owned()));
    }
    let size = chunk.uncompressed_size();
    if size > MAX_CHUNK {
        let message = format!("a column of a row group has {size} bytes, more than {MAX_CHUNK}");
        return Err(ParquetError::General(message));
    }
    Ok(())
}

/// Pages whose dictionary comes before its first use.
struct Checked {
    pages: Box<dyn PageReader>,
    has_dictionary: bool,
}

impl PageReader for Checked {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        match &page {
            Some(Page::DictionaryPage { .. }) => self.has_dictionary = true,
            Some(page)
                if !self.has_dictionary
                    && matches!(page.encoding(), Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY) =>
            {
                return Err(ParquetError::General("a column lacks the dictionary of its values".to_owned()));
            }
            _ => {}
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}

impl Iterator for Checked {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}
