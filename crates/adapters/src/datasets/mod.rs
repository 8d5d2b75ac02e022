//! Datasets: a file per format of tables, and what lies around them: compression, folders, places.

mod cells;
mod csv;
mod declared;
mod json_lines;
mod lying;
mod parquet;
mod parts;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::io;

use tagship_ports::{Dataset, Holds, PortError, Problem};

use self::{
    cells::Cells,
    csv::Csv,
    json_lines::JsonLines,
    lying::{Found, Lying},
    parquet::Parquet,
    parts::{Part, Parts},
    source::Source,
    text::Text,
};
pub use self::{
    cells::{is_absent, truth},
    declared::Declared,
};
use crate::{
    places::Variables,
    table_format::{ENDINGS, TableFormat},
};

/// Opens the table in a file, or in all files of a folder and of the folders in it; a path of this machine, or an address
/// `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY`, whose objects are read by ranges. The ending of a name says the
/// format; `name=value` as the name of a folder is a column.
///
/// # Errors
/// [`Problem::NotFound`] where there is no such file, [`Problem::Unsupported`] for another ending, [`Problem::Invalid`] for a
/// file that cannot be read.
pub fn open(
    place: &str,
    variables: &Variables<'_>,
    declared: &Declared,
) -> Result<Box<dyn Dataset>, PortError> {
    let files = match lying::find(place, variables)? {
        Found::File(file) => return table(file.source, file.at, declared),
        Found::Folder(files) => files,
    };
    let at = At(place.to_owned());
    let table = Parts::of(parts(&files, declared)?, at.clone());
    // What one file alone looks like says nothing of the others.
    let mixed = table.mixed();
    if mixed.is_empty() {
        return Ok(Box::new(table));
    }
    let declared = declared.with(mixed, Holds::Categories);
    Ok(Box::new(Parts::of(parts(&files, &declared)?, at)))
}

fn parts(files: &[Lying], declared: &Declared) -> Result<Vec<Part>, PortError> {
    let part = |file: &Lying| {
        let keys = file.folders.split(['/', '\\']).filter_map(|folder| folder.split_once('='));
        let keys = keys.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Part { table: table(file.source.clone(), file.at.clone(), declared)?, keys })
    };
    files.iter().map(part).collect()
}

fn table(source: Source, at: At, declared: &Declared) -> Result<Box<dyn Dataset>, PortError> {
    match TableFormat::of(&at.0) {
        Some(TableFormat::Csv(how)) => {
            Ok(Box::new(Cells::of(Csv::of(Text::new(source, how), at)?, declared)?))
        }
        Some(TableFormat::JsonLines(how)) => {
            Ok(Box::new(Cells::of(JsonLines::of(Text::new(source, how), at)?, declared)?))
        }
        Some(TableFormat::Parquet) => Ok(Box::new(Parquet::of(source, at, declared)?)),
        None => Err(at
            .wrong(Problem::Unsupported, "its name does not end as that of a table")
            .hint(format!("known endings are {ENDINGS}"))),
    }
}

/// Where a table is, for messages.
#[derive(Debug, Clone)]
struct At(String);

impl At {
    /// What is being done, for messages.
    fn about(&self) -> String {
        format!("read {}", self.0)
    }

    fn wrong(&self, problem: Problem, message: impl Into<String>) -> PortError {
        PortError::new(problem, self.about(), message)
    }

    /// Why a reader gave up: what kept its bytes away, where that was it, and else what `otherwise` makes of it.
    fn unread(
        &self,
        error: &(dyn std::error::Error + 'static),
        otherwise: impl FnOnce(&Self) -> PortError,
    ) -> PortError {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let kept_away = inner.and_then(|inner| inner.downcast_ref::<PortError>());
            if let Some(kept_away) = kept_away.or_else(|| error.downcast_ref()) {
                return kept_away.clone();
            }
            cause = inner.map_or_else(|| error.source(), |inner| Some(inner));
        }
        otherwise(self)
    }

    /// A file of this folder.
    fn inside(&self, name: &str) -> Self {
        Self(format!("{}/{name}", self.0.trim_end_matches('/')))
    }

    fn no_column(&self, name: &str) -> PortError {
        self.wrong(Problem::NotFound, format!("there is no column {name:?}"))
    }
}
