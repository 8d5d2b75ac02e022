//! A release as an image whose files lie under `/models`, which is what `KServe` reads: it knows no `ModelPack`.
//!
//! The image is made of blobs that the repository has already: they are read and sent again, as members of an archive, without
//! being held in memory or on disk. Layers are not compressed: weights hardly are smaller then.

mod base;
mod layers;
mod tar;
#[cfg(test)]
pub(super) mod tests;

use serde_json::{Value, json};
use tagship_domain::{Digest, Manifest, Release};
use tagship_ports::{PortError, Problem};

pub(super) use self::base::Base;
use self::{base::Platform, layers::Layer};
use super::{
    OciStore,
    layout::Layout,
    manifests,
    stream::{self, Blob, Piece},
    tags,
};
use crate::disk::digest_of;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Digest of the manifest of the release that an image shows.
const SHOWS: &str = "dev.tagship.manifest";
/// What a layer consists of: two layers with the same key have the same bytes.
const KEY: &str = "dev.tagship.files";

/// How releases become modelcars.
#[derive(Clone)]
pub(super) struct Modelcar {
    /// What they are made on; absent where they hold nothing but models.
    pub(super) base: Option<Base>,
}

impl OciStore {
    /// Makes the image of a release unless all of it is there, and answers its digest.
    pub(super) async fn publish_modelcar(
        &self,
        modelcar: &Modelcar,
        release: &Release,
        manifest: &Manifest,
    ) -> Result<Digest, PortError> {
        let tag = tags::of_modelcar(release);
        if let Some(found) = self.tagged(&tag).await? {
            let images = self.must_be_image(&tag, &found, modelcar, release, manifest).await?;
            if self.has_all(&images).await? {
                return Ok(digest_of(&found));
            }
        }
        if let Some(file) = manifest.files.iter().find(|file| layers::takes_away(&file.path)) {
            let message = format!("the name {:?} takes other files away in an image", file.path);
            return Err(PortError::new(
                Problem::Unsupported,
                format!("write {tag} to {}", self.place),
                message,
            )
            .hint("rename the file, or leave `modelcar` out"));
        }
        let mut models = vec![];
        let layers = layers::of(&manifest.files);
        let earlier = self.earlier_layers(release, manifest).await?;
        for layer in &layers {
            models.push(self.layer(layer, &earlier).await?);
        }
        let platforms = modelcar.platforms().await?;
        if let Some(base) = &modelcar.base {
            self.copy_layers(base, &platforms).await?;
        }
        let images: Vec<Image> =
            platforms.into_iter().map(|platform| Image::of(release, manifest, platform, &models)).collect();
        for image in &images {
            if !self.has_part(&image.described, image.config.len() as u64).await? {
                self.send_blob(&image.described, image.config.as_bytes()).await?;
            }
            let digest = digest_of(image.manifest.as_bytes());
            self.put_manifest(&digest.to_string(), image.manifest.clone(), manifests::MANIFEST).await?;
        }
        let index = index(&images, release);
        let digest = digest_of(index.as_bytes());
        self.tag_as(&tag, index, manifests::INDEX).await?;
        for layer in &layers {
            self.let_go(layer).await;
        }
        Ok(digest)
    }

