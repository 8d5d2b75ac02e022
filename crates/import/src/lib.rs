//! Specifications of other systems as a `tagship.yml`: Argo Rollouts and Flagger.
//!
//! Pure: texts in, a text and notes out. Two rules hold for everything here. **Nothing is dropped in silence**: a field
//! that is read is carried over or explained, and a field that nobody reads is noted by `fields`. **Nothing passes that
//! the other system would not have let pass**: what cannot be carried over faithfully is decided by a person instead.
//! What comes out is read by `tagship_config` before it is handed on.
//!
//! Must not know: where the texts lie, and who reads the notes.

mod argo;
mod condition;
mod document;
mod draft;
mod fields;
mod flagger;
mod metric;
mod notes;
mod span;
mod steps;
#[cfg(test)]
mod tests;
mod yaml;

use tagship_config::{Config, ConfigErrors, YamlError};
use tagship_domain::{Environment, ModelName, import::Import};

use document::Documents;
use notes::Notes;

/// The system that a specification is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Argo Rollouts: a `Rollout` and its analysis templates.
    Argo,
    /// Flagger: a `Canary` and its metric templates.
    Flagger,
}

/// A text with the name that messages call it by.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// The file as the caller named it.
    pub name: &'a str,
    /// What it holds: YAML, one document or several.
    pub text: &'a str,
}

/// What the result is called.
#[derive(Debug, Clone)]
pub struct Naming {
    /// The model; the name of the specification where absent.
    pub model: Option<ModelName>,
    /// The environment.
    pub environment: Environment,
}

/// Why nothing was imported.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// A file that is no YAML.
    #[error("{file}: {source}")]
    Yaml {
        /// The file.
        file: String,
        /// Why.
        source: YamlError,
    },
    /// Not exactly one specification of a rollout.
    #[error("{found} found, where one is imported at a time; {help}")]
    Count {
        /// What was found.
        found: String,
        /// What to do.
        help: String,
    },
    /// Fields that do not hold what their definition says.
    #[error("{}", .0.join("\n"))]
    Malformed(Vec<String>),
    /// What came out is no configuration, which is a mistake of this program.
    #[error("the result is no configuration, which is a mistake of this program:\n{0}")]
    Refused(Box<ConfigErrors>),
}

/// Turns a specification into a configuration with one model and one environment.
///
/// # Errors
/// [`ImportError`], each case of it.
pub fn import(system: System, files: &[SourceFile<'_>], naming: &Naming) -> Result<Import, ImportError> {
    let documents = Documents::read(files)?;
    let notes = Notes::default();
    let draft = match system {
        System::Argo => argo::import(&documents, naming, &notes)?,
        System::Flagger => flagger::import(&documents, naming, &notes)?,
    };
    let wrong = notes.wrong();
    if !wrong.is_empty() {
        return Err(ImportError::Malformed(wrong));
    }
    let config = draft.finish(&notes).render(system, &notes);
    Config::parse("tagship.yml", &config).map_err(|errors| ImportError::Refused(Box::new(errors)))?;
    Ok(Import { config, notes: notes.into_list() })
}
