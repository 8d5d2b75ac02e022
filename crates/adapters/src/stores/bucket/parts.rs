//! The record of an upload in parts, kept beside the objects, so that a run on another machine goes on with it.

use object_store::{ObjectStoreExt as _, PutPayload};
use serde::{Deserialize, Serialize};
use tagship_domain::Digest;
use tagship_ports::PortError;

use super::{BucketStore, failure::port};

/// An upload that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// What the service calls it.
    pub(super) upload: String,
    /// Bytes of the whole file.
    pub(super) size: u64,
    /// Bytes of each part but the last.
    pub(super) part: u64,
    /// The parts that the service has.
    pub(super) parts: Vec<Option<Sent>>,
}

/// A part that the service has. A part whose bytes are other ones now is sent again, so that no two files are mixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    /// What the service calls it.
    pub(super) id: String,
    /// The digest of its bytes.
    pub(super) sha256: Digest,
}

impl BucketStore {
    fn record_path(&self, digest: &Digest) -> object_store::path::Path {
        self.prefix.clone().join("uploads").join("sha256").join(digest.hex())
    }

    /// The upload that an earlier run began and did not end. One that cannot be read, or that is about other parts, is none.
    pub(super) async fn recorded(&self, digest: &Digest, size: u64, part: u64) -> Option<Record> {
        let record = self.noted(digest).await?;
        let count = usize::try_from(size.div_ceil(part)).ok()?;
        let fits = record.size == size && record.part == part && record.parts.len() == count;
        fits.then_some(record)
    }

    /// The upload that is noted, whatever its parts are.
    async fn noted(&self, digest: &Digest) -> Option<Record> {
        let read = self.service.get(&self.record_path(digest)).await.ok()?;
        serde_json::from_slice(&read.bytes().await.ok()?).ok()
    }

    /// So many bytes of an upload are with the service, where its note can be read.
    pub(super) async fn sent(&self, digest: &Digest) -> u64 {
        let Some(record) = self.noted(digest).await else { return 0 };
        let sent = record.parts.iter().flatten().count() as u64;
        record.part.saturating_mul(sent).min(record.size)
    }

    /// Has the service drop the parts of an upload, which cost as much as objects, and takes the note away: only there it says
    /// what the service calls the upload.
    pub(super) async fn end(&self, digest: &Digest) -> Result<(), PortError> {
        let about = || format!("end the upload of {digest} to {}", self.place);
        let failed = |error: object_store::Error| port(about(), &error);
        let note = match self.service.get(&self.record_path(digest)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(()),
            read => read.map_err(failed)?.bytes().await.map_err(failed)?,
        };
        let record: Record = serde_json::from_slice(&note).map_err(|error| {
            let message =
                format!("{} says what this version does not read: {error}", self.record_path(digest));
            PortError::new(tagship_ports::Problem::Invalid, about(), message)
                .hint("use the version that wrote it, or end the upload with the provider's own tools")
        })?;
        absent_or(self.service.abort_multipart(&self.blob(digest), &record.upload).await).map_err(failed)?;
        absent_or(self.service.delete(&self.record_path(digest)).await).map_err(failed)
    }

    pub(super) async fn record(&self, digest: &Digest, record: &Record) -> Result<(), PortError> {
        let failed = |why: &object_store::Error| {
            port(format!("note how far the upload of {digest} to {} is", self.place), why)
        };
        let json = serde_json::to_vec(record).map_err(|error| {
            PortError::new(tagship_ports::Problem::Local, "note an upload", error.to_string())
        })?;
        self.service
            .put(&self.record_path(digest), PutPayload::from(json))
            .await
            .map_err(|error| failed(&error))?;
        Ok(())
    }

    /// Takes the note away. One that stays is about an upload that is no more, and is passed over.
    pub(super) async fn forget(&self, digest: &Digest) {
        let _ = self.service.delete(&self.record_path(digest)).await;
    }
}

/// What is not there needs no removal.
pub(super) fn absent_or(removed: object_store::Result<()>) -> object_store::Result<()> {
    match removed {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        other => other,
    }
}
