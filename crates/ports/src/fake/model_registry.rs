//! A model registry in memory.

use std::{collections::BTreeMap, fs, path::Path, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::{Digest, FileEntry};

use super::{Faults, lock::held};
use crate::{
    ModelRegistry, PortError, Problem,
    model_registry::{Fetched, RegisteredVersion},
    target::Done,
};

/// One model in memory.
#[derive(Debug, Default)]
pub struct FakeModelRegistry {
    /// What goes wrong, by the name of the call.
    pub faults: Faults,
    versions: Mutex<BTreeMap<u64, (Vec<u8>, Digest)>>,
    aliases: Mutex<BTreeMap<String, u64>>,
}

impl FakeModelRegistry {
    /// Registers the next version, whose only file has these bytes and this digest; answers its number.
    pub fn register(&self, bytes: &[u8], digest: Digest) -> u64 {
        let mut versions = held(&self.versions);
        let number = versions.keys().next_back().copied().unwrap_or_default() + 1;
        versions.insert(number, (bytes.to_vec(), digest));
        number
    }

    fn bytes(&self, number: u64) -> Result<(Vec<u8>, Digest), PortError> {
        held(&self.versions).get(&number).cloned().ok_or_else(|| {
            PortError::new(Problem::NotFound, format!("read version {number}"), "there is no such version")
        })
    }
}

#[async_trait]
impl ModelRegistry for FakeModelRegistry {
    fn location(&self) -> String {
        "fake:churn".to_owned()
    }

    async fn versions(&self, after: u64) -> Result<Vec<RegisteredVersion>, PortError> {
        let list = || {
            let versions = held(&self.versions);
            let later = versions.keys().rev().filter(|number| **number > after);
            Ok(later.map(|number| RegisteredVersion { number: *number, tags: BTreeMap::new() }).collect())
        };
        self.faults.around("versions", list).await
    }

    async fn aliased(&self, alias: &str) -> Result<Option<u64>, PortError> {
        self.faults.around("aliased", || Ok(held(&self.aliases).get(alias).copied())).await
    }

    async fn point(&self, alias: &str, number: u64) -> Result<Done, PortError> {
        let point = || {
            self.bytes(number)?;
            let before = held(&self.aliases).insert(alias.to_owned(), number);
            Ok(if before == Some(number) { Done::AlreadyThere } else { Done::Applied })
        };
        self.faults.around("point", point).await
    }

    async fn fetch(&self, number: u64, directory: &Path, limit: u64) -> Result<Fetched, PortError> {
        let fetch = || {
            let (bytes, sha256) = self.bytes(number)?;
            if bytes.len() as u64 > limit {
                let message = format!("it is larger than {limit} bytes");
                return Err(PortError::new(Problem::Invalid, format!("fetch version {number}"), message));
            }
            let path = directory.join("model.onnx");
            fs::write(&path, &bytes).map_err(|error| {
                PortError::new(Problem::Local, format!("write {}", path.display()), error.to_string())
            })?;
            let entry = FileEntry { path: "model.onnx".to_owned(), size: bytes.len() as u64, sha256 };
            Ok(Fetched { path, files: vec![entry], single_file: true, signature: None, run: None })
        };
        self.faults.around("fetch", fetch).await
    }
}
