//! Registries of the Open Container Initiative: every file a blob, held by a manifest of its own so that the registry's
//! collection of garbage leaves it alone, and every release a model in the layout of `ModelPack`, tagged with its version.
//!
//! Our own client, and a small one: it sends files from disk and reads them in ranges, without holding either in memory.

mod manifests;
mod registry;
mod take;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use reqwest::{Method, StatusCode, Url, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, Manifest, Release};
use tagship_ports::{ArtifactStore, PortError, Problem};

use self::registry::{Ask, LARGEST, Login, Registry, TRIES, pause, read, refused};
use super::{Moved, Opening, ranges};
use crate::{
    disk::{blocking, local},
    http, settings,
};

const WHAT: &str = "store oci";
/// Bytes of a range of a download.
const RANGE: u64 = 8 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    repository: String,
    #[serde(default)]
    plain_http: bool,
    #[serde(default = "user")]
    user_env: String,
    #[serde(default = "password")]
    password_env: String,
}

fn user() -> String {
    "REGISTRY_USER".to_owned()
}

fn password() -> String {
    "REGISTRY_PASSWORD".to_owned()
}

/// A repository of a registry.
#[derive(Clone)]
pub struct OciStore {
    registry: Arc<Registry>,
    place: String,
    moved: Moved,
}

impl std::fmt::Debug for OciStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OciStore").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Opens the store. Who has no user in the environment is nobody to the registry.
pub(super) fn open(opening: &Opening<'_>) -> Result<OciStore, PortError> {
    let given: Settings = settings::read(WHAT, opening.settings)?;
    let (base, repository) = address(&given.repository, given.plain_http)?;
    let variable = |name: &str| (opening.variable)(name).filter(|value| !value.is_empty());
    let login = match variable(&given.user_env) {
        None => None,
        Some(user) => {
            let hint = "it belongs to the user that is set";
            let password = settings::secret(WHAT, &given.password_env, opening.variable, hint)?;
            Some(Login { user, password })
        }
    };
    let registry = Arc::new(Registry::new(base, repository, login)?);
    Ok(OciStore { registry, place: format!("oci://{}", given.repository), moved: opening.moved.clone() })
}

/// Address of the registry and name of the repository in it.
fn address(text: &str, plain: bool) -> Result<(Url, String), PortError> {
    let wrong = |why: &str| {
        settings::wrong(WHAT, format!("repository {text:?} {why}"))
            .hint("write HOST/NAME without a tag, e.g. ghcr.io/acme/churn")
    };
    let (host, name) = text.split_once('/').ok_or_else(|| wrong("names no registry"))?;
    let part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = part.as_bytes();
        part.bytes().all(|byte| inner(byte) || b"._-".contains(&byte))
            && bytes.first().is_some_and(|byte| inner(*byte))
            && bytes.last().is_some_and(|byte| inner(*byte))
    };
    if !name.split('/').all(part) {
        return Err(wrong("has a name of other characters than a-z, 0-9, `.`, `_`, `-` and `/`"));
    }
    let url = |scheme: &str| Url::parse(&format!("{scheme}://{host}"));
    let secure = url("https").map_err(|error| wrong(&format!("names no host: {error}")))?;
    let bare = secure.username().is_empty() && secure.password().is_none() && secure.query().is_none();
    if !bare || secure.path() != "/" || secure.fragment().is_some() {
        return Err(wrong("names no host"));
    }
    let base = if plain || http::is_loopback(&secure) { url("http").unwrap_or(secure) } else { secure };
    Ok((base, name.to_owned()))
}

/// The tag of the manifest that holds a blob.
fn holder_tag(digest: &Digest) -> String {
    format!("blob-{}", digest.hex())
}

