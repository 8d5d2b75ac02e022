//! A directory or file of this machine that is no part of the repository: `dir:/srv/models/churn`.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use tagship_ports::{ArtifactPlace, PortError, Problem, model_registry::Fetched};

use crate::{
    disk::{blocking, local},
    taking::{MOST_FILES, Taking},
};

const BUFFER: usize = 256 * 1024;

/// A path of this machine.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    place: String,
}

impl Directory {
    /// A path; one that is not absolute is relative to the repository.
    pub(super) fn new(root: &Path, text: &str) -> Self {
        Self { path: root.join(text), place: format!("dir:{text}") }
    }
}

#[async_trait]
impl ArtifactPlace for Directory {
    fn location(&self) -> String {
        self.place.clone()
    }

    async fn fetch(&self, directory: &Path, limit: u64) -> Result<Fetched, PortError> {
        let (from, to, operation) =
            (self.path.clone(), directory.to_owned(), format!("fetch {}", self.place));
        blocking(move || copy(&from, Taking::new(operation, &to, limit))).await
    }
}

fn copy(from: &Path, mut taking: Taking) -> Result<Fetched, PortError> {
    let metadata = fs::metadata(from).map_err(|error| local("read", from, &error))?;
    if metadata.is_file() {
        let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        copy_file(from, &name, &mut taking)?;
        return taking.finish(false, None);
    }
    for (name, path) in files(from)? {
        copy_file(&path, &name, &mut taking)?;
    }
    taking.finish(true, None)
}

fn copy_file(path: &Path, name: &str, taking: &mut Taking) -> Result<(), PortError> {
    let failed = |error: std::io::Error| local("read", path, &error);
    let mut file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    taking.expect(size)?;
    let mut incoming = taking.begin(name)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            // Somebody may be writing it; what was seen in between is nobody's artifact.
            return incoming.end(Some(size)).map(|_| ());
        }
        incoming.write(&buffer[..read])?;
    }
}

/// Every file below a directory, by its path in it. Links and special files are refused: what they stand for is not there.
fn files(top: &Path) -> Result<Vec<(String, PathBuf)>, PortError> {
    let (mut found, mut left) = (vec![], vec![(String::new(), top.to_owned())]);
    while let Some((prefix, directory)) = left.pop() {
        let failed = |error: std::io::Error| local("read", &directory, &error);
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (name, kind) = (entry.file_name(), entry.file_type().map_err(failed)?);
            let invalid = |message: String| {
                PortError::new(Problem::Invalid, format!("read {}", entry.path().display()), message)
            };
            let name = name.to_str().ok_or_else(|| invalid("its name is no UTF-8".to_owned()))?;
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                left.push((format!("{path}/"), entry.path()));
            } else if kind.is_file() {
                found.push((path, entry.path()));
            } else {
                return Err(invalid("it is a link or a special file, which no artifact may hold".to_owned()));
            }
            if found.len() > MOST_FILES {
                return Err(invalid(format!("{} has more than {MOST_FILES} files", top.display())));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_and_a_file_are_copied_with_their_digests() {
        let scratch = tempfile::tempdir().unwrap();
        let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
        fs::create_dir_all(from.join("deep")).unwrap();
        fs::create_dir(&to).unwrap();
        fs::write(from.join("deep/a"), b"abc").unwrap();
        let place = Directory::new(scratch.path(), "from");
        let fetched = place.fetch(&to, 10).await.unwrap();
        assert_eq!((fetched.files[0].path.as_str(), fetched.single_file), ("deep/a", false));
        assert_eq!(fs::read(to.join("deep/a")).unwrap(), b"abc");
        fs::create_dir(scratch.path().join("small")).unwrap();
        let large = place.fetch(&scratch.path().join("small"), 2).await.unwrap_err();
        assert!(large.problem == Problem::Invalid && large.to_string().contains("max-size"), "{large}");
        let one = Directory::new(scratch.path(), "from/deep/a");
        fs::create_dir(scratch.path().join("one")).unwrap();
        let fetched = one.fetch(&scratch.path().join("one"), 10).await.unwrap();
        assert!(fetched.single_file && fetched.path.ends_with("one/a"));
        let missing = Directory::new(scratch.path(), "nowhere").fetch(&to, 10).await.unwrap_err();
        assert_eq!(missing.problem, Problem::NotFound);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let (from, to) = (scratch.path().join("from"), scratch.path().join("to"));
        fs::create_dir(&from).unwrap();
        fs::create_dir(&to).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", from.join("model")).unwrap();
        let refused = Directory::new(scratch.path(), "from").fetch(&to, 10_000).await.unwrap_err();
        assert_eq!(refused.problem, Problem::Invalid, "{refused}");
    }
}
