//! Taking an artifact that others have pushed: a manifest whose layers are files, as `ModelPack` and `oras` write them.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header};
use serde::Deserialize;
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem, model_registry::Fetched};

use super::{
    OciStore, digest_of, manifests,
    registry::{Ask, LARGEST, read, refused},
};
use crate::{http, taking::Taking};

/// Annotations that hold the name of a layer's file, the better one first.
const NAMES: [&str; 2] = [manifests::FILEPATH, manifests::TITLE];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pushed {
    #[serde(default)]
    layers: Option<Vec<Layer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Layer {
    fn name(&self) -> Option<&str> {
        NAMES.iter().find_map(|name| self.annotations.get(*name)).map(String::as_str)
    }

    fn is_archive(&self) -> bool {
        self.media_type.contains(".tar")
            || self.media_type.contains("+gzip")
            || self.media_type.contains("+zstd")
    }
}

impl OciStore {
    /// Fetches what a tag or a digest names.
    ///
    /// # Errors
    /// [`Problem::NotFound`] where nothing is there, [`Problem::Unsupported`] for an image or an index, whose layers are no
    /// files, [`Problem::Invalid`] for bytes that do not have their digest.
    pub(crate) async fn take(
        &self,
        about: &str,
        reference: &str,
        mut taking: Taking,
    ) -> Result<Fetched, PortError> {
        let layers = self.layers(about, reference).await?;
        taking.expect(layers.iter().fold(0, |sum: u64, layer| sum.saturating_add(layer.size)))?;
        let is_directory = layers.len() > 1;
        for layer in layers {
            let unsupported = |message: String| {
                PortError::new(Problem::Unsupported, about, message).hint(
                    "push the files as they are, each a layer: `oras push`, or ModelPack with raw layers",
                )
            };
            let Some(name) = layer.name().map(str::to_owned) else {
                return Err(unsupported(format!("the layer {} has no name of a file", layer.digest)));
            };
            if let Some(file) = layer.annotations.get(manifests::PART_OF) {
                let message = format!("the layer {name:?} is a part of {file:?}");
                return Err(PortError::new(Problem::Unsupported, about, message).hint(
                    "a release whose files are kept in parts is fetched by `tagship pull`, from its project",
                ));
            }
            if layer.is_archive() {
                return Err(unsupported(format!("the layer {name:?} is an archive ({})", layer.media_type)));
            }
            let ask = self.ask(about, Method::GET, &format!("blobs/{}", layer.digest));
            let ask = Ask { size: layer.size, ..ask };
            let mut answered = self.registry.send(&ask).await?;
            if answered.status() != StatusCode::OK {
                return Err(refused(about, answered).await);
            }
            let lost = |error: reqwest::Error| {
                PortError::new(Problem::Unreachable, about, format!("{name}: {}", http::cause(&error)))
            };
            let mut incoming = taking.begin(&name)?;
            while let Some(chunk) = answered.chunk().await.map_err(lost)? {
                incoming.write(&chunk)?;
            }
            let found = incoming.end(Some(layer.size))?;
            if found != layer.digest {
                let message = format!("the bytes of {name} are {found}, not {}", layer.digest);
                return Err(PortError::new(Problem::Invalid, about, message));
            }
        }
        taking.finish(is_directory, None)
    }

    async fn layers(&self, about: &str, reference: &str) -> Result<Vec<Layer>, PortError> {
        let mut ask = self.ask(about, Method::GET, &format!("manifests/{reference}"));
        ask.headers.push((header::ACCEPT, manifests::MANIFEST.to_owned()));
        let answered = self.registry.send(&ask).await?;
        if answered.status() != StatusCode::OK {
            return Err(refused(about, answered).await);
        }
        let bytes = read(about, answered, LARGEST).await?;
        let invalid = |message: String| PortError::new(Problem::Invalid, about, message);
        if let Ok(wanted) = reference.parse::<Digest>()
            && digest_of(&bytes) != wanted
        {
            return Err(invalid(format!("the manifest is {}, not {wanted}", digest_of(&bytes))));
        }
        let pushed: Pushed = serde_json::from_slice(&bytes)
            .map_err(|error| invalid(format!("the manifest is none: {error}")))?;
        pushed.layers.ok_or_else(|| {
            PortError::new(Problem::Unsupported, about, "it is an index of several manifests")
                .hint("name one of them by its digest, NAME@sha256:...")
        })
    }
}
