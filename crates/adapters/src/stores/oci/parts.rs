//! Sending a file as several blobs, where a registry takes no blob as large, or takes none anew from where a run was killed.

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};
use tokio::sync::mpsc;

use super::{
    OciStore,
    blobs::Found,
    layout::{Layout, Part},
    upload::Upload,
};
use crate::{
    disk::{local, other_bytes},
    stores::ranges::Told,
};

/// Most parts of a file. The manifest that names them has to be small enough for every registry.
const MOST: u64 = 10_000;
/// Parts that are on their way at a time. A registry hashes and writes what arrives of each on its own.
const AT_A_TIME: usize = 2;
/// Bytes that are read and hashed at a time.
const CHUNK: usize = 1 << 20;

/// A file that becomes several blobs.
pub(super) struct InParts<'a> {
    pub(super) store: &'a OciStore,
    /// Of the whole file.
    pub(super) digest: &'a Digest,
    pub(super) file: &'a Path,
    /// Bytes of the file.
    pub(super) size: u64,
    /// Bytes of a part; the last one may have fewer.
    pub(super) part: u64,
}

impl InParts<'_> {
    /// Sends the parts that the registry does not have, some at a time; the next one is hashed meanwhile.
    pub(super) async fn send(&self) -> Result<Layout, PortError> {
        let failed = |problem, message| {
            PortError::new(problem, format!("write {} to {}", self.digest, self.store.place), message)
        };
        if self.size.div_ceil(self.part) > MOST {
            let message = format!("it would be more than {MOST} parts");
            return Err(failed(Problem::Invalid, message).hint("raise `max-layer-size`"));
        }
        let (known, parts) = mpsc::channel(1);
        let (file, size, part) = (self.file.to_owned(), self.size, self.part);
        let hashing = tokio::task::spawn_blocking(move || hash_parts(&file, size, part, &known));
        let sent: Vec<Part> = placed(parts)
            .map(|(from, part)| async move { self.part(from, &part).await.map(|()| part) })
            .buffered(AT_A_TIME)
            .try_collect()
            .await?;
        let hashed = hashing.await.map_err(|error| failed(Problem::Local, error.to_string()))?;
        let found = hashed.map_err(|error| local("read", self.file, &error))?;
        let changed = || other_bytes(format!("write {}", self.digest), self.digest, &found);
        let layout = Layout::of(sent).filter(|_| found == *self.digest).ok_or_else(changed);
        layout.map_err(|error| error.hint(changed_since(self.file)))
    }

    /// What is there already is read before it is relied on.
    async fn part(&self, from: u64, part: &Part) -> Result<(), PortError> {
        let Self { store, file, .. } = *self;
        let told = Arc::new(Mutex::new(Told::new(&store.moved)));
        let earlier = store.look(&part.digest).await?;
        if earlier != Found::Whole {
            let (digest, size) = (&part.digest, part.size);
            Upload { store, digest, file, from, size, told: told.clone() }.send().await?;
            store.must_be_healed(digest, &earlier).await?;
        }
        told.lock().unwrap_or_else(PoisonError::into_inner).at(part.size);
        Ok(())
    }
}

/// Parts in the order of the file, each with where it begins.
fn placed(parts: mpsc::Receiver<Part>) -> impl Stream<Item = (u64, Part)> {
    stream::unfold((parts, 0), |(mut parts, from)| async move {
        let part: Part = parts.recv().await?;
        let next = from + part.size;
        Some(((from, part), (parts, next)))
    })
}

/// What to do about a file that is another one than its digest says.
pub(super) fn changed_since(file: &Path) -> String {
    format!("{} changed since it was judged; run again", file.display())
}

/// Tells the parts of a file one by one, and answers the digest of the whole. Stops where nobody listens any more.
fn hash_parts(file: &PathBuf, size: u64, part: u64, known: &mpsc::Sender<Part>) -> io::Result<Digest> {
    let (mut file, mut whole, mut left) = (File::open(file)?, Sha256::new(), size);
    let mut chunk = vec![0; CHUNK];
    while left > 0 {
        let size = part.min(left);
        let (mut hasher, mut missing) = (Sha256::new(), size);
        while missing > 0 {
            let wanted = usize::try_from(missing).unwrap_or(CHUNK).min(CHUNK);
            file.read_exact(&mut chunk[..wanted])?;
            hasher.update(&chunk[..wanted]);
            whole.update(&chunk[..wanted]);
            missing -= wanted as u64;
        }
        left -= size;
        let part = Part { digest: Digest::from_bytes(hasher.finalize().into()), size };
        if known.blocking_send(part).is_err() {
            break;
        }
    }
    Ok(Digest::from_bytes(whole.finalize().into()))
}
