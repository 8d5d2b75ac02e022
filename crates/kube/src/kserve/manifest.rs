//! The `InferenceService` of a version: the team's manifest, with what Tagship marks it with.
//!
//! Its annotations and labels never change again: `KServe` hands them to the pods, so that every other one would make a new
//! revision. The one exception is the label that keeps it inside the cluster, which goes to no pod.

use std::path::Path;

use serde_json::{Value, json};
use tagship_domain::{Digest, ModelName, Version};
use tagship_ports::PortError;

use super::settings::{KserveSettings, Mode, OPERATION, wrong};
use crate::{
    cluster::{Kind, MANAGER},
    owners::{MANAGED_BY, MODEL},
    template::{Places, Template},
};

/// Keeps the addresses of an `InferenceService` inside the cluster.
pub(super) const VISIBILITY: &str = "networking.kserve.io/visibility";
pub(super) const INSIDE: &str = "cluster-local";
pub(super) const MODE: &str = "serving.kserve.io/deploymentMode";
pub(super) const KNATIVE: &str = "Knative";
pub(super) const STANDARD: &str = "Standard";
/// The place in a manifest for the address of the bytes in the store of the releases.
const ADDRESS: &str = "{{address}}";
/// The protocol by which a version is asked whether its model is loaded.
const PROTOCOL: &str = "v2";
/// The container of a predictor that runs the model.
const CONTAINER: &str = "kserve-container";
/// Stores whose addresses can name the digest of the model.
const SCHEMES: [&str; 5] = ["s3://", "gs://", "pvc://", "hdfs://", "https://"];

/// A version, and where its bytes are; empty where the manifest says that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) model: &'a ModelName,
    pub(super) version: &'a Version,
    pub(super) digest: &'a Digest,
    pub(super) address: &'a str,
}

/// An `InferenceService` as the team wrote it, with places for the version.
#[derive(Debug, Clone)]
pub(super) struct Manifest {
    template: Template,
    mode: Mode,
}

impl Manifest {
    /// Reads the manifest from a file of the repository, and tries it out.
    pub(super) fn read(root: &Path, file: &str, mode: Mode) -> Result<Self, PortError> {
        let template = Template::read(root, file, OPERATION, "an InferenceService")?;
        let manifest = Self { template, mode };
        manifest.refuse_unusable().map_err(|why| wrong(format!("`manifest` {file}: {why}")))?;
        Ok(manifest)
    }

    /// Whether it has a place for the address of the bytes.
    pub(super) fn wants_address(&self) -> bool {
        self.template.0.contains(ADDRESS)
    }