impl OciStore {
    fn ask<'a>(&self, about: &'a str, method: Method, path: &str) -> Ask<'a> {
        Ask { about, method, url: self.registry.url(path), headers: vec![], body: None }
    }

    /// The size of a blob in bytes; absent where there is none.
    async fn size(&self, digest: &Digest) -> Result<Option<u64>, PortError> {
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

    async fn size_or_missing(&self, digest: &Digest) -> Result<u64, PortError> {
        self.size(digest).await?.ok_or_else(|| {
            let message = format!("{} does not have it", self.place);
            PortError::new(Problem::NotFound, format!("read {digest} from the store"), message)
                .hint("check that the store is the one the release was made with")
        })
    }

    /// Where the registry wants the bytes of a new blob.
    async fn begin(&self, about: &str, digest: &Digest) -> Result<Url, PortError> {
        let answered = self.registry.send(&self.ask(about, Method::POST, "blobs/uploads/")).await?;
        if answered.status() != StatusCode::ACCEPTED {
            return Err(refused(about, answered).await);
        }
        let mut url = self.registry.ours(about, &answered)?;
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        Ok(url)
    }

    /// Sends a blob. The registry keeps it only if its bytes have the digest.
    async fn send_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let about = format!("write {digest} to {}", self.place);
        let url = self.begin(&about, digest).await?;
        let headers = vec![(header::CONTENT_TYPE, "application/octet-stream".to_owned())];
        let ask = Ask { about: &about, method: Method::PUT, url, headers, body: Some(bytes.to_vec()) };
        let answered = self.registry.send(&ask).await?;
        if answered.status() == StatusCode::CREATED { Ok(()) } else { Err(refused(&about, answered).await) }
    }

    async fn send_file(&self, digest: &Digest, file: &Path, size: u64) -> Result<(), PortError> {
        let about = format!("write {digest} to {}", self.place);
        let url = self.begin(&about, digest).await?;
        let opened = tokio::fs::File::open(file).await.map_err(|error| local("read", file, &error))?;
        let answered = self.registry.send_file(&about, url, opened, size).await?;
        if answered.status() == StatusCode::CREATED { Ok(()) } else { Err(refused(&about, answered).await) }
    }

    /// The digest of the manifest that a tag names; absent where there is none.
    async fn tagged(&self, tag: &str) -> Result<Option<Digest>, PortError> {
        let about = format!("read {}:{tag}", self.place);
        let mut ask = self.ask(&about, Method::GET, &format!("manifests/{tag}"));
        ask.headers.push((header::ACCEPT, manifests::MANIFEST.to_owned()));
        let answered = self.registry.send(&ask).await?;
        match answered.status() {
            StatusCode::OK => Ok(Some(digest_of(&read(&about, answered, LARGEST).await?))),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(&about, answered).await),
        }
    }

    /// Writes a manifest under a tag that nobody else uses.
    async fn tag(&self, tag: &str, manifest: String) -> Result<(), PortError> {
        let about = format!("write {}:{tag}", self.place);
        match self.tagged(tag).await? {
            Some(found) if found == digest_of(manifest.as_bytes()) => return Ok(()),
            Some(found) => {
                let message = format!("the tag names {found} already, which is something else");
                return Err(PortError::new(Problem::Conflict, about, message)
                    .hint("have every model keep its releases in a repository of its own"));
            }
            None => {}
        }
        let mut ask = self.ask(&about, Method::PUT, &format!("manifests/{tag}"));
        ask.headers.push((header::CONTENT_TYPE, manifests::MANIFEST.to_owned()));
        ask.body = Some(manifest.into_bytes());
        let mut tries = 1;
        loop {
            let answered = self.registry.send(&ask).await?;
            if answered.status() == StatusCode::CREATED {
                return Ok(());
            }
            let error = refused(&about, answered).await;
            if !error.may_pass() || tries == TRIES {
                return Err(error);
            }
            pause(tries).await;
            tries += 1;
        }
    }

    /// Makes the registry keep a blob.
    async fn hold(&self, digest: &Digest, size: u64) -> Result<(), PortError> {
        self.must_have(manifests::EMPTY).await?;
        self.tag(&holder_tag(digest), manifests::holder(digest, size)).await
    }

    /// Sends a small blob unless it is there.
    async fn must_have(&self, bytes: &[u8]) -> Result<Digest, PortError> {
        let digest = digest_of(bytes);
        if self.size(&digest).await?.is_none() {
            self.send_blob(&digest, bytes).await?;
        }
        Ok(digest)
    }

    /// Whether a blob is there to stay.
    async fn is_held(&self, digest: &Digest) -> Result<bool, PortError> {
        Ok(self.size(digest).await?.is_some() && self.tagged(&holder_tag(digest)).await?.is_some())
    }

    async fn range(&self, digest: &Digest, range: std::ops::Range<u64>) -> Result<Vec<u8>, PortError> {
        let about = format!("read {digest} from {}", self.place);
        let length = range.end - range.start;
        let mut ask = self.ask(&about, Method::GET, &format!("blobs/{digest}"));
        ask.headers.push((header::RANGE, format!("bytes={}-{}", range.start, range.end - 1)));
        let answered = self.registry.send(&ask).await?;
        match answered.status() {
            StatusCode::PARTIAL_CONTENT => read(&about, answered, length).await,
            // All of it, where all of it was asked for.
            StatusCode::OK if range.start == 0 => read(&about, answered, length).await,
            StatusCode::OK => {
                Err(PortError::new(Problem::Unsupported, about, "the registry answers no ranges of a blob"))
            }
            _ => Err(refused(&about, answered).await),
        }
    }
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

