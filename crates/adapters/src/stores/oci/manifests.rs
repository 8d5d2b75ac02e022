//! Manifests: what holds the blobs of a file, and a release as a model.
//!
//! The layout of models is `ModelPack`'s (github.com/modelpack/model-spec, `docs/spec.md` and `docs/config.md`), raw layers, one
//! per file. Files are named twice: by `ModelPack`'s annotation and by the title that oras and Podman look for.

use serde_json::{Value, json};
use tagship_domain::{Digest, FileEntry, Manifest, Timestamp};

use super::layout::{Layout, Part};
use crate::disk::digest_of;

/// Media type of every manifest.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an index of images.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What manifests and indexes are answered as: those of the specification, and Docker's.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// What a manifest is that holds one blob, which is a file.
const HOLDER: &str = "application/vnd.tagship.blob.v1";
/// What a manifest is that holds the parts of a file.
const HOLDER_OF_PARTS: &str = "application/vnd.tagship.parts.v1";
/// The digest of the file that parts make.
const WHOLE: &str = "dev.tagship.whole";
/// The path of the file of which a layer is a part.
pub(super) const PART_OF: &str = "dev.tagship.part-of";
/// What stands where a manifest needs a configuration and has none.
pub(super) const EMPTY: &[u8] = b"{}";

/// The name of a layer's file, as `ModelPack` writes it.
pub(super) const FILEPATH: &str = "org.cncf.model.filepath";
/// The same as oras and Podman look for it.
pub(super) const TITLE: &str = "org.opencontainers.image.title";
/// When a manifest was made, as the image specification names it.
const CREATED: &str = "org.opencontainers.image.created";

/// What a manifest that holds a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) digest: Digest,
    pub(super) layout: Layout,
    /// When the file was last stored; manifests of earlier versions do not say it.
    pub(super) stored: Option<Timestamp>,
}

/// The manifest that holds a file, which was stored at some time.
pub(super) fn holder(digest: &Digest, layout: &Layout, stored: Timestamp) -> String {
    let blob = |part: &Part| descriptor("application/octet-stream", &part.digest, part.size);
    let (kind, annotations) = if layout.is_whole() {
        (HOLDER, json!({ CREATED: stored.to_string() }))
    } else {
        (HOLDER_OF_PARTS, json!({ CREATED: stored.to_string(), WHOLE: digest }))
    };
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": descriptor("application/vnd.oci.empty.v1+json", &digest_of(EMPTY), EMPTY.len() as u64),
        "layers": layout.parts().iter().map(blob).collect::<Vec<_>>(),
        "annotations": annotations,
    })
    .to_string()
}

/// Reads a manifest that holds a file; absent for any other manifest.
pub(super) fn held(manifest: &[u8]) -> Option<Held> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let blob = |layer: &Value| {
        Some(Part { digest: layer["digest"].as_str()?.parse().ok()?, size: layer["size"].as_u64()? })
    };
    let layout = Layout::of(manifest["layers"].as_array()?.iter().map(blob).collect::<Option<_>>()?)?;
    let digest = match manifest["artifactType"].as_str()? {
        HOLDER if layout.is_whole() => layout.parts()[0].digest.clone(),
        HOLDER_OF_PARTS => manifest["annotations"][WHOLE].as_str()?.parse().ok()?,
        _ => return None,
    };
    let stored = manifest["annotations"][CREATED].as_str().and_then(|text| text.parse().ok());
    Some(Held { digest, layout, stored })
}

pub(super) fn descriptor(kind: &str, digest: &Digest, size: u64) -> Value {
    json!({ "mediaType": kind, "digest": digest.to_string(), "size": size })
}

