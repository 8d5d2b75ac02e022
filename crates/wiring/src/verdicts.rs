//! Where verdicts on model files are remembered: a folder of this machine's user, or of the job.

use std::path::{Path, PathBuf};

use tagship_adapters::CacheFolder;
use tagship_artifact::Memory;
use tagship_domain::Digest;
use tagship_runner::Context;

/// The name of the folder.
const FOLDER: &str = "verdicts";

/// Verdicts of earlier runs.
#[derive(Debug)]
pub(crate) struct Verdicts(CacheFolder);

impl Verdicts {
    /// Those that this run may believe, where there is a place for some.
    ///
    /// In a workflow that is the job's own folder, which the host empties before the next job: what another job has written, of
    /// a proposed change maybe, must not decide about this one. On a person's machine it is their cache, by the XDG Base
    /// Directory Specification 0.8. On a machine of another CI service there is none, for nothing is known of its folders.
    pub(crate) fn of(context: &Context) -> Option<Self> {
        let root = match &context.job_directory {
            Some(job) => job.join(FOLDER),
            None if context.hosted || Context::inherited("CI").is_some() => return None,
            None => user_cache()?.join("tagship").join(FOLDER),
        };
        CacheFolder::open(&root).map(Self)
    }
}

impl Memory for Verdicts {
    fn recall(&self, key: &Digest) -> Option<Vec<u8>> {
        self.0.recall(key)
    }

    fn keep(&self, key: &Digest, bytes: &[u8]) {
        self.0.keep(key, bytes);
    }
}

/// A relative path in the variable counts as none.
fn user_cache() -> Option<PathBuf> {
    let absolute = |name: &str| Context::inherited(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| Path::join(&home, ".cache")))
}
