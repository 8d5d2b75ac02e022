//! The artifact tree on a local disk: the one place in this crate that touches the file system.
//!
//! It is here, and not behind a port, because refusing links is part of judging an artifact and can only be
//! done at the moment of opening: every component is looked at without following it, and what was opened is
//! compared with what was looked at, so that a swap in between is noticed.

use std::{
    fs::{self, File, Metadata},
    path::{Path, PathBuf},
};

use crate::{
    error::ArtifactError,
    tree::{FileFacts, OpenFile, Tree},
};

/// Files that an artifact may hold.
const MAX_FILES: usize = 100_000;
/// Folders that may lie inside each other.
const MAX_DEPTH: usize = 64;

/// The files below a directory.
#[derive(Debug, Clone)]
pub struct DiskTree {
    root: PathBuf,
}

impl DiskTree {
    /// The tree below `root`, which must be a directory and no link.
    pub fn new(root: &Path) -> Result<Self, ArtifactError> {
        let facts = look(root, &root.to_string_lossy())?;
        if !facts.is_dir() {
            return Err(ArtifactError::NotRegular { path: root.to_string_lossy().into_owned() });
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The directory that holds `file`, to judge a file on its own. The directory was named by the user, not
    /// by the artifact, so a link on the way to it is theirs.
    pub(crate) fn around(file: &Path) -> Self {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self { root: parent.unwrap_or(Path::new(".")).to_owned() }
    }

    /// Metadata of a regular file whose every component below the root is no link.
    fn regular(&self, path: &str) -> Result<(PathBuf, Metadata), ArtifactError> {
        let mut place = self.root.clone();
        let mut facts = None;
        for part in path.split('/') {
            place.push(part);
            facts = Some(look(&place, path)?);
        }
        match facts {
            Some(facts) if facts.is_file() => Ok((place, facts)),
            _ => Err(ArtifactError::NotRegular { path: path.to_owned() }),
        }
    }
}

impl Tree for DiskTree {
    fn files(&self) -> Result<Vec<Result<String, ArtifactError>>, ArtifactError> {
        let shown = self.root.to_string_lossy().into_owned();
        let mut found = Vec::new();
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            if depth > MAX_DEPTH {
                return Err(ArtifactError::TooMany { path: shown, limit: MAX_DEPTH, what: "nested folders" });
            }
            let place = self.root.join(&folder);
            let entries = fs::read_dir(&place).map_err(|e| ArtifactError::io(display(&place), e))?;
            for entry in entries {
                let entry = entry.map_err(|e| ArtifactError::io(display(&place), e))?;
                if found.len() + folders.len() >= MAX_FILES {
                    return Err(ArtifactError::TooMany { path: shown, limit: MAX_FILES, what: "files" });
                }
                match relative(&folder, &entry) {
                    Ok((path, kind)) if kind.is_dir() => folders.push((path, depth + 1)),
                    Ok((path, kind)) if kind.is_file() => found.push((path.clone(), Ok(path))),
                    Ok((path, kind)) if kind.is_symlink() => {
                        found.push((path.clone(), Err(ArtifactError::Link { path })));
                    }
                    Ok((path, _)) => found.push((path.clone(), Err(ArtifactError::NotRegular { path }))),
                    Err(error) => found.push((display(&entry.path()), Err(error))),
                }
            }
        }
        found.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        Ok(found.into_iter().map(|(_, entry)| entry).collect())
    }

    fn open(&self, path: &str) -> Result<OpenFile, ArtifactError> {
        let (place, before) = self.regular(path)?;
        let file = File::open(&place).map_err(|e| ArtifactError::io(path, e))?;
        let after = file.metadata().map_err(|e| ArtifactError::io(path, e))?;
        if !same_file(&before, &after) {
            return Err(ArtifactError::Changed { path: path.to_owned() });
        }
        Ok(OpenFile { reader: Box::new(file), size: after.len() })
    }

    fn facts(&self, path: &str) -> Result<FileFacts, ArtifactError> {
        let (_, facts) = self.regular(path)?;
        Ok(FileFacts { size: facts.len(), hard_links: hard_links(&facts) })
    }
}

/// Whether the user named a file or a directory; links are refused.
pub(crate) fn is_directory(path: &Path) -> Result<bool, ArtifactError> {
    let shown = display(path);
    let facts = look(path, &shown)?;
    if facts.is_dir() || facts.is_file() {
        Ok(facts.is_dir())
    } else {
        Err(ArtifactError::NotRegular { path: shown })
    }
}

/// The last component of a path that names a file.
pub(crate) fn file_name(path: &Path) -> Result<String, ArtifactError> {
    path.file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .ok_or_else(|| ArtifactError::Name { path: display(path) })
}

fn look(place: &Path, shown: &str) -> Result<Metadata, ArtifactError> {
    let facts = fs::symlink_metadata(place).map_err(|e| ArtifactError::io(shown, e))?;
    if facts.is_symlink() { Err(ArtifactError::Link { path: shown.to_owned() }) } else { Ok(facts) }
}

fn relative(folder: &str, entry: &fs::DirEntry) -> Result<(String, fs::FileType), ArtifactError> {
    let name = entry.file_name();
    let Some(name) = name.to_str().filter(|name| !name.chars().any(|c| c.is_control() || c == '\\')) else {
        return Err(ArtifactError::Name { path: display(&entry.path()) });
    };
    let kind = entry.file_type().map_err(|e| ArtifactError::io(display(&entry.path()), e))?;
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    Ok((path, kind))
}

fn display(path: &Path) -> String {
    crate::findings::clip(&path.to_string_lossy())
}

#[cfg(unix)]
fn same_file(before: &Metadata, after: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (before.dev(), before.ino()) == (after.dev(), after.ino())
}

#[cfg(not(unix))]
fn same_file(before: &Metadata, after: &Metadata) -> bool {
    before.len() == after.len() && before.modified().ok() == after.modified().ok()
}

#[cfg(unix)]
fn hard_links(facts: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(facts)
}

/// Where the system does not tell, one is assumed; the deployments that matter run on Unix.
#[cfg(not(unix))]
fn hard_links(_: &Metadata) -> u64 {
    1
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_refused_in_every_component() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), b"x").unwrap();
        fs::write(dir.path().join("model"), b"x").unwrap();
        symlink(outside.path(), dir.path().join("folder")).unwrap();
        symlink(outside.path().join("secret"), dir.path().join("file")).unwrap();
        let tree = DiskTree::new(dir.path()).unwrap();
        assert!(matches!(tree.open("file"), Err(ArtifactError::Link { .. })));
        assert!(matches!(tree.open("folder/secret"), Err(ArtifactError::Link { .. })));
        assert!(matches!(tree.facts("gone"), Err(ArtifactError::Missing { .. })));
        let files = tree.files().unwrap();
        assert_eq!(files.iter().filter(|f| matches!(f, Err(ArtifactError::Link { .. }))).count(), 2);
        assert!(files.iter().any(|f| matches!(f, Ok(path) if path == "model")));
    }

    #[test]
    fn hard_links_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), b"x").unwrap();
        fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
        assert_eq!(DiskTree::new(dir.path()).unwrap().facts("a").unwrap().hard_links, 2);
    }
}
