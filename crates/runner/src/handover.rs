//! How steps of one job hand documents to each other: the last document of each kind and model lies in the job's
//! directory and is the next step's default input.

use std::path::{Path, PathBuf};

use tagship_domain::{Document, ModelName, schema};

use crate::{context::Context, error::Failure, write};

/// Documents that steps of one job hand over.
#[derive(Debug, Clone)]
pub struct Handover {
    directory: Option<PathBuf>,
}

impl Handover {
    /// The job's directory, where there is one.
    pub fn of(context: &Context) -> Self {
        Self { directory: context.job_directory.clone() }
    }

    /// Where a document lies. `model` is absent for documents about the whole run.
    fn path<T: Document>(&self, model: Option<&ModelName>) -> Option<PathBuf> {
        let kind = T::SCHEMA.split('/').nth(1).unwrap_or("document");
        let model = model.map(ModelName::file_form);
        let name = model.map_or_else(|| format!("{kind}.json"), |model| format!("{kind}-{model}.json"));
        self.directory.as_ref().map(|directory| directory.join(name))
    }

    /// Hands a document to later steps; answers where it lies. Without a job's directory nothing is written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put<T: Document>(
        &self,
        model: Option<&ModelName>,
        document: &T,
    ) -> Result<Option<PathBuf>, Failure> {
        let Some(path) = self.path::<T>(model) else { return Ok(None) };
        let text = schema::to_json(document).map_err(Failure::incomplete)?;
        write::private(&path, &text)
            .map_err(|error| Failure::unwritable(format!("write {}", path.display()), &error))?;
        Ok(Some(path))
    }

    /// The document of an earlier step, or the one in `file`.
    ///
    /// # Errors
    /// When a named file is missing or is another document.
    pub fn get<T: Document>(
        &self,
        model: Option<&ModelName>,
        file: Option<&Path>,
    ) -> Result<Option<T>, Failure> {
        let Some(path) = file.map(Path::to_owned).or_else(|| self.path::<T>(model)) else { return Ok(None) };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => return Ok(None),
            Err(error) => return Err(Failure::usage(format!("read {}: {error}", path.display()))),
        };
        schema::from_json(&text)
            .map(Some)
            .map_err(|error| Failure::incomplete(format!("{}: {error}", path.display())))
    }
}
