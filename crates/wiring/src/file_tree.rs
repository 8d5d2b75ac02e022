//! The files of a model on disk, as signatures see them: regular files alone, and no link anywhere.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use tagship_release::signing::{FileTree, SignatureError};

/// Deepest directory that is looked into.
const DEEPEST: usize = 64;

/// A directory, or one file.
#[derive(Debug)]
pub(crate) struct DiskTree {
    root: PathBuf,
    single_file: bool,
}

impl DiskTree {
    /// # Errors
    /// When there is neither a directory nor a file.
    pub(crate) fn at(root: &Path) -> Result<Self, SignatureError> {
        let metadata = fs::metadata(root).map_err(|error| unreadable(root, &error))?;
        if !metadata.is_dir() && !metadata.is_file() {
            return Err(SignatureError::Files { why: format!("{} is no file or directory", root.display()) });
        }
        Ok(Self { root: root.to_owned(), single_file: metadata.is_file() })
    }

    fn collect(&self, below: &str, depth: usize, paths: &mut Vec<String>) -> Result<(), SignatureError> {
        let directory = self.root.join(below);
        if depth > DEEPEST {
            return Err(SignatureError::Files { why: format!("{} lies too deep", directory.display()) });
        }
        for entry in fs::read_dir(&directory).map_err(|error| unreadable(&directory, &error))? {
            let entry = entry.map_err(|error| unreadable(&directory, &error))?;
            let refuse =
                |why: &str| SignatureError::Files { why: format!("{} {why}", entry.path().display()) };
            let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), &error))?;
            let name =
                entry.file_name().into_string().map_err(|_name| refuse("has a name that is no UTF-8"))?;
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            if kind.is_dir() {
                self.collect(&path, depth + 1, paths)?;
            } else if kind.is_file() {
                paths.push(path);
            } else if kind.is_symlink() {
                return Err(refuse("is a link; put the file itself there"));
            } else {
                return Err(refuse("is neither file nor directory"));
            }
        }
        Ok(())
    }
}

impl FileTree for DiskTree {
    fn paths(&self) -> Result<Vec<String>, SignatureError> {
        if self.single_file {
            return Ok(vec![".".to_owned()]);
        }
        let mut paths = vec![];
        self.collect("", 0, &mut paths)?;
        Ok(paths)
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, SignatureError> {
        let path = if self.single_file { self.root.clone() } else { self.root.join(path) };
        let file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
        Ok(Box::new(file))
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> SignatureError {
    SignatureError::Unreadable { path: path.display().to_string(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_at_every_depth() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir_all(directory.path().join("a/b")).unwrap();
        for path in ["a/b/.hidden", "a/x", "empty"] {
            fs::write(directory.path().join(path), "").unwrap();
        }
        let mut paths = DiskTree::at(directory.path()).unwrap().paths().unwrap();
        paths.sort();
        assert_eq!(paths, ["a/b/.hidden", "a/x", "empty"]);
        let one = DiskTree::at(&directory.path().join("empty")).unwrap();
        assert_eq!(one.paths().unwrap(), ["."]);
        assert!(one.open(".").is_ok());
        assert!(DiskTree::at(&directory.path().join("none")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_refused_wherever_they_lead() {
        let directory = tempfile::tempdir().unwrap();
        let ignored = directory.path().join(".git");
        fs::create_dir_all(&ignored).unwrap();
        std::os::unix::fs::symlink("nowhere", ignored.join("link")).unwrap();
        let error = DiskTree::at(directory.path()).unwrap().paths().unwrap_err();
        assert!(error.to_string().contains("is a link"), "{error}");
    }
}
