//! The bill of materials of a release: `CycloneDX` 1.6 with a model card, as scanners and procurement read it.
//!
//! Only what the manifest and the author's README state. Nothing of it depends on when or where it is made, so that the
//! same release has the same document.

use serde::Serialize;
use serde_json::Value;
use tagship_domain::{FileEntry, Manifest, TensorSpec, release::Attachment};

use crate::{card::Readme, error::ReleaseError};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom {
    #[serde(rename = "bomFormat")]
    format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Metadata {
    timestamp: Value,
    tools: Tools,
    component: Component,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    bom_ref: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_card: Option<ModelCard>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct LicenseChoice {
    license: License,
}

/// By name: ids are a closed list that hubs do not keep to.
#[derive(Serialize)]
struct License {
    name: String,
}

#[derive(Serialize)]
struct Property {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelCard {
    model_parameters: ModelParameters,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantitative_analysis: Option<QuantitativeAnalysis>,
}

#[derive(Serialize)]
struct ModelParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    datasets: Vec<DataReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inputs: Vec<Parameter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<Parameter>,
}

#[derive(Serialize)]
struct DataReference {
    #[serde(rename = "ref")]
    reference: String,
}

#[derive(Serialize)]
struct Parameter {
    format: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QuantitativeAnalysis {
    performance_metrics: Vec<PerformanceMetric>,
}

/// The specification wants numbers as text.
#[derive(Serialize)]
struct PerformanceMetric {
    #[serde(rename = "type")]
    kind: String,
    value: String,
}

/// The document as JSON.
///
/// # Errors
/// Never for a manifest that can be written itself.
pub(crate) fn bill_of_materials(readme: &Readme, manifest: &Manifest) -> Result<String, ReleaseError> {
    let unwritable =
        |source| tagship_domain::schema::DocumentError::Malformed { expected: "CycloneDX", source };
    let datasets = readme.texts("datasets");
    let files = manifest.files.iter().map(file);
    let data = datasets.iter().map(|name| Component {
        kind: "data",
        bom_ref: Some(data_reference(name)),
        name: (*name).to_owned(),
        ..Component::default()
    });
    let tool = Component { kind: "application", name: "tagship".to_owned(), ..Component::default() };
    let bom = Bom {
        format: "CycloneDX",
        spec_version: "1.6",
        serial_number: serial_number(manifest),
        version: 1,
        metadata: Metadata {
            timestamp: serde_json::to_value(manifest.created).map_err(unwritable)?,
            tools: Tools { components: vec![tool] },
            component: model(readme, manifest, &datasets),
        },
        components: files.chain(data).collect(),
    };
    let text = serde_json::to_string_pretty(&bom).map_err(unwritable)?;
    Ok(text + "\n")
}

/// The same for the same release, and for no other.
fn serial_number(manifest: &Manifest) -> String {
    let name = format!("{}@{} {}", manifest.model, manifest.version, manifest.digest);
    format!("urn:uuid:{}", uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes()))
}

fn model(readme: &Readme, manifest: &Manifest, datasets: &[&str]) -> Component {
    let Manifest { model, version, signature, metrics, .. } = manifest;
    let parameter = |tensor: &TensorSpec| Parameter { format: tensor.to_string() };
    let parameters = |tensors: &[TensorSpec]| tensors.iter().map(parameter).collect();
    let metric =
        |(name, value): (&String, &f64)| PerformanceMetric { kind: name.clone(), value: value.to_string() };
    let performance_metrics: Vec<PerformanceMetric> = metrics.iter().map(metric).collect();
    Component {
        kind: "machine-learning-model",
        bom_ref: Some(format!("{model}@{version}")),
        name: model.to_string(),
        version: Some(version.to_string()),
        hashes: vec![Hash { alg: "SHA-256", content: manifest.digest.hex().to_owned() }],
        licenses: readme
            .texts("license")
            .into_iter()
            .map(|name| LicenseChoice { license: License { name: name.to_owned() } })
            .collect(),
        model_card: Some(ModelCard {
            model_parameters: ModelParameters {
                task: readme.text("pipeline_tag").map(str::to_owned),
                datasets: datasets
                    .iter()
                    .map(|name| DataReference { reference: data_reference(name) })
                    .collect(),
                inputs: signature.as_ref().map_or_else(Vec::new, |known| parameters(&known.inputs)),
                outputs: signature.as_ref().map_or_else(Vec::new, |known| parameters(&known.outputs)),
            },
            quantitative_analysis: (!performance_metrics.is_empty())
                .then_some(QuantitativeAnalysis { performance_metrics }),
        }),
        properties: properties(manifest),
    }
}

fn properties(manifest: &Manifest) -> Vec<Property> {
    let what = if manifest.single_file { "the file" } else { "the listing of the files" };
    let signed = manifest.attachments.get(&Attachment::Signature).map(|bundle| bundle.sha256.to_string());
    let stated = [
        ("format", Some(manifest.format.clone())),
        ("digest-of", Some(what.to_owned())),
        ("commit", Some(manifest.commit.as_str().to_owned())),
        ("validation", Some(manifest.validation.verdict.to_string())),
        ("gate", Some(manifest.gate.outcome.to_string())),
        ("released-by", Some(manifest.by.actor.clone())),
        ("run", manifest.by.run.clone()),
        ("previous", manifest.previous.as_ref().map(ToString::to_string)),
        ("signature", signed),
    ];
    let property = |(name, value): (&str, Option<String>)| {
        Some(Property { name: format!("tagship:{name}"), value: value? })
    };
    stated.into_iter().filter_map(property).collect()
}

fn file(entry: &FileEntry) -> Component {
    Component {
        kind: "file",
        bom_ref: Some(format!("file:{}", entry.path)),
        name: entry.path.clone(),
        hashes: vec![Hash { alg: "SHA-256", content: entry.sha256.hex().to_owned() }],
        properties: vec![Property { name: "tagship:size".to_owned(), value: entry.size.to_string() }],
        ..Component::default()
    }
}

fn data_reference(name: &str) -> String {
    format!("data:{name}")
}
