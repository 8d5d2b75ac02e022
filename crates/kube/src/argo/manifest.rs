//! The `Rollout` of a version: the team's manifest, with what Tagship marks it with.
//!
//! The version is known by annotations of the pod template, which Argo hands to the `ReplicaSet` of it. So it is the pods that say
//! which version they are, and no comparison of templates: Argo writes those back in another form.

use std::path::Path;

use serde_json::{Value, json};
use tagship_domain::{Digest, ModelName, Version};
use tagship_ports::PortError;

use super::{
    settings::{ArgoSettings, OPERATION, canary_service, stable_service, wrong},
    steps,
};
use crate::{
    cluster::{Kind, MANAGER},
    marks::{DIGEST, VERSION},
    owners::{MANAGED_BY, MODEL},
    template::{Places, Template},
};

/// The place in a manifest for the address of the bytes in the store of the releases.
const ADDRESS: &str = "{{address}}";
/// Fields that Tagship writes, or that give a version traffic past it, below `spec`; each with the reason.
const REFUSED: [(&str, &str); 10] = [
    ("/workloadRef", "the pod template has to be the Rollout's own: write it as `spec.template`"),
    ("/paused", "a Rollout that is paused loads nothing"),
    ("/rollbackWindow", "Argo skips the steps inside it, and gives a version everything at once"),
    (
        "/strategy/blueGreen",
        "shares of traffic are a canary's: write `spec.strategy.canary`, which is led through blue-green too",
    ),
    ("/strategy/canary/steps", "steps are Tagship's, which writes them as the rollout goes"),
    ("/strategy/canary/stableService", "Tagship makes the Services `NAME-stable` and `NAME-canary`"),
    ("/strategy/canary/canaryService", "Tagship makes the Services `NAME-stable` and `NAME-canary`"),
    (
        "/strategy/canary/dynamicStableScale",
        "without all its pods, the stable version could not take the traffic back",
    ),
    ("/strategy/canary/pingPong", "the Services would change their roles"),
    ("/strategy/canary/trafficRouting/maxTrafficWeight", "shares are in percent"),
];

/// A version, and where its bytes are; empty where the manifest says that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) model: &'a ModelName,
    pub(super) version: &'a Version,
    pub(super) digest: &'a Digest,
    pub(super) address: &'a str,
}

/// A `Rollout` as the team wrote it, with places for the version.
#[derive(Debug, Clone)]
pub(super) struct Manifest(Template);

impl Manifest {
    /// Reads the manifest from a file of the repository, and tries it out.
    pub(super) fn read(root: &Path, file: &str) -> Result<Self, PortError> {
        let manifest = Self(Template::read(root, file, OPERATION, "a Rollout")?);
        manifest.refuse_unusable().map_err(|why| wrong(format!("`manifest` {file}: {why}")))?;
        Ok(manifest)
    }

    /// Whether it has a place for the address of the bytes.
    pub(super) fn wants_address(&self) -> bool {
        self.0.0.contains(ADDRESS)
    }

    fn refuse_unusable(&self) -> Result<(), String> {
        let model = ModelName::new("model").map_err(|error| error.to_string())?;
        let tried = |digest: &Digest| {
            let stored = format!("s3://store/{}", digest.hex());
            let of = Of { model: &model, version: &Version::new(1, 0, 0), digest, address: &stored };
            self.checked(of, "a").map(|object| object["spec"]["template"]["spec"].clone())
        };
        // Pods that are the same for all bytes load whatever they find.
        if tried(&Digest::from_bytes([0; 32]))? == tried(&Digest::from_bytes([1; 32]))? {
            return Err("`spec.template.spec` uses none of {{address}}, {{digest}} and {{digest-hex}}, so that it is not known \
                        which bytes its pods load"
                .to_owned());
        }
        Ok(())
    }

