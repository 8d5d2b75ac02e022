//! Blobs that are put together while they are sent: bytes from memory and other blobs, one after the other. No more than what
//! is on its way is held in memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use reqwest::{Body, Method, StatusCode, header};
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use super::{
    OciStore,
    registry::{Ask, Sent, TRIES, lost, pause, refused},
};
use crate::stores::ranges;

/// A part of a blob.
#[derive(Clone)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    Blob(Blob),
}

/// A blob of some repository.
#[derive(Clone)]
pub(super) struct Blob {
    pub(super) store: OciStore,
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Piece {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob(blob) => blob.size,
        }
    }
}

/// How a transfer ended, seen from where its bytes came from.
#[derive(Default)]
struct Outcome {
    whole: Sha256,
    failed: Option<PortError>,
}

/// A blob that is being read.
struct Reading {
    blob: Blob,
    answered: reqwest::Response,
    hasher: Sha256,
    left: u64,
}

/// The bytes of pieces, one after the other. Blobs are compared with their digests at their ends.
struct Source {
    pieces: VecDeque<Piece>,
    reading: Option<Reading>,
    outcome: Arc<Mutex<Outcome>>,
}

impl Source {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, PortError> {
        match self.advance().await {
            Ok(None) => Ok(None),
            Ok(Some(bytes)) => {
                self.outcome.lock().unwrap_or_else(PoisonError::into_inner).whole.update(&bytes);
                Ok(Some((bytes, self)))
            }
            Err(error) => {
                let mut outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
                outcome.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, PortError> {
        loop {
            if let Some(reading) = &mut self.reading {
                if let Some(bytes) = reading.next().await? {
                    return Ok(Some(bytes));
                }
                self.reading = None;
            }
            match self.pieces.pop_front() {
                None => return Ok(None),
                Some(Piece::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Piece::Bytes(bytes)) => return Ok(Some(bytes.into())),
                Some(Piece::Blob(blob)) => self.reading = Some(Reading::begin(blob).await?),
            }
        }
    }
}

impl Reading {
    async fn begin(blob: Blob) -> Result<Self, PortError> {
        let about = blob.about();
        let answered = blob.store.open(&about, &blob.digest, blob.size).await?;
        Ok(Self { left: blob.size, blob, answered, hasher: Sha256::new() })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, PortError> {
        let about = self.blob.about();
        if let Some(bytes) = self.answered.chunk().await.map_err(|error| lost(&about, &error))? {
            let more = || PortError::new(Problem::Invalid, &about, "more bytes came than it has");
            self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(more)?;
            self.hasher.update(&bytes);
            return Ok(Some(bytes));
        }
        if self.left > 0 {
            return Err(PortError::new(
                Problem::Unreachable,
                about,
                format!("{} bytes are missing", self.left),
            ));
        }
        let found = Digest::from_bytes(self.hasher.clone().finalize().into());
        if found == self.blob.digest {
            return Ok(None);
        }
        Err(ranges::damaged(&self.blob.digest, &found, &self.blob.store.place))
    }
}

impl Blob {
    fn about(&self) -> String {
        format!("read {} from {}", self.digest, self.store.place)
    }
}

/// The digest and size of the blob that pieces make. Nothing is sent.
pub(super) async fn digest_of_pieces(pieces: Vec<Piece>) -> Result<(Digest, u64), PortError> {
    let size = pieces.iter().map(Piece::size).sum();
    let mut tries = 1;
    loop {
        match digest_once(pieces.clone()).await {
            Err(error) if error.problem == Problem::Unreachable && tries < TRIES => pause(tries).await,
            derived => return derived.map(|digest| (digest, size)),
        }
        tries += 1;
    }
}

async fn digest_once(pieces: Vec<Piece>) -> Result<Digest, PortError> {
    let mut source = Source { pieces: pieces.into(), reading: None, outcome: Arc::default() };
    let mut hasher = Sha256::new();
    while let Some(bytes) = source.advance().await? {
        hasher.update(&bytes);
    }
    Ok(Digest::from_bytes(hasher.finalize().into()))
}

impl OciStore {
    /// Sends pieces as one blob, from the start again where the line breaks off, and answers its digest and size. Its digest
    /// is known when all of it was sent: the registry compares it before it keeps anything.
    pub(super) async fn send_pieces(
        &self,
        about: &str,
        pieces: &[Piece],
    ) -> Result<(Digest, u64), PortError> {
        let size = pieces.iter().map(Piece::size).sum();
        let mut tries = 1;
        loop {
            match self.send_pieces_once(about, pieces, size).await {
                Err(error) if error.problem == Problem::Unreachable && tries < TRIES => pause(tries).await,
                sent => return sent.map(|digest| (digest, size)),
            }
            tries += 1;
        }
    }

    async fn send_pieces_once(&self, about: &str, pieces: &[Piece], size: u64) -> Result<Digest, PortError> {
        let outcome = Arc::new(Mutex::new(Outcome::default()));
        let source =
            Source { pieces: pieces.iter().cloned().collect(), reading: None, outcome: outcome.clone() };
        let body = Body::wrap_stream(futures_util::stream::try_unfold(source, Source::next));
        let url = self.session(about).await?;
        let answered =
            self.registry.send_body(about, Sent { method: Method::PATCH, url, from: 0, size }, body).await;
        let digest = {
            let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(error) = outcome.failed.take() {
                return Err(error);
            }
            Digest::from_bytes(outcome.whole.clone().finalize().into())
        };
        let answered = answered?;
        if answered.status() != StatusCode::ACCEPTED && answered.status() != StatusCode::NO_CONTENT {
            return Err(refused(about, answered).await);
        }
        let mut url = self.registry.ours(about, &answered)?;
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let headers = vec![(header::CONTENT_TYPE, "application/octet-stream".to_owned())];
        let ask = Ask { about, method: Method::PUT, url, headers, body: Some(vec![]), size };
        let answered = self.registry.send(&ask).await?;
        if answered.status() == StatusCode::CREATED {
            Ok(digest)
        } else {
            Err(refused(about, answered).await)
        }
    }
}
