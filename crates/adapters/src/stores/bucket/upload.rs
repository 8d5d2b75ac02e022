//! Writing a file: at once where it is small, else in parts, several at a time, which a later run goes on with.

use std::{fs::File, io::Read as _, path::Path};

use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{ArtifactStore as _, PortError, Problem};
use tokio::task::JoinSet;

use super::{
    BucketStore, Found,
    failure::port,
    parts::{Record, Sent},
};
use crate::disk::{blocking, digest_of, local, other_bytes};

/// How many parts are sent at a time.
const AT_A_TIME: usize = 4;
/// Most parts that every service takes.
const MOST_PARTS: u64 = 9_000;
/// After so many parts their record is written again.
const RECORD_AFTER: usize = 8;

/// Stores a file, and sees that it is there.
pub(super) async fn put(store: &BucketStore, digest: &Digest, file: &Path) -> Result<(), PortError> {
    let source = Source::open(file).await?;
    if source.size <= store.sizes.part {
        let (_, bytes) = source.next(u64::MAX).await?;
        store.put_bytes(digest, &bytes).await.map_err(|error| changed(error, file))?;
        (store.moved)(bytes.len() as u64);
        return Ok(());
    }
    let size = source.size;
    if store.examine(digest, size).await? == Found::Whole {
        (store.moved)(size);
        return store.renew(digest).await;
    }
    let part = store.sizes.part.max(size.div_ceil(MOST_PARTS));
    let earlier = store.recorded(digest, size, part).await;
    let mut outcome = send(store, digest, source, part, earlier).await;
    for goes_on in [true, false] {
        let Err(error) = &outcome else { break };
        if matches!(error.problem, Problem::Local | Problem::Invalid) {
            break;
        }
        // Another run has ended it, or the service has dropped what was begun: some do when another one ends.
        if store.examine(digest, size).await? == Found::Whole {
            return Ok(());
        }
        let earlier = if goes_on { store.recorded(digest, size, part).await } else { None };
        outcome = send(store, digest, Source::open(file).await?, part, earlier).await;
    }
    outcome.map_err(|error| changed(error, file))?;
    store.must_be_whole(digest, size).await
}

fn changed(error: PortError, file: &Path) -> PortError {
    match error.problem {
        Problem::Invalid if error.hint.is_none() => {
            error.hint(format!("{} changed since it was judged; run again", file.display()))
        }
        _ => error,
    }
}

/// Sends the parts that the service does not have, then has it put them together. Before that nothing is visible.
async fn send(
    store: &BucketStore,
    digest: &Digest,
    mut source: Source,
    part: u64,
    earlier: Option<Record>,
) -> Result<(), PortError> {
    let mut sending = Sending::begin(store, digest, source.size, part, earlier).await?;
    for index in 0..sending.record.parts.len() {
        let (rest, bytes) = source.next(part).await?;
        source = rest;
        (store.moved)(bytes.len() as u64);
        let (sha256, bytes) = blocking(move || Ok((digest_of(&bytes), bytes))).await?;
        if sending.record.parts[index].as_ref().is_none_or(|sent| sent.sha256 != sha256) {
            sending.part(index, bytes, sha256).await?;
        }
    }
    sending.wait().await?;
    let found = source.digest();
    if found != *digest {
        sending.give_up().await;
        return Err(other_bytes(format!("write {digest}"), digest, &found));
    }
    sending.complete().await
}

/// An upload that goes on.
struct Sending<'a> {
    store: &'a BucketStore,
    digest: &'a Digest,
    record: Record,
    unrecorded: usize,
    tasks: JoinSet<(usize, object_store::Result<Sent>)>,
}

