//! Where the demo happens: a directory that vanishes with it, or one that is kept.
//!
//! ```text
//! origin.git/      the bare repository that plays the host
//! clone/           where people and workflows work
//! server/          the model server's state
//! events/          payloads, as a host would send them
//! home/            an empty home directory, so that nobody's git settings interfere
//! server.log  addresses.json  token  request.json
//! ```

use std::path::{Path, PathBuf};

use tagship_runner::Failure;

/// The demo's directory.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    /// Removes the directory when the demo is over, however it ends.
    _vanishing: Option<tempfile::TempDir>,
}

impl Directory {
    /// A new directory; `keep` names the one that stays.
    ///
    /// # Errors
    /// When it cannot be made, or something lies in it already.
    pub(super) fn create(keep: Option<&Path>) -> Result<Self, Failure> {
        let directory = match keep {
            None => {
                let made = tempfile::Builder::new().prefix("tagship-demo-").tempdir();
                let made = made.map_err(|error| not_made(&std::env::temp_dir(), &error))?;
                Self { root: resolved(made.path())?, _vanishing: Some(made) }
            }
            Some(path) => {
                std::fs::create_dir_all(path).map_err(|error| not_made(path, &error))?;
                let mut entries = std::fs::read_dir(path).map_err(|error| not_made(path, &error))?;
                if entries.next().is_some() {
                    let message = format!("{} is not empty", path.display());
                    return Err(Failure::usage(message).hint("name a new directory: --keep DIRECTORY"));
                }
                Self { root: resolved(path)?, _vanishing: None }
            }
        };
        for name in ["events", "home"] {
            let path = directory.at(name);
            std::fs::create_dir(&path).map_err(|error| not_made(&path, &error))?;
        }
        Ok(directory)
    }

    /// Something in it.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file, with the directories on the way.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.at(name);
        let parent = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, content))
            .map_err(|error| Failure::incomplete(format!("write {}: {error}", path.display())))?;
        Ok(path)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn remove(&self, name: &str) -> Result<(), Failure> {
        let path = self.at(name);
        std::fs::remove_file(&path)
            .map_err(|error| Failure::incomplete(format!("remove {}: {error}", path.display())))
    }

    /// Reads a text file.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn read(&self, name: &str) -> Result<String, Failure> {
        let path = self.at(name);
        std::fs::read_to_string(&path)
            .map_err(|error| Failure::incomplete(format!("read {}: {error}", path.display())))
    }
}

/// Children run in other directories, so that paths must not depend on where they are read.
fn resolved(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize().map_err(|error| not_made(path, &error))
}

fn not_made(path: &Path, error: &std::io::Error) -> Failure {
    Failure::incomplete(format!("create a directory for the demo at {}: {error}", path.display()))
        .hint("name a directory that can be written: --keep DIRECTORY")
}
