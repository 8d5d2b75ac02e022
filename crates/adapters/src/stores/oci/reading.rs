//! Reading files in ranges, or blob by blob where a registry knows no ranges; every one is compared with its digest.

use std::{ops::Range, path::Path};

use reqwest::{Method, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use super::{
    OciStore, RANGE,
    blobs::Found,
    layout::{Layout, Part},
    registry::{Ask, TRIES, lost, pause, read, refused},
};
use crate::{
    disk::{blocking, digest_of},
    partial::Partial,
    stores::ranges::{self, Told, Wanted},
};

/// So many bytes of an answer are written at a time.
const WRITE: usize = 1 << 20;

impl OciStore {
    /// Reads a file that lies so and compares its digest with its name.
    pub(super) async fn examine(&self, digest: &Digest, layout: &Layout) -> Result<Found, PortError> {
        if !layout.is_whole() && !self.has_parts(layout).await? {
            return Ok(Found::Nothing);
        }
        let found = match self.hash_ranges(digest, layout).await {
            Err(error) if error.problem == Problem::Unsupported => self.hash_whole(layout).await?,
            hashed => hashed?,
        };
        Ok(if found == *digest { Found::Whole } else { Found::Damaged(found) })
    }

    async fn hash_ranges(&self, digest: &Digest, layout: &Layout) -> Result<Digest, PortError> {
        let about = format!("read {digest} from {}", self.place);
        ranges::hash(&about, layout.size(), RANGE, |range| self.clone().range(layout.within(&range))).await
    }

    /// Hashes a file in one request for each of its blobs, and again where the line breaks off.
    async fn hash_whole(&self, layout: &Layout) -> Result<Digest, PortError> {
        let mut tries = 1;
        loop {
            match self.hash_whole_once(layout).await {
                Err(error) if error.problem == Problem::Unreachable && tries < TRIES => pause(tries).await,
                hashed => return hashed,
            }
            tries += 1;
        }
    }

    async fn hash_whole_once(&self, layout: &Layout) -> Result<Digest, PortError> {
        let mut hasher = Sha256::new();
        for part in layout.parts() {
            let about = format!("read {} from {}", part.digest, self.place);
            let mut answered = self.open(&about, &part.digest, part.size).await?;
            let mut read = 0;
            while let Some(bytes) = answered.chunk().await.map_err(|error| lost(&about, &error))? {
                read += bytes.len() as u64;
                must_be_within(&about, read, part.size)?;
                hasher.update(&bytes);
            }
        }
        Ok(Digest::from_bytes(hasher.finalize().into()))
    }

    /// Fetches a file to a place, in ranges where the registry knows them.
    pub(super) async fn fetch(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        let layout = self.layout_or_missing(digest).await?;
        let wanted = Wanted { digest, size: layout.size(), to, range: RANGE, place: &self.place };
        let mut told = Told::new(&self.moved);
        let fetched = ranges::fetch(&wanted, &mut told, |range| self.clone().range(layout.within(&range)));
        match fetched.await {
            Err(error) if error.problem == Problem::Unsupported => {
                self.fetch_whole(&wanted, &layout, &mut told).await
            }
            fetched => fetched,
        }
    }

    /// Fetches a file from its beginning, in one request for each of its blobs, and again where the line breaks off. What an
    /// earlier run left cannot be gone on with.
    async fn fetch_whole(
        &self,
        wanted: &Wanted<'_>,
        layout: &Layout,
        told: &mut Told,
    ) -> Result<(), PortError> {
        let mut tries = 1;
        loop {
            match self.fetch_whole_once(wanted, layout, told).await {
                Err(error) if error.problem == Problem::Unreachable && tries < TRIES => pause(tries).await,
                fetched => return fetched,
            }
            tries += 1;
        }
    }

    async fn fetch_whole_once(
        &self,
        wanted: &Wanted<'_>,
        layout: &Layout,
        told: &mut Told,
    ) -> Result<(), PortError> {
        let (to, digest) = (wanted.to.to_owned(), wanted.digest.clone());
        let mut partial = blocking(move || {
            let mut partial = Partial::open(&to, &digest)?;
            partial.restart()?;
            Ok(partial)
        })
        .await?;
        for part in layout.parts() {
            partial = self.append(partial, part, told).await?;
        }
        let found = partial.digest();
        if found == *wanted.digest {
            return blocking(move || partial.finish()).await;
        }
        partial.discard();
        Err(ranges::damaged(wanted.digest, &found, &self.place))
    }

    /// Appends a blob to what there is of its file.
    async fn append(&self, mut partial: Partial, part: &Part, told: &mut Told) -> Result<Partial, PortError> {
        let about = format!("read {} from {}", part.digest, self.place);
        let most = partial.length() + part.size;
        let mut answered = self.open(&about, &part.digest, part.size).await?;
        let mut gathered = Vec::with_capacity(WRITE);
        loop {
            let next = answered.chunk().await.map_err(|error| lost(&about, &error))?;
            gathered.extend_from_slice(next.as_deref().unwrap_or_default());
            if next.is_none() || gathered.len() >= WRITE {
                let bytes = std::mem::take(&mut gathered);
                must_be_within(&about, partial.length() + bytes.len() as u64, most)?;
                partial = blocking(move || partial.write(&bytes).map(|()| partial)).await?;
                told.at(partial.length());
            }
            if next.is_none() {
                return Ok(partial);
            }
        }
    }

    /// Reads a small file into memory.
    pub(super) async fn read_blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        let about = format!("read {digest} from {}", self.place);
        let layout = self.layout_or_missing(digest).await?;
        if layout.size() > limit {
            let message = format!("it is larger than {limit} bytes");
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        let mut bytes = vec![];
        for Part { digest, size } in layout.parts() {
            // What a manifest says of a part is no promise that its bytes keep.
            bytes.extend(read(&about, self.open(&about, digest, *size).await?, *size).await?);
        }
        let found = digest_of(&bytes);
        if found == *digest { Ok(bytes) } else { Err(ranges::damaged(digest, &found, &self.place)) }
    }

    /// Begins to read a whole blob.
    pub(super) async fn open(
        &self,
        about: &str,
        digest: &Digest,
        size: u64,
    ) -> Result<reqwest::Response, PortError> {
        let ask = Ask { size, ..self.ask(about, Method::GET, &format!("blobs/{digest}")) };
        let answered = self.registry.send(&ask).await?;
        if answered.status() == StatusCode::OK { Ok(answered) } else { Err(refused(about, answered).await) }
    }

    /// Ranges of blobs, one after the other.
    async fn range(self, within: Vec<(Part, Range<u64>)>) -> Result<Vec<u8>, PortError> {
        let mut bytes = vec![];
        for (part, range) in within {
            let more = self.range_of(&part, &range).await?;
            // Most ranges are of one blob: it is not copied.
            if bytes.is_empty() { bytes = more } else { bytes.extend(more) }
        }
        Ok(bytes)
    }

    /// A range of a blob, asked for again where the line breaks off.
    async fn range_of(&self, part: &Part, range: &Range<u64>) -> Result<Vec<u8>, PortError> {
        let mut tries = 1;
        loop {
            match self.range_once(part, range).await {
                Err(error) if error.problem == Problem::Unreachable && tries < TRIES => pause(tries).await,
                done => return done,
            }
            tries += 1;
        }
    }

    async fn range_once(
        &self,
        Part { digest, size }: &Part,
        range: &Range<u64>,
    ) -> Result<Vec<u8>, PortError> {
        let about = format!("read {digest} from {}", self.place);
        let length = range.end - range.start;
        let mut ask = self.ask(&about, Method::GET, &format!("blobs/{digest}"));
        ask.headers.push((header::RANGE, format!("bytes={}-{}", range.start, range.end - 1)));
        let answered = self.registry.send(&ask).await?;
        match answered.status() {
            StatusCode::PARTIAL_CONTENT => match read(&about, answered, length).await? {
                // Some proxies cut ranges short: that is no damage, and the whole can be read instead.
                short if (short.len() as u64) < length => {
                    Err(PortError::new(Problem::Unsupported, about, "a range came short"))
                }
                all => Ok(all),
            },
            // All of it, where all of it was asked for.
            StatusCode::OK if length == *size => read(&about, answered, length).await,
            StatusCode::OK => {
                Err(PortError::new(Problem::Unsupported, about, "the registry answers no ranges of a blob"))
            }
            _ => Err(refused(&about, answered).await),
        }
    }
}

/// Stops an answer that goes on beyond the size that the registry told.
fn must_be_within(about: &str, read: u64, size: u64) -> Result<(), PortError> {
    if read <= size {
        return Ok(());
    }
    let message = format!("the registry said that it has {size} bytes, and sends more");
    Err(PortError::new(Problem::Invalid, about, message))
}
