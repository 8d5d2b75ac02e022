//! schemas/: JSON Schemas of `tagship.yml`, of every document that is exchanged, and of the model server's messages.

use anyhow::{Context, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use tagship_domain::{
    Document, Manifest,
    analysis::AnalysisLook,
    chain::Chain,
    decision::Decision,
    drift::DriftReport,
    examination::Examination,
    explanation::Explanation,
    forecast::Forecast,
    gate::GateReport,
    golden::{GoldenAnswer, GoldenCases, GoldenRequest},
    hook::HookReport,
    import::Import,
    incident::{IncidentNotice, WatchReport},
    lock::Lock,
    monitor::{LookDetails, LookHistory, MonitorReport},
    notice::Notice,
    overview::Overview,
    quality::QualityReport,
    report::StatusReport,
    rollout::{Look, RolloutState},
    rule::RuleDescription,
    serving::{
        Accepted, Feedback, LoadOrder, LogLine, ModelStatus, PromoteOrder, Refusal, RollbackOrder,
        RoutingOrder, WeightOrder,
    },
    slo::SloReport,
    validation::ValidationReport,
};

use super::Generated;

type Documented = fn() -> Result<Generated>;

/// Every type that is a [`Document`].
const DOCUMENTS: [Documented; 29] = [
    document::<Decision>,
    document::<ValidationReport>,
    document::<RuleDescription>,
    document::<GateReport>,
    document::<Manifest>,
    document::<Notice>,
    document::<RolloutState>,
    document::<Look>,
    document::<AnalysisLook>,
    document::<Forecast>,
    document::<Chain>,
    document::<DriftReport>,
    document::<Examination>,
    document::<QualityReport>,
    document::<SloReport>,
    document::<Explanation>,
    document::<StatusReport>,
    document::<GoldenCases>,
    document::<GoldenRequest>,
    document::<GoldenAnswer>,
    document::<HookReport>,
    document::<Import>,
    document::<IncidentNotice>,
    document::<WatchReport>,
    document::<LookDetails>,
    document::<LookHistory>,
    document::<MonitorReport>,
    document::<Lock>,
    document::<Overview>,
];

type Defined = fn(&mut SchemaGenerator) -> Schema;

/// Every message of [`tagship_domain::serving`].
const MESSAGES: [Defined; 10] = [
    SchemaGenerator::subschema_for::<ModelStatus>,
    SchemaGenerator::subschema_for::<LoadOrder>,
    SchemaGenerator::subschema_for::<WeightOrder>,
    SchemaGenerator::subschema_for::<PromoteOrder>,
    SchemaGenerator::subschema_for::<RollbackOrder>,
    SchemaGenerator::subschema_for::<RoutingOrder>,
    SchemaGenerator::subschema_for::<Accepted>,
    SchemaGenerator::subschema_for::<Refusal>,
    SchemaGenerator::subschema_for::<Feedback>,
    SchemaGenerator::subschema_for::<LogLine>,
];

pub(super) fn generate() -> Result<Vec<Generated>> {
    let mut files =
        vec![file("tagship.yml", &serde_json::to_value(tagship_config::config_schema())?)?, messages()?];
    for document in DOCUMENTS {
        files.push(document()?);
    }
    Ok(files)
}

/// The schema of a document: its type's, with the `schema` member that says which document it is.
fn document<T: Document + JsonSchema>() -> Result<Generated> {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    let root = schema.as_object_mut().context("a document is an object")?;
    root.insert("title".to_owned(), json!(T::SCHEMA));
    let properties = root.entry("properties").or_insert_with(|| json!({}));
    let properties = properties.as_object_mut().context("properties are an object")?;
    properties.insert("schema".to_owned(), json!({ "const": T::SCHEMA }));
    let required = root.entry("required").or_insert_with(|| json!([]));
    required.as_array_mut().context("required is a list")?.insert(0, json!("schema"));
    let name = T::SCHEMA.trim_start_matches("tagship/").replace('/', ".");
    file(&name, &schema)
}

/// One schema with a definition per message of the model server's control interface and prediction log.
fn messages() -> Result<Generated> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut names = Vec::new();
    for define in MESSAGES {
        names.push(serde_json::to_value(define(&mut generator))?);
    }
    let definitions: Map<String, Value> = generator.take_definitions(true);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tagship serve",
        "description": "Messages of the control interface, feedback, and lines of the prediction log",
        "anyOf": names,
        "$defs": definitions,
    });
    file("serve", &schema)
}

fn file(name: &str, schema: &Value) -> Result<Generated> {
    let content = format!("{}\n", serde_json::to_string_pretty(schema)?);
    Ok(Generated { path: format!("schemas/{name}.schema.json").into(), content })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        sources::{RustFile, rust_files},
        workspace::Workspace,
    };

    #[test]
    fn no_document_is_forgotten() {
        let files = rust_files(&Workspace::this()).unwrap();
        let code =
            files.iter().filter(|file| file.path.starts_with("crates/domain/")).flat_map(RustFile::code);
        let documents = code.filter(|(_, line)| line.starts_with("impl Document for ")).count();
        assert_eq!(documents, DOCUMENTS.len(), "add the new document to DOCUMENTS");
    }

    #[test]
    fn a_document_says_what_it_is() {
        let file = document::<GateReport>().unwrap();
        assert_eq!(file.path.to_str(), Some("schemas/gate.v1.schema.json"));
        let schema: Value = serde_json::from_str(&file.content).unwrap();
        assert_eq!(schema["properties"]["schema"]["const"], "tagship/gate/v1");
        assert_eq!(schema["required"][0], "schema");
    }
}
