//! Datasets: a file per format of tables, and what lies around them: compression, folders, places.

mod cells;
mod csv;
mod declared;
mod json_lines;
mod parquet;
mod parts;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use tagship_ports::{Dataset, Holds, PortError, Problem};

use self::{
    cells::Cells,
    csv::Csv,
    json_lines::JsonLines,
    parquet::Parquet,
    parts::{Part, Parts},
    source::Source,
    text::Text,
};
pub use self::{cells::is_absent, declared::Declared};
use crate::table_format::{ENDINGS, TableFormat};

/// Most files of a folder.
const MAX_FILES: usize = 100_000;

/// Opens the table in a file, or in all files of a folder and of the folders in it. The ending of a name says the format;
/// `name=value` as the name of a folder is a column.
///
/// # Errors
/// [`Problem::NotFound`] where there is no such file, [`Problem::Unsupported`] for another ending, [`Problem::Invalid`] for a
/// file that cannot be read.
pub fn open(path: &Path, declared: &Declared) -> Result<Box<dyn Dataset>, PortError> {
    if !path.is_dir() {
        let at = At(path.display().to_string());
        let source = Source::open(path, &at)?;
        return table(source, at, declared);
    }
    let at = At(path.display().to_string());
    let mut files = vec![];
    list(path, &at, &mut files)?;
    files.sort();
    if files.is_empty() {
        let nothing = at.wrong(Problem::NotFound, "the folder holds no table");
        return Err(nothing.hint(format!("known endings are {ENDINGS}")));
    }
    let parts = of_files(path, &files, declared)?;
    let table = Parts::of(parts, at.clone());
    // What one file alone looks like says nothing of the others.
    let mixed = table.mixed();
    if mixed.is_empty() {
        return Ok(Box::new(table));
    }
    let declared = declared.with(mixed, Holds::Categories);
    Ok(Box::new(Parts::of(of_files(path, &files, &declared)?, at)))
}

fn of_files(root: &Path, files: &[PathBuf], declared: &Declared) -> Result<Vec<Part>, PortError> {
    let part = |file: &PathBuf| {
        let at = At(file.display().to_string());
        let source = Source::open(file, &at)?;
        let inside = file.strip_prefix(root).unwrap_or(file);
        let folders = inside.parent().map(Path::to_string_lossy).unwrap_or_default();
        let keys = folders.split(['/', '\\']).filter_map(|folder| folder.split_once('='));
        let keys = keys.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Part { table: table(source, at, declared)?, keys })
    };
    files.iter().map(part).collect()
}

/// Files below a folder that are tables by their names; what programs that write many files leave beside them is not.
/// A linked folder is refused: it may be the folder itself, whose rows would count again, or hold rows that would be missed.
fn list(folder: &Path, at: &At, files: &mut Vec<PathBuf>) -> Result<(), PortError> {
    let local = |error: std::io::Error| at.wrong(Problem::Local, error.to_string());
    for entry in fs::read_dir(folder).map_err(local)? {
        let entry = entry.map_err(local)?;
        let (path, is_link) = (entry.path(), entry.file_type().map_err(local)?.is_symlink());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() {
            if is_link {
                let path = path.display();
                let message =
                    format!("{path} is a link to a folder; name that folder, or put its files here");
                return Err(at.wrong(Problem::Invalid, message));
            }
            list(&path, at, files)?;
        } else if TableFormat::of(&name).is_some() {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(at.wrong(Problem::Invalid, format!("it holds more than {MAX_FILES} files")));
        }
    }
    Ok(())
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
    fn wrong(&self, problem: Problem, message: impl Into<String>) -> PortError {
        PortError::new(problem, format!("read {}", self.0), message)
    }

    fn no_column(&self, name: &str) -> PortError {
        self.wrong(Problem::NotFound, format!("there is no column {name:?}"))
    }
}