    /// The `Rollout` of a version, with steps that give it nothing.
    pub(super) fn rollout(&self, settings: &ArgoSettings, of: Of<'_>) -> Result<Value, String> {
        let mut object = self.checked(of, &settings.name)?;
        object["metadata"]["name"] = json!(settings.name);
        object["metadata"]["namespace"] = json!(settings.namespace);
        object["metadata"]["labels"][MANAGED_BY] = json!(MANAGER);
        object["metadata"]["annotations"][MODEL] = json!(of.model.to_string());
        let marks = &mut object["spec"]["template"]["metadata"]["annotations"];
        marks[VERSION] = json!(of.version.to_string());
        marks[DIGEST] = json!(of.digest.to_string());
        let canary = &mut object["spec"]["strategy"]["canary"];
        canary["stableService"] = json!(stable_service(&settings.name));
        canary["canaryService"] = json!(canary_service(&settings.name));
        canary["steps"] = steps::to(None, 0);
        Ok(object)
    }

    fn checked(&self, of: Of<'_>, name: &str) -> Result<Value, String> {
        let Of { model, version, digest, address } = of;
        let template = Template(self.0.0.replace(ADDRESS, address));
        let object = template.object(&Places { model, version, digest, name })?;
        if object["kind"] != "Rollout" || object["apiVersion"] != Kind::Rollout.api_version().as_str() {
            return Err("it holds no Rollout of argoproj.io/v1alpha1".to_owned());
        }
        let mappings = ["/metadata", "/metadata/labels", "/metadata/annotations"];
        let pods = ["/spec/template/metadata", "/spec/template/metadata/annotations"];
        for place in mappings.into_iter().chain(pods) {
            if object.pointer(place).is_some_and(|there| !there.is_object()) {
                return Err(format!("`{}` is no mapping", place[1..].replace('/', ".")));
            }
        }
        refuse_spec(&object["spec"])?;
        Ok(object)
    }
}

fn refuse_spec(spec: &Value) -> Result<(), String> {
    for (place, why) in REFUSED {
        if spec.pointer(place).is_some_and(|there| *there != json!(false)) {
            return Err(format!("`spec.{}`: {why}", place[1..].replace('/', ".")));
        }
    }
    let routing = spec["strategy"]["canary"]["trafficRouting"].as_object();
    if routing.is_none_or(serde_json::Map::is_empty) {
        return Err("`spec.strategy.canary.trafficRouting` is missing: without it Argo shares traffic by the number of pods, so that \
                    a version cannot be loaded without traffic; name the router, or use target gateway-api"
            .to_owned());
    }
    let selector = spec["selector"]["matchLabels"].as_object().filter(|labels| !labels.is_empty());
    let Some(selector) = selector.filter(|_| spec["selector"].get("matchExpressions").is_none()) else {
        return Err(
            "`spec.selector` must be of `matchLabels` alone: Services lead to the same pods".to_owned()
        );
    };
    let labels = &spec["template"]["metadata"]["labels"];
    if let Some((key, _)) = selector.iter().find(|(key, value)| labels[key.as_str()] != **value) {
        return Err(format!("label {key:?} of `spec.selector` is not the pod template's"));
    }
    // A version without pods cannot be asked.
    if spec.get("replicas").is_some_and(|replicas| replicas.as_u64().unwrap_or_default() == 0) {
        return Err("`spec.replicas` must be 1 or more".to_owned());
    }
    if spec["template"]["spec"]["containers"].as_array().is_none_or(Vec::is_empty) {
        return Err("`spec.template.spec.containers` is missing".to_owned());
    }
    Ok(())
}

/// Whether a template as it is stored runs what was written. Only texts that decide about it are compared, which nobody writes in
/// another form.
pub(super) fn runs(written: &Value, stored: &Value) -> bool {
    ["containers", "initContainers"].into_iter().all(|kind| {
        let there = stored["spec"][kind].as_array();
        let mut all = written["spec"][kind].as_array().into_iter().flatten();
        all.all(|container| {
            let mut there = there.into_iter().flatten();
            there
                .find(|there| there["name"] == container["name"])
                .is_some_and(|there| runs_same(container, there))
        })
    })
}

fn runs_same(written: &Value, stored: &Value) -> bool {
    let has = |field: &str| written.get(field).is_none_or(|value| stored[field] == *value);
    let mut variables =
        written["env"].as_array().into_iter().flatten().filter(|variable| variable["value"].is_string());
    let there = |variable: &Value| {
        let mut all = stored["env"].as_array().into_iter().flatten();
        all.any(|there| there["name"] == variable["name"] && there["value"] == variable["value"])
    };
    ["image", "command", "args"].into_iter().all(has) && variables.all(there)
}