    /// Whether everything is there that an index names: a registry keeps an index whose parts it has lost, and whoever may
    /// push may have taken them away.
    async fn has_all(&self, images: &[Image]) -> Result<bool, PortError> {
        for image in images {
            let digest = digest_of(image.manifest.as_bytes());
            let there = self.tagged(&digest.to_string()).await?;
            if there.is_none_or(|there| there != image.manifest.as_bytes())
                || !self.has_part(&image.described, image.config.len() as u64).await?
            {
                return Ok(false);
            }
            for (digest, size) in image.layers.iter().filter_map(named) {
                if !self.has_part(&digest, size).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Sees that a tag that is there names the image of this release. What the registry says of it proves nothing, for others
    /// may push to it: the image is derived from the files once more.
    async fn must_be_image(
        &self,
        tag: &str,
        found: &[u8],
        modelcar: &Modelcar,
        release: &Release,
        manifest: &Manifest,
    ) -> Result<Vec<Image>, PortError> {
        let mut models = vec![];
        for layer in layers::of(&manifest.files) {
            let (digest, size) = stream::digest_of_pieces(layer.pieces(self)).await?;
            models.push(described(&layer.key(), &digest, size));
        }
        let platforms = modelcar.platforms().await?;
        let images: Vec<Image> =
            platforms.into_iter().map(|platform| Image::of(release, manifest, platform, &models)).collect();
        if found == index(&images, release).as_bytes() {
            return Ok(images);
        }
        let shown: Value = serde_json::from_slice(found).unwrap_or_default();
        let taken = self.is_taken(tag, found);
        Err(if shown["annotations"][SHOWS] == release.manifest.to_string() {
            taken.hint(
                "it says that it is the image of this release, and is another one than the files and `modelcar-base` make: set \
                 `modelcar-base` to what it was made on, or find out who pushed it, remove the tag and run again",
            )
        } else {
            taken
        })
    }

    /// Layers of the version before: a file that did not change need not be sent again.
    async fn earlier_layers(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Value>, PortError> {
        let Some(version) = manifest.previous.clone() else { return Ok(vec![]) };
        let previous = Release { version, ..release.clone() };
        let Some(index) = self.tagged(&tags::of_modelcar(&previous)).await? else { return Ok(vec![]) };
        let index: Value = serde_json::from_slice(&index).unwrap_or_default();
        let Some(image) = index["manifests"][0]["digest"].as_str() else { return Ok(vec![]) };
        let image = self.tagged(image).await?.unwrap_or_default();
        let image: Value = serde_json::from_slice(&image).unwrap_or_default();
        Ok(image["layers"].as_array().cloned().unwrap_or_default())
    }

    /// The descriptor of a layer, which is sent unless it is there. A small manifest of its own holds it until the image does.
    async fn layer(&self, layer: &Layer<'_>, earlier: &[Value]) -> Result<Value, PortError> {
        let key = layer.key();
        let same = |found: &&Value| found["annotations"][KEY] == key.to_string();
        let known = earlier.iter().find(same).and_then(|layer| layer["digest"].as_str()?.parse().ok());
        let tag = tags::of_layer(&key);
        let known = match known {
            Some(known) => Some(known),
            None => {
                let held = self.tagged(&tag).await?;
                held.and_then(|held| manifests::held(&held)).map(|held| held.digest)
            }
        };
        // Whoever may push can write such a word, so that it counts only where the files make the same layer.
        if let Some(known) = known
            && self.size(&known).await?.is_some()
        {
            let (digest, size) = stream::digest_of_pieces(layer.pieces(self)).await?;
            if digest == known && self.has_part(&digest, size).await? {
                return Ok(described(&key, &digest, size));
            }
        }
        let about = format!("write a layer of a modelcar to {}", self.place);
        let (digest, size) = self.send_pieces(&about, &layer.pieces(self)).await?;
        self.must_have(manifests::EMPTY).await?;
        let holder = manifests::holder(&digest, &Layout::whole(&digest, size), self.clock.now());
        self.put_manifest(&tag, holder, manifests::MANIFEST).await?;
        Ok(described(&key, &digest, size))
    }

    /// Takes away what held a layer that an image holds now. Where the registry removes nothing, it stays and does no harm.
    async fn let_go(&self, layer: &Layer<'_>) {
        if let Ok(Some(holder)) = self.tagged(&tags::of_layer(&layer.key())).await {
            let _ = self.remove_manifest(&digest_of(&holder)).await;
        }
    }

    async fn copy_layers(&self, base: &Base, platforms: &[Platform]) -> Result<(), PortError> {
        for layer in platforms.iter().flat_map(|platform| &platform.layers) {
            let Some((digest, size)) = named(layer) else { continue };
            if self.has_part(&digest, size).await? {
                continue;
            }
            // What is read is compared with the digest and the size that the base names before the registry keeps it.
            let about = format!("copy {digest} from {} to {}", base.store().place, self.place);
            let blob = Blob { store: base.store().clone(), digest: digest.clone(), size };
            self.send_pieces(&about, &[Piece::Blob(blob)]).await?;
            if !self.has_part(&digest, size).await? {
                let message = "it was sent, and the registry keeps something else in its place";
                return Err(PortError::new(Problem::Invalid, about, message)
                    .hint("remove that blob from the registry's own storage and run again"));
            }
        }
        Ok(())
    }
}

impl Modelcar {
    async fn platforms(&self) -> Result<Vec<Platform>, PortError> {
        match &self.base {
            None => Ok(base::scratch()),
            Some(base) => base.platforms().await,
        }
    }
}

/// What a descriptor names.
fn named(descriptor: &Value) -> Option<(Digest, u64)> {
    Some((descriptor["digest"].as_str()?.parse().ok()?, descriptor["size"].as_u64()?))
}

/// The image for one kind of processor.
struct Image {
    config: String,
    /// The digest of its configuration.
    described: Digest,
    /// Descriptors of its layers, those of the base first.
    layers: Vec<Value>,
    manifest: String,
    /// What stands of it in the index.
    descriptor: Value,
}

impl Image {
    fn of(release: &Release, manifest: &Manifest, platform: Platform, models: &[Value]) -> Self {
        let Platform { config, mut layers } = platform;
        layers.extend_from_slice(models);
        let mut runs_on = json!({ "os": "linux", "architecture": config["architecture"] });
        if let Some(variant) = config.get("variant") {
            runs_on["variant"] = variant.clone();
        }
        let config = with_models(config, release, manifest, models).to_string();
        let described = digest_of(config.as_bytes());
        let configured = manifests::descriptor(CONFIG, &described, config.len() as u64);
        let manifest = manifests::image(&configured, &layers);
        let digest = digest_of(manifest.as_bytes());
        let mut descriptor = manifests::descriptor(manifests::MANIFEST, &digest, manifest.len() as u64);
        descriptor["platform"] = runs_on;
        Self { config, described, layers, manifest, descriptor }
    }
}

fn index(images: &[Image], release: &Release) -> String {
    let images: Vec<Value> = images.iter().map(|image| image.descriptor.clone()).collect();
    manifests::index(&images, &json!({ SHOWS: release.manifest }))
}

fn described(key: &Digest, digest: &Digest, size: u64) -> Value {
    let mut layer = manifests::descriptor(LAYER, digest, size);
    layer["annotations"] = json!({ KEY: key });
    layer
}

/// The configuration of an image with layers of models on top.
fn with_models(mut config: Value, release: &Release, manifest: &Manifest, models: &[Value]) -> Value {
    let appended = |there: &Value, more: Vec<Value>| {
        let there = there.as_array().cloned().unwrap_or_default();
        there.into_iter().chain(more).collect::<Value>()
    };
    // Without compression, a layer is what it unpacks to.
    let layers = models.iter().map(|layer| layer["digest"].clone()).collect();
    config["rootfs"]["diff_ids"] = appended(&config["rootfs"]["diff_ids"], layers);
    let created = manifest.created.to_string();
    let history = json!({ "created": created, "created_by": format!("tagship release {release}") });
    config["history"] = appended(&config["history"], vec![history; models.len()]);
    config["created"] = created.into();
    config["config"]["Labels"]["org.opencontainers.image.version"] = manifest.version.to_string().into();
    config["config"]["Labels"]["org.opencontainers.image.revision"] = manifest.commit.to_string().into();
    config
}