#[async_trait]
impl ArtifactStore for OciStore {
    fn location(&self) -> String {
        self.place.clone()
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError> {
        let path = file.to_owned();
        let size = blocking(move || {
            let metadata = std::fs::metadata(&path).map_err(|error| local("read", &path, &error))?;
            Ok(metadata.len())
        })
        .await?;
        if !self.is_held(digest).await? {
            let sent = match self.send_file(digest, file, size).await {
                Err(error) if error.problem == Problem::Unreachable => {
                    self.send_file(digest, file, size).await
                }
                sent => sent,
            };
            sent.map_err(|error| match error.problem {
                Problem::Invalid => {
                    error.hint(format!("{} changed since it was judged; run again", file.display()))
                }
                _ => error,
            })?;
            self.hold(digest, size).await?;
        }
        (self.moved)(size);
        Ok(())
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let found = digest_of(bytes);
        if found != *digest {
            let message = format!("its bytes are {found}, not {digest}");
            return Err(PortError::new(Problem::Invalid, format!("write {digest}"), message));
        }
        if self.is_held(digest).await? {
            return Ok(());
        }
        self.send_blob(digest, bytes).await?;
        self.hold(digest, bytes.len() as u64).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        Ok(self.size(digest).await?.is_some())
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        let size = self.size_or_missing(digest).await?;
        let wanted = ranges::Wanted { digest, size, to, range: RANGE, place: &self.place };
        ranges::fetch(&wanted, &self.moved, |range| {
            let (store, digest) = (self.clone(), digest.clone());
            async move { store.range(&digest, range).await }
        })
        .await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        let about = format!("read {digest} from {}", self.place);
        if self.size_or_missing(digest).await? > limit {
            let message = format!("it is larger than {limit} bytes");
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        let answered = self.registry.send(&self.ask(&about, Method::GET, &format!("blobs/{digest}"))).await?;
        if answered.status() != StatusCode::OK {
            return Err(refused(&about, answered).await);
        }
        let bytes = read(&about, answered, limit).await?;
        let found = digest_of(&bytes);
        if found == *digest { Ok(bytes) } else { Err(ranges::damaged(digest, &found, &self.place)) }
    }

    async fn publish(&self, release: &Release, manifest: &Manifest) -> Result<(), PortError> {
        let config = manifests::config(manifest);
        let described = self.must_have(config.as_bytes()).await?;
        let model = manifests::model(manifest, &described, config.len());
        self.tag(&manifests::tag(release), model).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_a_host_and_a_name() {
        let of = |text: &str| address(text, false).map(|(url, name)| format!("{url} {name}"));
        assert_eq!(of("ghcr.io/acme/churn").unwrap(), "https://ghcr.io/ acme/churn");
        assert_eq!(of("127.0.0.1:5000/churn").unwrap(), "http://127.0.0.1:5000/ churn");
        assert_eq!(of("localhost:5000/a/b").unwrap(), "http://localhost:5000/ a/b");
        for bad in
            ["churn", "ghcr.io/", "ghcr.io/Churn", "ghcr.io/a:v1", "ghcr.io/a//b", "u:p@ghcr.io/a", "?/a"]
        {
            assert_eq!(of(bad).unwrap_err().problem, Problem::Invalid, "{bad}");
        }
        assert_eq!(address("registry.local/a", true).unwrap().0.as_str(), "http://registry.local/");
    }
}
