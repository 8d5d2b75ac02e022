//! Manifests: what holds a single blob, and a release as a model.
//!
//! The layout of models is `ModelPack`'s (github.com/modelpack/model-spec, `docs/spec.md` and `docs/config.md`), raw layers, one
//! per file. Files are named twice: by `ModelPack`'s annotation and by the title that oras and Podman look for.

use serde_json::{Value, json};
use tagship_domain::{Digest, FileEntry, Manifest, Timestamp};

use crate::disk::digest_of;

/// Media type of every manifest.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of an index of images.
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What manifests and indexes are answered as: those of the specification, and Docker's.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";
/// What a manifest is that holds one blob.
const HOLDER: &str = "application/vnd.tagship.blob.v1";
/// What stands where a manifest needs a configuration and has none.
pub(super) const EMPTY: &[u8] = b"{}";

/// When a manifest was made, as the image specification names it.
const CREATED: &str = "org.opencontainers.image.created";

/// What a manifest that holds one blob says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// When the blob was last stored; manifests of earlier versions do not say it.
    pub(super) stored: Option<Timestamp>,
}

/// The manifest that holds one blob, which was stored at some time.
pub(super) fn holder(digest: &Digest, size: u64, stored: Timestamp) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": HOLDER,
        "config": descriptor("application/vnd.oci.empty.v1+json", &digest_of(EMPTY), EMPTY.len() as u64),
        "layers": [descriptor("application/octet-stream", digest, size)],
        "annotations": { CREATED: stored.to_string() },
    })
    .to_string()
}

/// Reads a manifest that holds one blob; absent for any other manifest.
pub(super) fn held(manifest: &[u8]) -> Option<Held> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let [layer] = manifest["layers"].as_array()?.as_slice() else { return None };
    (manifest["artifactType"] == HOLDER).then_some(())?;
    Some(Held {
        digest: layer["digest"].as_str()?.parse().ok()?,
        size: layer["size"].as_u64()?,
        stored: manifest["annotations"][CREATED].as_str().and_then(|text| text.parse().ok()),
    })
}

pub(super) fn descriptor(kind: &str, digest: &Digest, size: u64) -> Value {
    json!({ "mediaType": kind, "digest": digest.to_string(), "size": size })
}

/// `ModelPack`'s description of a model.
pub(super) fn config(manifest: &Manifest) -> String {
    let layers: Vec<String> = manifest.files.iter().map(|file| file.sha256.to_string()).collect();
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

/// The manifest of a model, whose configuration is a blob of so many bytes.
pub(super) fn model(manifest: &Manifest, config: &Digest, size: usize) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.cncf.model.manifest.v1+json",
        "config": descriptor("application/vnd.cncf.model.config.v1+json", config, size as u64),
        "layers": manifest.files.iter().map(layer).collect::<Vec<_>>(),
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

fn layer(file: &FileEntry) -> Value {
    let mut layer = descriptor(
        &format!("application/vnd.cncf.model.{}.v1.raw", kind(&file.path)),
        &file.sha256,
        file.size,
    );
    layer["annotations"] = json!({
        "org.cncf.model.filepath": file.path,
        "org.opencontainers.image.title": file.path,
    });
    layer
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
        let text = holder(&digest, 7, now);
        assert_eq!(held(text.as_bytes()).unwrap(), Held { digest, size: 7, stored: Some(now) });
        assert_eq!(held(b"{}"), None);
        let holder: Value = serde_json::from_str(&text).unwrap();
        // The digest of `{}`, as the image specification states it.
        let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(holder["config"]["digest"], empty);
        assert_eq!((&holder["layers"][0]["size"], &holder["schemaVersion"]), (&json!(7), &json!(2)));
    }
}
