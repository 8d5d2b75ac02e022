//! Stores of cloud providers: an object per file, `blobs/sha256/<64 digits>` below a prefix.
//!
//! An object appears whole or not at all: small ones by one request that never replaces another, large ones in parts.

mod azure;
mod endpoint;
mod failure;
mod gcs;
mod inventory;
mod parts;
mod s3;
mod take;
#[cfg(test)]
mod tests;
mod upload;

use std::{ops::Range, path::Path, sync::Arc};

use async_trait::async_trait;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, PutMode, multipart::MultipartStore};
use tagship_domain::Digest;
use tagship_ports::{ArtifactStore, PortError, Problem};

use self::failure::port;
use super::{
    Moved,
    ranges::{self, Told},
};
use crate::disk::{digest_of, other_bytes};

pub(super) use azure::open as azure;
pub(super) use gcs::open as gcs;
pub(super) use s3::open as s3;
pub(crate) use take::Object;
#[cfg(test)]
pub(crate) use take::holding;

/// What a provider's client can do.
trait Service: ObjectStore + MultipartStore {}
impl<T: ObjectStore + MultipartStore> Service for T {}

/// How it is known that what was written is what should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// The service compares the SHA-256 of every request before it keeps anything.
    ByService,
    /// By reading it again.
    ByReading,
}

/// How files are cut.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Bytes of a part of an upload; larger only for files that would have too many. A smaller file is one request.
    part: u64,
    /// Bytes of a range of a download.
    range: u64,
}

/// So many are in memory at a time: four parts, or four ranges.
const SIZES: Sizes = Sizes { part: 16 << 20, range: 8 << 20 };

/// Objects by digest in a bucket or container.
#[derive(Clone)]
pub struct BucketStore {
    service: Arc<dyn Service>,
    place: String,
    prefix: object_store::path::Path,
    proof: Proof,
    sizes: Sizes,
    moved: Moved,
}

impl std::fmt::Debug for BucketStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketStore").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What stands under a digest.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Whole,
    Damaged(String),
}

impl BucketStore {
    fn new(
        service: Arc<dyn Service>,
        scheme: &str,
        bucket: &str,
        prefix: Option<&str>,
        moved: Moved,
    ) -> Self {
        let prefix = object_store::path::Path::from(prefix.unwrap_or_default());
        let place = format!("{scheme}://{bucket}/{prefix}").trim_end_matches('/').to_owned();
        Self { service, place, prefix, proof: Proof::ByReading, sizes: SIZES, moved }
    }

    fn blob(&self, digest: &Digest) -> object_store::path::Path {
        self.prefix.clone().join("blobs").join("sha256").join(digest.hex())
    }

    /// The size of an object in bytes; absent where there is none.
    async fn size(&self, digest: &Digest) -> Result<Option<u64>, PortError> {
        match self.service.head(&self.blob(digest)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(port(format!("look for {digest} in {}", self.place), &error)),
        }
    }

    async fn size_or_missing(&self, digest: &Digest) -> Result<u64, PortError> {
        self.size(digest).await?.ok_or_else(|| {
            let message = format!("{} does not have it", self.place);
            PortError::new(Problem::NotFound, format!("read {digest} from the store"), message)
                .hint("check that the store is the one the release was made with")
        })
    }

    /// Compares what is there with what should be, by reading all of it: whoever may write to the bucket may have damaged
    /// what a service once compared.
    async fn examine(&self, digest: &Digest, size: u64) -> Result<Found, PortError> {
        let measured = self.measure(digest, size).await?;
        if measured != Found::Whole {
            return Ok(measured);
        }
        let about = format!("read {digest} from {}", self.place);
        let found =
            ranges::hash(&about, size, self.sizes.range, |range| self.clone().range(digest.clone(), range));
        let found = found.await?;
        Ok(if found == *digest { Found::Whole } else { Found::Damaged(format!("its bytes are {found}")) })
    }

    /// Compares sizes alone.
    async fn measure(&self, digest: &Digest, size: u64) -> Result<Found, PortError> {
        Ok(match self.size(digest).await? {
            None => Found::Nothing,
            Some(found) if found == size => Found::Whole,
            Some(found) => Found::Damaged(format!("it has {found} bytes")),
        })
    }

    async fn range(self, digest: Digest, range: Range<u64>) -> Result<impl AsRef<[u8]> + use<>, PortError> {
        let read = self.service.get_range(&self.blob(&digest), range).await;
        read.map_err(|error| port(format!("read {digest} from {}", self.place), &error))
    }

    /// Writes bytes that have the digest, in one request.
    async fn write(&self, digest: &Digest, bytes: Vec<u8>, mode: PutMode) -> Result<(), PortError> {
        let size = bytes.len() as u64;
        match self.service.put_opts(&self.blob(digest), bytes.into(), mode.into()).await {
            // Another run was faster; what it wrote is looked at like our own.
            Ok(_)
            | Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {}
            Err(error) => return Err(port(format!("write {digest} to {}", self.place), &error)),
        }
        self.must_be_whole(digest, size).await
    }

    async fn must_be_whole(&self, digest: &Digest, size: u64) -> Result<(), PortError> {
        let failed = |message: String| {
            PortError::new(Problem::Invalid, format!("write {digest} to {}", self.place), message)
                .hint("it was written and reads back otherwise; run again, and look at the service if that does not help")
        };
        let found = match self.proof {
            Proof::ByReading => self.examine(digest, size).await?,
            Proof::ByService => self.measure(digest, size).await?,
        };
        match found {
            Found::Whole => Ok(()),
            Found::Nothing => Err(failed("it is not there".to_owned())),
            Found::Damaged(why) => Err(failed(why)),
        }
    }
}

#[async_trait]
impl ArtifactStore for BucketStore {
    fn location(&self) -> String {
        self.place.clone()
    }

    fn address(&self, digest: &Digest) -> Option<String> {
        // Those of other services depend on settings that clients elsewhere do not have.
        let is_known = ["s3://", "gs://"].iter().any(|scheme| self.place.starts_with(scheme));
        is_known.then(|| format!("{}/blobs/sha256/{}", self.place, digest.hex()))
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError> {
        upload::put(self, digest, file).await
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let mode = match self.examine(digest, bytes.len() as u64).await? {
            Found::Whole => return self.renew(digest).await,
            Found::Nothing => PutMode::Create,
            Found::Damaged(_) => PutMode::Overwrite,
        };
        let found = digest_of(bytes);
        if found != *digest {
            return Err(other_bytes(format!("write {digest}"), digest, &found));
        }
        self.write(digest, bytes.to_vec(), mode).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        Ok(self.size(digest).await?.is_some())
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        let size = self.size_or_missing(digest).await?;
        let wanted = ranges::Wanted { digest, size, to, range: self.sizes.range, place: &self.place };
        ranges::fetch(&wanted, &mut Told::new(&self.moved), |range| self.clone().range(digest.clone(), range))
            .await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        let operation = || format!("read {digest} from {}", self.place);
        let size = self.size_or_missing(digest).await?;
        if size > limit {
            let message = format!("it is larger than {limit} bytes");
            return Err(PortError::new(Problem::Invalid, operation(), message));
        }
        let read = self.service.get_opts(&self.blob(digest), GetOptions::default()).await;
        let bytes = match read {
            Ok(read) => read.bytes().await,
            Err(error) => Err(error),
        };
        let bytes = bytes.map_err(|error| port(operation(), &error))?;
        let found = digest_of(&bytes);
        if found == *digest { Ok(bytes.into()) } else { Err(ranges::damaged(digest, &found, &self.place)) }
    }
}
