//! The files of a model, wherever they lie.

use std::io::Read;

use tagship_domain::FileEntry;

use super::error::SignatureError;

/// Name of the one file of a model that is a file.
pub(super) const ONE_FILE: &str = ".";

/// The files of a model: all that lie below a directory, or one.
pub trait FileTree {
    /// Every regular file by its path below the directory, with `/` on every system; `.` for a model that is one file. In
    /// any order.
    ///
    /// # Errors
    /// When there is a link or anything else that is neither file nor directory, wherever it lies, or a name is no
    /// UTF-8.
    fn paths(&self) -> Result<Vec<String>, SignatureError>;

    /// Opens one of them.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, SignatureError>;
}

/// The resources of a release: the name and the digest of every file, as a signature states them.
pub(super) fn release_resources(
    files: &[FileEntry],
    single_file: bool,
) -> impl Iterator<Item = (String, String)> + '_ {
    files.iter().map(move |file| {
        let name = if single_file { ONE_FILE.to_owned() } else { file.path.clone() };
        (name, file.sha256.hex().to_owned())
    })
}
