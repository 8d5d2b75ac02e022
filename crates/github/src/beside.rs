//! Files of this machine that appear only when they are whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tagship_ports::{PortError, Problem};
use tempfile::NamedTempFile;
use tokio::fs::File;

use crate::download::unwritten;

pub(crate) fn directory_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// A temporary file in the directory of another one, which goes away unless it takes its name; and the same, open.
pub(crate) async fn beside(to: &Path) -> Result<(NamedTempFile, File), PortError> {
    let to = to.to_owned();
    blocking(move || {
        let directory = directory_of(&to);
        fs::create_dir_all(&directory).map_err(|error| unwritten(&directory, &error))?;
        let mut builder = tempfile::Builder::new();
        // As readable for others as any new file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(&directory).map_err(|error| unwritten(&to, &error))?;
        let open = temporary.as_file().try_clone().map_err(|error| unwritten(&to, &error))?;
        Ok((temporary, File::from_std(open)))
    })
    .await
}

/// Runs file work off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(PortError::new(Problem::Local, "file work", error.to_string())),
    }
}
