//! Blobs: looking for them, sending them, and taking them out.

use reqwest::{Method, StatusCode, Url, header};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use super::{
    OciStore,
    registry::{Ask, refused},
};

/// What a registry has under a digest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Whole,
    Damaged(Digest),
}

impl OciStore {
    /// The size of a blob in bytes; absent where there is none.
    pub(super) async fn size(&self, digest: &Digest) -> Result<Option<u64>, PortError> {
        let about = format!("look for {digest} in {}", self.place);
        let answered =
            self.registry.send(&self.ask(&about, Method::HEAD, &format!("blobs/{digest}"))).await?;
        match answered.status() {
            StatusCode::OK => {
                let size = answered.headers().get(header::CONTENT_LENGTH);
                let size = size.and_then(|size| size.to_str().ok()).and_then(|size| size.parse().ok());
                let unknown = || PortError::new(Problem::Invalid, &about, "the registry answered no size");
                size.map(Some).ok_or_else(unknown)
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(&about, answered).await),
        }
    }

    /// Whether a blob is there that has the size, and the digest where the registry tells one. Its bytes are not read.
    pub(super) async fn has_part(&self, digest: &Digest, size: u64) -> Result<bool, PortError> {
        let about = format!("look for {digest} in {}", self.place);
        let answered =
            self.registry.send(&self.ask(&about, Method::HEAD, &format!("blobs/{digest}"))).await?;
        let told = |name: &str| {
            let told = answered.headers().get(name).and_then(|value| value.to_str().ok());
            told.map(str::to_owned)
        };
        match answered.status() {
            StatusCode::OK => {
                let other = told("docker-content-digest").is_some_and(|told| told != digest.to_string());
                Ok(!other && told("content-length").is_some_and(|told| told == size.to_string()))
            }
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(refused(&about, answered).await),
        }
    }

    /// Where the registry wants the bytes of a new blob.
    async fn begin(&self, about: &str, digest: &Digest) -> Result<Url, PortError> {
        let mut url = self.session(about).await?;
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        Ok(url)
    }

    /// Where the registry wants bytes whose digest is told later.
    pub(super) async fn session(&self, about: &str) -> Result<Url, PortError> {
        let answered = self.registry.send(&self.ask(about, Method::POST, "blobs/uploads/")).await?;
        if answered.status() != StatusCode::ACCEPTED {
            return Err(refused(about, answered).await);
        }
        self.registry.ours(about, &answered)
    }

    /// Sends a blob. The registry keeps it only if its bytes have the digest.
    pub(super) async fn send_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let about = format!("write {digest} to {}", self.place);
        let url = self.begin(&about, digest).await?;
        let headers = vec![(header::CONTENT_TYPE, "application/octet-stream".to_owned())];
        let ask =
            Ask { about: &about, method: Method::PUT, url, headers, body: Some(bytes.to_vec()), size: 0 };
        let answered = self.registry.send(&ask).await?;
        if answered.status() == StatusCode::CREATED { Ok(()) } else { Err(refused(&about, answered).await) }
    }

    /// Takes a blob out of the repository, as far as the registry lets us; whether it did is for the caller to look at.
    pub(super) async fn unlink(&self, digest: &Digest) -> Result<(), PortError> {
        let about = format!("remove {digest} from {}", self.place);
        let ask = self.ask(&about, Method::DELETE, &format!("blobs/{digest}"));
        let answered = self.registry.send(&ask).await?;
        match answered.status() {
            StatusCode::ACCEPTED
            | StatusCode::OK
            | StatusCode::NO_CONTENT
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED => Ok(()),
            _ => Err(refused(&about, answered).await),
        }
    }
}