/// `ModelPack`'s description of a model whose files lie so.
pub(super) fn config(manifest: &Manifest, layouts: &[Layout]) -> String {
    let layers: Vec<&Digest> = layouts.iter().flat_map(Layout::parts).map(|part| &part.digest).collect();
    json!({
        "descriptor": {
            "createdAt": manifest.created.to_string(),
            "name": manifest.model.to_string(),
            "version": manifest.version.to_string(),
            "revision": manifest.commit.to_string(),
        },
        "config": { "format": manifest.format },
        "modelfs": { "type": "layers", "diffIds": layers },
    })
    .to_string()
}

/// The manifest of a model whose files lie so, and whose configuration is a blob of so many bytes.
pub(super) fn model(manifest: &Manifest, layouts: &[Layout], config: &Digest, size: usize) -> String {
    let layers: Vec<Value> =
        manifest.files.iter().zip(layouts).flat_map(|(file, layout)| layers(file, layout)).collect();
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.cncf.model.manifest.v1+json",
        "config": descriptor("application/vnd.cncf.model.config.v1+json", config, size as u64),
        "layers": layers,
        "annotations": { "org.opencontainers.image.revision": manifest.commit.to_string() },
    })
    .to_string()
}

/// The manifest of an image for one kind of processor.
pub(super) fn image(config: &Value, layers: &[Value]) -> String {
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers }).to_string()
}

/// The index of images for several kinds of processors.
pub(super) fn index(images: &[Value], annotations: &Value) -> String {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": images, "annotations": annotations })
        .to_string()
}

/// The layers of a file: one, or one for each of its parts, which are named in the order in which they make the file.
fn layers(file: &FileEntry, layout: &Layout) -> Vec<Value> {
    let kind = format!("application/vnd.cncf.model.{}.v1.raw", kind(&file.path));
    let count = layout.parts().len();
    let layer = |(index, part): (usize, &Part)| {
        let named = |path: &str| json!({ FILEPATH: path, TITLE: path });
        let mut layer = descriptor(&kind, &part.digest, part.size);
        layer["annotations"] = if layout.is_whole() {
            named(&file.path)
        } else {
            named(&format!("{}.{:05}-of-{count:05}", file.path, index + 1))
        };
        if !layout.is_whole() {
            layer["annotations"][PART_OF] = file.path.clone().into();
        }
        layer
    };
    layout.parts().iter().enumerate().map(layer).collect()
}

/// Whether a manifest has a layer that is a part of a file.
pub(super) fn has_parts(manifest: &[u8]) -> bool {
    let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let layers = manifest["layers"].as_array().map(Vec::as_slice).unwrap_or_default();
    layers.iter().any(|layer| !layer["annotations"][PART_OF].is_null())
}

/// What a file is to `ModelPack`.
fn kind(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension {
        "md" | "rst" | "pdf" => "doc",
        _ if name.starts_with("license") => "doc",
        "py" | "ipynb" | "sh" => "code",
        "json" | "yaml" | "yml" | "txt" | "toml" | "jinja" => "weight.config",
        _ => "weight",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_kinds_that_readers_look_for() {
        for (path, wanted) in [
            ("model.onnx", "weight"),
            ("a/model-00001.safetensors", "weight"),
            ("config.json", "weight.config"),
            ("README.md", "doc"),
            ("LICENSE", "doc"),
            ("modeling.py", "code"),
        ] {
            assert_eq!(kind(path), wanted, "{path}");
        }
    }

    #[test]
    fn a_holder_is_the_manifest_that_the_specification_has_for_artifacts() {
        let digest: Digest = format!("sha256:{}", "ab".repeat(32)).parse().unwrap();
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let layout = Layout::whole(&digest, 7);
        let text = holder(&digest, &layout, now);
        assert_eq!(held(text.as_bytes()).unwrap(), Held { digest, layout, stored: Some(now) });
        assert_eq!(held(b"{}"), None);
        let holder: Value = serde_json::from_str(&text).unwrap();
        // The digest of `{}`, as the image specification states it.
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(holder["config"]["digest"], empty);
        assert_eq!((&holder["layers"][0]["size"], &holder["schemaVersion"]), (&json!(7), &json!(2)));
    }
}