    fn refuse_unusable(&self) -> Result<(), String> {
        let model = ModelName::new("model").map_err(|error| error.to_string())?;
        let tried = |digest: &Digest| {
            let stored = format!("s3://store/{}", digest.hex());
            let of = Of { model: &model, version: &Version::new(1, 0, 0), digest, address: &stored };
            self.checked(of, "a").map(|object| address(&object["spec"]["predictor"]).to_owned())
        };
        let (one, two) = (tried(&Digest::from_bytes([0; 32]))?, tried(&Digest::from_bytes([1; 32]))?);
        // Bytes that change under one address would be loaded by every pod that starts.
        if one == two {
            return Err(
                "its `storageUri` uses none of {{address}}, {{digest}} and {{digest-hex}}, so that it is not known which bytes \
                 it leads to"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The `InferenceService` of a version. Nobody outside the cluster reaches it before a version is given traffic.
    pub(super) fn service(&self, settings: &KserveSettings, of: Of<'_>) -> Result<Value, String> {
        let mut object = self.checked(of, &settings.name)?;
        object["metadata"]["name"] = json!(settings.name);
        object["metadata"]["namespace"] = json!(settings.namespace);
        object["metadata"]["labels"][MANAGED_BY] = json!(MANAGER);
        object["metadata"]["labels"][VISIBILITY] = json!(INSIDE);
        object["metadata"]["annotations"][MODEL] = json!(of.model.to_string());
        object["metadata"]["annotations"][MODE] =
            json!(if self.mode == Mode::Standard { STANDARD } else { KNATIVE });
        if self.mode == Mode::Standard {
            // Pods go by the name of their predictor, and stay when a canary takes the place of it.
            let predictor = &mut object["spec"]["predictor"];
            if predictor["model"].get("name").is_none() {
                // Its definition asks for it in canaries alone; elsewhere KServe fills in the same.
                predictor["model"]["name"] = json!(CONTAINER);
            }
            predictor["name"] = json!(format!("v{}", &of.digest.hex()[..8]));
        }
        Ok(object)
    }

    fn refuse_other_mode(&self, object: &Value) -> Result<(), String> {
        let names = match self.mode {
            Mode::Knative => [KNATIVE, "Serverless"],
            Mode::Standard => [STANDARD, "RawDeployment"],
        };
        let written = object["metadata"]["annotations"].get(MODE);
        if written.is_none_or(|written| names.iter().any(|name| written == name)) {
            return Ok(());
        }
        Err(format!(
            "its annotation `{MODE}` is not {}, which is the target's mode; KServe shares traffic by percent in {KNATIVE} mode, \
             and in {STANDARD} mode where its routes carry canaries (`mode: standard`); use target gateway-api for other modes",
            names[0]
        ))
    }

    fn checked(&self, of: Of<'_>, name: &str) -> Result<Value, String> {
        let Of { model, version, digest, address } = of;
        let template = Template(self.template.0.replace(ADDRESS, address));
        let object = template.object(&Places { model, version, digest, name })?;
        if object["kind"] != "InferenceService"
            || object["apiVersion"] != Kind::InferenceService.api_version().as_str()
        {
            return Err("it holds no InferenceService of serving.kserve.io/v1beta1".to_owned());
        }
        for place in ["/metadata", "/metadata/labels", "/metadata/annotations"] {
            if object.pointer(place).is_some_and(|there| !there.is_object()) {
                return Err(format!("`{}` is no mapping", place[1..].replace('/', ".")));
            }
        }
        self.refuse_other_mode(&object)?;
        if self.mode == Mode::Standard {
            refuse_in_canaries(&object["spec"]["predictor"])?;
        }
        refuse_predictor(&object["spec"]["predictor"], address)?;
        Ok(object)
    }
}

/// What `KServe`'s webhook refuses in a canary.
fn refuse_in_canaries(predictor: &Value) -> Result<(), String> {
    let refused = ["maxReplicas", "scaleTarget", "scaleMetric", "autoScaling", "workerSpec", "name"];
    match refused.iter().find(|field| predictor.get(**field).is_some()) {
        Some(field) => {
            Err(format!("`spec.predictor.{field}` is not for canaries in Standard mode: take it out"))
        }
        None if predictor.get("minReplicas").is_none() => {
            Err("`spec.predictor.minReplicas` is missing: a canary without traffic would have no pods"
                .to_owned())
        }
        None => Ok(()),
    }
}

/// `stored`: the address of the bytes in the store of the releases, which names them by digest.
fn refuse_predictor(predictor: &Value, stored: &str) -> Result<(), String> {
    let address = address(predictor);
    let is_stored = !stored.is_empty() && address == stored;
    if address.starts_with("oci") && !is_stored {
        return Err(
            "its `storageUri` is an image, whose digest is another one than the model's; write {{address}}, which is the \
             image that the store oci made of the release"
                .to_owned(),
        );
    }
    if !is_stored && !SCHEMES.iter().any(|scheme| address.starts_with(scheme)) {
        return Err(format!(
            "`spec.predictor.model.storageUri` begins with none of {}: {address:?}",
            SCHEMES.join(", ")
        ));
    }
    if predictor.get("canaryTrafficPercent").is_some() {
        return Err("`canaryTrafficPercent` is Tagship's: take it out".to_owned());
    }
    if predictor["model"]["protocolVersion"] != PROTOCOL {
        return Err(format!(
            "`spec.predictor.model.protocolVersion` is not {PROTOCOL}: a version is asked by the Open Inference Protocol v2 \
             whether its model is loaded"
        ));
    }
    // A version without traffic would have no pods, and could not be asked.
    if predictor.get("minReplicas").is_some_and(|replicas| replicas.as_u64().unwrap_or_default() == 0) {
        return Err("`minReplicas` must be 1 or more".to_owned());
    }
    Ok(())
}

/// Where the bytes of a predictor are; empty where it does not say.
pub(super) fn address(predictor: &Value) -> &str {
    predictor["model"]["storageUri"].as_str().unwrap_or_default()
}
