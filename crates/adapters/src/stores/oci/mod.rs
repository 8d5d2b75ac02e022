//! Registries of the Open Container Initiative: every file a blob, held by a manifest of its own so that the registry's
//! collection of garbage leaves it alone, and every release a model in the layout of `ModelPack`, tagged with its version, beside an
//! image of the same files for `KServe` where that is asked for.
//!
//! Our own client, and a small one: it sends files from disk and reads them in ranges, without holding either in memory.

mod blobs;
mod inventory;
mod layout;
mod manifests;
#[cfg(test)]
mod memory;
mod modelcar;
mod parts;
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
use tagship_domain::{ByteSize, Digest, Duration, FileEntry, Manifest, Release};
use tagship_ports::{ArtifactStore, Clock, PortError, Problem, artifact_store::Place};

use self::{
    blobs::Found,
    layout::Layout,
    modelcar::{Base, Modelcar},
    parts::InParts,
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
/// Least size of a layer that a larger file is kept in, in bytes.
const LEAST_LAYER: u64 = 1 << 20;
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
    max_layer_size: Option<ByteSize>,
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
    /// Larger files, in bytes, are kept in parts of this size; absent where every file is one blob.
    max_layer: Option<u64>,
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
    Ok(OciStore { modelcar, max_layer: max_layer(&given)?, ..store })
}

/// Above which size files are kept in parts.
fn max_layer(given: &Settings) -> Result<Option<u64>, PortError> {
    match given.max_layer_size.map(ByteSize::as_bytes) {
        Some(_) if given.modelcar => {
            Err(settings::wrong(WHAT, "max-layer-size and `modelcar: true` are given")
                .hint("an image has every large file in one layer; leave out one of them"))
        }
        Some(size) if size < LEAST_LAYER => {
            let message = format!("max-layer-size of {} is too small", ByteSize::bytes(size));
            Err(settings::wrong(WHAT, message).hint("choose 1MiB or more, e.g. 1GiB"))
        }
        size => Ok(size),
    }
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
        Self { registry, place, clock: Arc::new(SystemClock), moved, modelcar: None, max_layer: None }
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

    /// Looks for a blob before it is sent.
    async fn look(&self, digest: &Digest) -> Result<Found, PortError> {
        match self.size(digest).await? {
            Some(size) => self.look_at(digest, &Layout::whole(digest, size)).await,
            None => Ok(Found::Nothing),
        }
    }

    /// Looks at a file before it is relied on. A blob that is damaged is taken out.
    async fn look_at(&self, digest: &Digest, layout: &Layout) -> Result<Found, PortError> {
        let found = self.examine(digest, layout).await?;
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
        let found = match self.layout(digest).await? {
            Some(layout) => self.examine(digest, &layout).await?,
            None => Found::Nothing,
        };
        match found {
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
        let part = self.max_layer.filter(|most| size > *most);
        let there = self.layout(digest).await?.filter(|layout| layout.is_whole() || part.is_some());
        let earlier = match &there {
            Some(layout) => self.look_at(digest, layout).await?,
            None => Found::Nothing,
        };
        let layout = match (there, part) {
            (Some(layout), _) if earlier == Found::Whole => {
                (self.moved)(size);
                layout
            }
            (_, Some(part)) => InParts { store: self, digest, file, size, part }.send().await?,
            (_, None) => {
                let told = Arc::new(Mutex::new(Told::new(&self.moved)));
                Upload { store: self, digest, file, from: 0, size, told: told.clone() }.send().await?;
                told.lock().unwrap_or_else(PoisonError::into_inner).at(size);
                Layout::whole(digest, size)
            }
        };
        self.hold(digest, &layout).await?;
        self.must_be_healed(digest, &earlier).await
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
        self.hold(digest, &Layout::whole(digest, bytes.len() as u64)).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        match self.layout(digest).await? {
            Some(layout) if !layout.is_whole() => self.has_parts(&layout).await,
            layout => Ok(layout.is_some()),
        }
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        self.fetch(digest, to).await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        self.read_blob(digest, limit).await
    }

    async fn publish(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        let layouts = self.layouts(manifest).await?;
        let config = manifests::config(manifest, &layouts);
        let described = self.must_have(config.as_bytes()).await?;
        let model = manifests::model(manifest, &layouts, &described, config.len());
        let mut places = vec![self.modelpack(manifest, Some(model.as_bytes()))];
        self.tag(&tags::of_release(release), model).await?;
        if let Some(modelcar) = &self.modelcar {
            let image = self.publish_modelcar(modelcar, release, manifest).await?;
            places.push(self.modelcar_at(Some(&image)));
        }
        Ok(places)
    }

    async fn places(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        let model = self.tagged(&tags::of_release(release)).await?;
        let mut places = vec![self.modelpack(manifest, model.as_deref())];
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

    /// A release as a model, and what its tag names. All of it follows from the manifest, unless a file is kept in parts.
    fn modelpack(&self, manifest: &Manifest, now: Option<&[u8]>) -> Place {
        let follows = !now.is_some_and(manifests::has_parts);
        let derived = follows.then(|| self.at(&model_digest(manifest)));
        Place { layout: "modelpack".to_owned(), now: now.map(|now| self.at(&digest_of(now))), derived }
    }

    /// How the files of a model lie, in their order. Only those that are too large for a layer are asked for.
    async fn layouts(&self, manifest: &Manifest) -> Result<Vec<Layout>, PortError> {
        let mut layouts = vec![];
        for file in &manifest.files {
            layouts.push(match self.max_layer {
                Some(most) if file.size > most => self.layout_or_missing(&file.sha256).await?,
                _ => Layout::whole(&file.sha256, file.size),
            });
        }
        Ok(layouts)
    }

    /// A release as an image. What it is made on stands in settings, which may have changed since.
    fn modelcar_at(&self, image: Option<&Digest>) -> Place {
        Place { layout: "modelcar".to_owned(), now: image.map(|image| self.at(image)), derived: None }
    }
}

/// The digest of what shows a release as a model, each of whose files is a blob.
fn model_digest(manifest: &Manifest) -> Digest {
    let whole = |file: &FileEntry| Layout::whole(&file.sha256, file.size);
    let layouts: Vec<Layout> = manifest.files.iter().map(whole).collect();
    let config = manifests::config(manifest, &layouts);
    digest_of(manifests::model(manifest, &layouts, &digest_of(config.as_bytes()), config.len()).as_bytes())
}
