//! The image that a modelcar is made on: its layers come first, its settings stay. `KServe`'s default way of reading a modelcar runs
//! `sh`, `ln` and `sleep` in it.

use reqwest::Url;
use serde_json::{Value, json};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use super::{
    super::{Login, Moved, Registry, WHAT, address},
    OciStore,
};
use crate::{disk::digest_of, settings};

/// Processors of the nodes that a modelcar is for, as images name them.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];
/// Where the images of `docker.io` are.
const DOCKER: (&str, &str) = ("docker.io/", "registry-1.docker.io/");
/// Largest configuration of an image, in bytes.
const CONFIG: u64 = 4 << 20;

/// An image in some registry, by digest.
#[derive(Clone)]
pub(in super::super) struct Base {
    store: Box<OciStore>,
    digest: Digest,
}

/// An image for one kind of processor, to which layers are added.
pub(super) struct Platform {
    /// Its configuration.
    pub(super) config: Value,
    /// Descriptors of its layers.
    pub(super) layers: Vec<Value>,
}

impl Base {
    /// Reads `HOST/NAME@sha256:DIGEST`. The login is that of the store where it lies in the same registry.
    pub(in super::super) fn new(
        text: &str,
        plain: bool,
        store: &Url,
        login: Option<Login>,
        moved: &Moved,
    ) -> Result<Self, PortError> {
        let wrong = |why: String| {
            settings::wrong(WHAT, format!("modelcar-base {text:?} {why}"))
                .hint("write HOST/NAME@sha256:DIGEST, e.g. docker.io/library/busybox@sha256:...")
        };
        let (place, digest) = text.split_once('@').ok_or_else(|| wrong("names no digest".to_owned()))?;
        let digest = digest.parse().map_err(|error| wrong(format!("names no digest: {error}")))?;
        let named = match place.strip_prefix(DOCKER.0) {
            Some(name) => format!("{}{name}", DOCKER.1),
            None => place.to_owned(),
        };
        let (mut url, _) = address(&named, false).map_err(|error| wrong(error.message))?;
        if plain && url.host_str() == store.host_str() && url.port() == store.port() {
            url = store.clone();
        }
        let name = named.split_once('/').map(|(_, name)| name.to_owned()).unwrap_or_default();
        let login = login.filter(|_| url.origin() == store.origin());
        let registry = Registry::new(url, name, login)?;
        Ok(Self { store: Box::new(OciStore::bare(registry, format!("oci://{place}"), moved)), digest })
    }

    /// The image for every kind of processor that there is one for.
    pub(super) async fn platforms(&self) -> Result<Vec<Platform>, PortError> {
        let manifest = self.manifest(&self.digest).await?;
        let Some(images) = manifest["manifests"].as_array() else {
            return Ok(vec![self.platform(&manifest).await?]);
        };
        let mut found = vec![];
        for architecture in ARCHITECTURES {
            let fits = |image: &&Value| {
                let platform = &image["platform"];
                platform["os"] == "linux" && platform["architecture"] == architecture
            };
            if let Some(image) = images.iter().find(fits) {
                let digest = self.digest_in(image)?;
                found.push(self.platform(&self.manifest(&digest).await?).await?);
            }
        }
        if found.is_empty() {
            return Err(self.wrong(&format!("it is for none of linux/{}", ARCHITECTURES.join(", linux/"))));
        }
        Ok(found)
    }

    async fn manifest(&self, digest: &Digest) -> Result<Value, PortError> {
        let bytes = self.store.tagged(&digest.to_string()).await?;
        let bytes = bytes.ok_or_else(|| self.wrong(&format!("there is no manifest {digest}")))?;
        if digest_of(&bytes) != *digest {
            return Err(self.wrong(&format!("the manifest {digest} has other bytes")));
        }
        serde_json::from_slice(&bytes).map_err(|error| self.wrong(&error.to_string()))
    }

    async fn platform(&self, manifest: &Value) -> Result<Platform, PortError> {
        let config = self.store.read_blob(&self.digest_in(&manifest["config"])?, CONFIG).await?;
        let config: Value =
            serde_json::from_slice(&config).map_err(|error| self.wrong(&error.to_string()))?;
        let layers = manifest["layers"].as_array().cloned().unwrap_or_default();
        let known = config["rootfs"]["diff_ids"].as_array().map(Vec::len);
        if known != Some(layers.len()) {
            return Err(self.wrong("it is no image of layers"));
        }
        let layers = layers.iter().map(|layer| self.layer(layer)).collect::<Result<_, _>>()?;
        Ok(Platform { config, layers })
    }

    /// A layer by the media type that the specification of images has for Docker's.
    fn layer(&self, layer: &Value) -> Result<Value, PortError> {
        let kind = layer["mediaType"].as_str().unwrap_or_default();
        let kind = match kind.strip_prefix("application/vnd.docker.image.rootfs.diff.tar.") {
            Some(form) => format!("application/vnd.oci.image.layer.v1.tar+{form}"),
            None if kind.starts_with("application/vnd.oci.image.layer.v1.tar") => kind.to_owned(),
            None => return Err(self.wrong(&format!("its layer of the kind {kind:?} cannot be copied"))),
        };
        let size = layer["size"].as_u64().ok_or_else(|| self.wrong("a layer has no size"))?;
        Ok(json!({ "mediaType": kind, "digest": self.digest_in(layer)?, "size": size }))
    }

    fn digest_in(&self, descriptor: &Value) -> Result<Digest, PortError> {
        let digest = descriptor["digest"].as_str().and_then(|text| text.parse().ok());
        digest.ok_or_else(|| self.wrong("it names something by no sha256"))
    }

    fn wrong(&self, message: &str) -> PortError {
        let about = format!("read the base {}@{}", self.store.place, self.digest);
        PortError::new(Problem::Invalid, about, message.to_owned())
            .hint("`modelcar-base` has to name an image for linux, by its digest")
    }

    /// Where its layers are.
    pub(super) fn store(&self) -> &OciStore {
        &self.store
    }
}

/// Images of nothing, for every kind of processor.
pub(super) fn scratch() -> Vec<Platform> {
    let empty = |architecture: &&str| Platform {
        config: json!({ "os": "linux", "architecture": architecture, "rootfs": { "type": "layers" } }),
        layers: vec![],
    };
    ARCHITECTURES.iter().map(empty).collect()
}
