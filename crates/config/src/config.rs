//! The whole file: its version and its models.

use std::collections::BTreeMap;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::Deserialize;
use tagship_domain::ModelName;

use crate::{
    diagnostic::ConfigErrors,
    model::{ModelConfig, ModelLayer},
    place::{Place, Source},
    read::read,
    scalar::Scalar,
    tree::Value,
};

/// Everything that `tagship.yml` says, complete and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The models by name; never empty.
    pub models: BTreeMap<ModelName, ModelConfig>,
}

/// The format that this build reads.
const VERSION: u64 = 1;

/// Continuous delivery of the models in a repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "tagship.yml")]
struct ConfigLayer {
    /// Version of this format.
    #[schemars(required, extend("const" = VERSION))]
    #[expect(dead_code, reason = "judged before the rest is read; here for the key and its schema")]
    version: Option<u64>,
    /// The models by name.
    #[schemars(required, extend("minProperties" = 1))]
    models: Option<BTreeMap<ModelName, ModelLayer>>,
}

impl Config {
    /// Reads and checks a configuration. `file_name` is only for messages.
    ///
    /// # Errors
    /// Everything that is wrong with the text, each with its place: first what does not fit the format, then,
    /// once everything does, what does not make sense.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, ConfigErrors> {
        let source = Source::parse(file_name, text)?;
        check_version(&source.root());
        source.errors()?;
        let layer: Option<ConfigLayer> = read(&source);
        source.errors()?;
        let models = layer.and_then(|layer| layer.models).unwrap_or_default();
        let models = resolve_models(models, &source.root().key("models"));
        source.errors()?;
        Ok(Self { models })
    }
}

/// Another format would only give misleading errors about its keys.
fn check_version(root: &Place<'_>) {
    let place = root.key("version");
    match (root.node().map(|node| &node.value), place.node().map(|node| &node.value)) {
        (_, Some(Value::Scalar(Scalar::Natural(VERSION)))) => {}
        (_, Some(Value::Scalar(Scalar::Natural(found)))) => {
            let message =
                format!("this file has version {found} of the format, this tagship reads {VERSION}");
            place.report(message, (*found > VERSION).then(|| "a newer tagship may read it".to_owned()));
        }
        (_, Some(_)) => report_version(&place, "the version is a whole number"),
        (Some(Value::Mapping(_)), None) => report_version(&place, "the key `version` is missing"),
        (Some(Value::Scalar(Scalar::Null)), None) => report_version(root, "the file is empty"),
        (_, None) => report_version(root, "expected a mapping with the keys `version` and `models`"),
    }
}

fn report_version(place: &Place<'_>, message: &str) {
    place.report(message.to_owned(), Some(format!("write `version: {VERSION}` at the top")));
}

fn resolve_models(
    layers: BTreeMap<ModelName, ModelLayer>,
    place: &Place<'_>,
) -> BTreeMap<ModelName, ModelConfig> {
    if layers.is_empty() {
        let help = "name one, e.g. `models: { churn: { artifact: models/churn } }`".to_owned();
        place.report("the file names no model".to_owned(), Some(help));
    }
    let mut resolved = BTreeMap::new();
    let mut artifacts = BTreeMap::new();
    for (name, layer) in layers {
        let at = place.key(name.as_str());
        let Some(model) = layer.resolve(&at) else { continue };
        if let Some(other) = artifacts.insert(model.artifact.clone(), name.clone()) {
            let message =
                format!("the models `{other}` and `{name}` have one artifact, `{}`", model.artifact);
            at.key("artifact").report(message, Some("give each model its own file or directory".to_owned()));
        }
        resolved.insert(name, model);
    }
    resolved
}

/// The JSON Schema (draft 07, which editors read best) of `tagship.yml`, from the types that read it.
pub fn config_schema() -> serde_json::Value {
    SchemaSettings::draft07().into_generator().into_root_schema_for::<ConfigLayer>().to_value()
}
