//! Registries of the Open Container Initiative: every file a blob, held by a manifest of its own so that the registry's
//! collection of garbage leaves it alone, and every release a model in the layout of `ModelPack`, tagged with its version, beside an
//! image of the same files for `KServe` where that is asked for.
//!
//! Our own client, and a small one: it sends files from disk and reads them in ranges, without holding either in memory.

mod blobs;
mod inventory;
mod manifests;
#[cfg(test)]
mod memory;
mod modelcar;
mod reading;
mod registry;
mod stream;
mod tags;
mod take;
#[cfg(test)]
mod tests;
mod upload;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use reqwest::{Method, Url};
use serde::Deserialize;
use tagship_domain::{Digest, Duration, Manifest, Release};
use tagship_ports::{ArtifactStore, Clock, PortError, Problem, artifact_store::Place};

use self::{
    blobs::Found,
    modelcar::{Base, Modelcar},
    registry::{Ask, Login, Registry},
    upload::Upload,
};
use super::{Moved, Opening, ranges::Told};
use crate::{
    SystemClock,
    disk::{blocking, digest_of, local, other_bytes},
    http, settings,
};

const WHAT: &str = "store oci";
/// Bytes of a range of a download. What is held is some more than twice the ranges that are on their way.
const RANGE: u64 = 3 << 20;
/// A blob that is found again counts as stored anew, unless that was said within this time.
const RENEWED_AFTER: Duration = Duration::from_secs(60 * 60);

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
    #[serde(default)]
    modelcar: bool,
    modelcar_base: Option<String>,
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
    clock: Arc<dyn Clock>,
    moved: Moved,
    /// Absent where releases are models alone.
    modelcar: Option<Modelcar>,
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
    if login.is_some() && base.scheme() == "http" && !http::is_loopback(&base) {
        let message = format!("{} gets no password over an address without encryption", given.repository);
        return Err(settings::wrong(WHAT, message)
            .hint("let the registry speak https and leave out plain-http, or set no user"));
    }
    let modelcar = modelcar(&given, &base, login.clone(), opening.moved)?;
    let registry = Registry::new(base, repository, login)?;
    let store = OciStore::bare(registry, format!("oci://{}", given.repository), opening.moved);
    Ok(OciStore { modelcar, ..store })
}

/// How releases become modelcars; absent where they do not.
fn modelcar(
    given: &Settings,
    base: &Url,
    login: Option<Login>,
    moved: &Moved,
) -> Result<Option<Modelcar>, PortError> {
    let on = given.modelcar_base.as_deref();
    match (given.modelcar, on) {
        (false, None) => Ok(None),
        (false, Some(_)) => Err(settings::wrong(WHAT, "modelcar-base is given without `modelcar: true`")),
        (true, on) => {
            let on = on.map(|text| Base::new(text, given.plain_http, base, login, moved)).transpose()?;
            Ok(Some(Modelcar { base: on }))
        }
    }
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

impl OciStore {
    fn bare(registry: Registry, place: String, moved: &Moved) -> Self {
        let (registry, moved) = (Arc::new(registry), moved.clone());
        Self { registry, place, clock: Arc::new(SystemClock), moved, modelcar: None }
    }

    fn ask<'a>(&self, about: &'a str, method: Method, path: &str) -> Ask<'a> {
        Ask { about, method, url: self.registry.url(path), headers: vec![], body: None, size: 0 }
    }

    /// Sends a small blob unless it is there.
    async fn must_have(&self, bytes: &[u8]) -> Result<Digest, PortError> {
        let digest = digest_of(bytes);
        if self.size(&digest).await?.is_none() {
            self.send_blob(&digest, bytes).await?;
        }
        Ok(digest)
    }

    /// Looks for a blob before it is sent. One that is damaged is taken out.
    async fn look(&self, digest: &Digest) -> Result<Found, PortError> {
        let found = self.examine(digest).await?;
        if matches!(found, Found::Damaged(_)) {
            self.unlink(digest).await?;
        }
        Ok(found)
    }

    /// Sees that a blob that replaces a damaged one did: a registry that takes no bytes twice keeps the damaged ones. What is
    /// new was compared with its digest by the registry.
    async fn must_be_healed(&self, digest: &Digest, earlier: &Found) -> Result<(), PortError> {
        if *earlier == Found::Nothing {
            return Ok(());
        }
        let failed = |message: String, hint: &str| {
            let operation = format!("write {digest} to {}", self.place);
            Err(PortError::new(Problem::Invalid, operation, message).hint(hint))
        };
        match self.examine(digest).await? {
            Found::Whole => Ok(()),
            Found::Nothing => failed("it was sent and is not there".to_owned(), "run again"),
            Found::Damaged(found) => failed(
                format!("the registry keeps {found} in its place and takes it for what was sent"),
                "remove the blob from the registry's own storage, or restore it there, and run again",
            ),
        }
    }
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
        let earlier = self.look(digest).await?;
        let told = Arc::new(Mutex::new(Told::new(&self.moved)));
        if earlier != Found::Whole {
            Upload { store: self, digest, file, size, told: told.clone() }.send().await?;
            self.must_be_healed(digest, &earlier).await?;
        }
        self.hold(digest, size).await?;
        told.lock().unwrap_or_else(PoisonError::into_inner).at(size);
        Ok(())
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let found = digest_of(bytes);
        if found != *digest {
            return Err(other_bytes(format!("write {digest}"), digest, &found));
        }
        let earlier = self.look(digest).await?;
        if earlier != Found::Whole {
            self.send_blob(digest, bytes).await?;
            self.must_be_healed(digest, &earlier).await?;
        }
        self.hold(digest, bytes.len() as u64).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        Ok(self.size(digest).await?.is_some())
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        self.fetch(digest, to).await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        self.read_blob(digest, limit).await
    }

    async fn publish(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        let config = manifests::config(manifest);
        let described = self.must_have(config.as_bytes()).await?;
        let model = manifests::model(manifest, &described, config.len());
        self.tag(&tags::of_release(release), model).await?;
        let mut places = vec![self.modelpack(manifest, Some(&model_digest(manifest)))];
        if let Some(modelcar) = &self.modelcar {
            let image = self.publish_modelcar(modelcar, release, manifest).await?;
            places.push(self.modelcar_at(Some(&image)));
        }
        Ok(places)
    }

    async fn places(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        let model = self.tagged(&tags::of_release(release)).await?;
        let mut places = vec![self.modelpack(manifest, model.map(|found| digest_of(&found)).as_ref())];
        let image = self.tagged(&tags::of_modelcar(release)).await?;
        if image.is_some() || self.modelcar.is_some() {
            places.push(self.modelcar_at(image.map(|image| digest_of(&image)).as_ref()));
        }
        Ok(places)
    }
}

impl OciStore {
    /// The address of something by its digest.
    fn at(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.place)
    }

    /// A release as a model. All of it follows from the manifest.
    fn modelpack(&self, manifest: &Manifest, now: Option<&Digest>) -> Place {
        let derived = Some(self.at(&model_digest(manifest)));
        Place { layout: "modelpack".to_owned(), now: now.map(|now| self.at(now)), derived }
    }

    /// A release as an image. What it is made on stands in settings, which may have changed since.
    fn modelcar_at(&self, image: Option<&Digest>) -> Place {
        Place { layout: "modelcar".to_owned(), now: image.map(|image| self.at(image)), derived: None }
    }
}

/// The digest of what shows a release as a model.
fn model_digest(manifest: &Manifest) -> Digest {
    let config = manifests::config(manifest);
    digest_of(manifests::model(manifest, &digest_of(config.as_bytes()), config.len()).as_bytes())
}
