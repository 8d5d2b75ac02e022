//! An artifact in memory.

use std::io::Cursor;

use tagship_artifact::{
    ArtifactError,
    tree::{FileFacts, OpenFile, Tree},
};

/// A file that is judged, and files that it may lead to.
#[derive(Debug)]
pub struct Memory {
    /// Name of the file that is judged.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Files that can be opened by name and are not judged themselves.
    pub beside: Vec<(&'static str, Vec<u8>)>,
}

impl Memory {
    /// A file with nothing beside it.
    pub fn file(name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name, bytes: bytes.into(), beside: Vec::new() }
    }

    fn find(&self, path: &str) -> Result<&Vec<u8>, ArtifactError> {
        if path == self.name {
            return Ok(&self.bytes);
        }
        let found = self.beside.iter().find(|(name, _)| *name == path).map(|(_, bytes)| bytes);
        found.ok_or_else(|| ArtifactError::Missing { path: path.to_owned() })
    }
}

impl Tree for Memory {
    fn files(&self) -> Result<Vec<Result<String, ArtifactError>>, ArtifactError> {
        Ok(vec![Ok(self.name.to_owned())])
    }

    fn open(&self, path: &str) -> Result<OpenFile, ArtifactError> {
        let bytes = self.find(path)?.clone();
        Ok(OpenFile { size: bytes.len() as u64, reader: Box::new(Cursor::new(bytes)) })
    }

    fn facts(&self, path: &str) -> Result<FileFacts, ArtifactError> {
        Ok(FileFacts { size: self.find(path)?.len() as u64, hard_links: 1 })
    }
}