impl<'a> Sending<'a> {
    async fn begin(
        store: &'a BucketStore,
        digest: &'a Digest,
        size: u64,
        part: u64,
        earlier: Option<Record>,
    ) -> Result<Self, PortError> {
        let record = match earlier {
            Some(record) => record,
            None => {
                let begun = store.service.create_multipart(&store.blob(digest)).await;
                let upload =
                    begun.map_err(|error| port(format!("write {digest} to {}", store.place), &error))?;
                let count = usize::try_from(size.div_ceil(part)).unwrap_or(usize::MAX);
                let record = Record { upload, size, part, parts: vec![None; count] };
                store.record(digest, &record).await?;
                record
            }
        };
        Ok(Self { store, digest, record, unrecorded: 0, tasks: JoinSet::new() })
    }

    /// Sends a part once there is room for it.
    async fn part(&mut self, index: usize, bytes: Vec<u8>, sha256: Digest) -> Result<(), PortError> {
        while self.tasks.len() >= AT_A_TIME {
            self.take().await?;
        }
        let (service, path) = (self.store.service.clone(), self.store.blob(self.digest));
        let upload = self.record.upload.clone();
        self.tasks.spawn(async move {
            let sent = service.put_part(&path, &upload, index, bytes.into()).await;
            (index, sent.map(|part| Sent { id: part.content_id, sha256 }))
        });
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), PortError> {
        while !self.tasks.is_empty() {
            self.take().await?;
        }
        Ok(())
    }

    /// Waits for one part. What was sent until one failed is noted, for whoever goes on.
    async fn take(&mut self) -> Result<(), PortError> {
        let Some(ended) = self.tasks.join_next().await else { return Ok(()) };
        let (index, sent) =
            ended.map_err(|error| PortError::new(Problem::Local, "send a part", error.to_string()))?;
        match sent {
            Ok(sent) => {
                self.record.parts[index] = Some(sent);
                self.unrecorded += 1;
            }
            Err(error) => {
                if self.unrecorded > 0 {
                    let _ = self.store.record(self.digest, &self.record).await;
                }
                return Err(self.failed(&error));
            }
        }
        if self.unrecorded >= RECORD_AFTER {
            self.store.record(self.digest, &self.record).await?;
            self.unrecorded = 0;
        }
        Ok(())
    }

    async fn complete(self) -> Result<(), PortError> {
        let part = |sent: Sent| object_store::multipart::PartId { content_id: sent.id };
        let parts: Vec<_> = self.record.parts.iter().flatten().cloned().map(part).collect();
        let path = self.store.blob(self.digest);
        let done = self.store.service.complete_multipart(&path, &self.record.upload, parts).await;
        done.map_err(|error| self.failed(&error))?;
        self.store.forget(self.digest).await;
        Ok(())
    }

    /// Leaves nothing of an upload whose bytes are wrong.
    async fn give_up(self) {
        let _ = self.store.service.abort_multipart(&self.store.blob(self.digest), &self.record.upload).await;
        self.store.forget(self.digest).await;
    }

    fn failed(&self, error: &object_store::Error) -> PortError {
        port(format!("write {} to {}", self.digest, self.store.place), error)
    }
}

/// A file that is read part by part, and hashed.
struct Source {
    file: File,
    path: std::path::PathBuf,
    size: u64,
    hasher: Sha256,
}

impl Source {
    async fn open(path: &Path) -> Result<Self, PortError> {
        let path = path.to_owned();
        blocking(move || {
            let open = || {
                let file = File::open(&path)?;
                let size = file.metadata()?.len();
                Ok((file, size))
            };
            let (file, size) = open().map_err(|error| local("read", &path, &error))?;
            Ok(Self { file, path, size, hasher: Sha256::new() })
        })
        .await
    }

    /// The next bytes, so many or all that are left.
    async fn next(mut self, part: u64) -> Result<(Self, Vec<u8>), PortError> {
        blocking(move || {
            let mut bytes = Vec::with_capacity(usize::try_from(part.min(self.size)).unwrap_or_default());
            let read = self.file.by_ref().take(part).read_to_end(&mut bytes);
            read.map_err(|error| local("read", &self.path, &error))?;
            self.hasher.update(&bytes);
            Ok((self, bytes))
        })
        .await
    }

    fn digest(&self) -> Digest {
        Digest::from_bytes(self.hasher.clone().finalize().into())
    }
}
