//! What lies beside a release for people and tools: the model card and the bill of materials.

use serde_json::{Map, Value, json};
use tagship_domain::{Manifest, front_matter::split_front_matter, release::Attachment};

use super::World;
use crate::{Draft, Readme, read_attachment, read_manifest};

const README: &str = "---
license: apache-2.0
datasets: [telco-churn]
pipeline_tag: tabular-classification
tagship:
  version: \"v0.0.1\"
tags:
- churn   # kept as it is
---
# Churn

Written *by hand*.
";

fn readme(text: &str) -> Readme {
    let (front, body) = split_front_matter(text);
    let data: Value = serde_yaml::from_str(front.unwrap_or("{}")).unwrap();
    let data: Map<String, Value> = data.as_object().cloned().unwrap_or_default();
    Readme { front: front.unwrap_or_default().to_owned(), data, body: body.to_owned() }
}

/// A release with this README: its manifest, its card and its bill of materials.
async fn documents(text: &str) -> (Manifest, String, String) {
    let world = World::new();
    let draft = Draft { readme: readme(text), ..world.draft(b"one", 10) };
    let release = world.maker().make(&draft).await.unwrap().release;
    let manifest = read_manifest(&world.store, &release).await.unwrap();
    let mut texts = vec![];
    for kind in [Attachment::ModelCard, Attachment::BillOfMaterials] {
        let bytes = read_attachment(&world.store, &manifest, kind).await.unwrap().unwrap();
        texts.push(String::from_utf8(bytes).unwrap());
    }
    let bom = texts.pop().unwrap();
    (manifest, texts.pop().unwrap(), bom)
}

#[tokio::test]
async fn a_card_keeps_what_the_author_wrote_and_states_what_was_decided() {
    let (manifest, card, _) = documents(README).await;
    assert!(card.starts_with("---\nlicense: apache-2.0\n"), "{card}");
    assert!(card.contains("- churn   # kept as it is\n"), "{card}");
    assert!(card.contains("---\n# Churn\n\nWritten *by hand*.\n\n<!-- tagship: begin -->\n"), "{card}");
    let data: Value = serde_yaml::from_str(split_front_matter(&card).0.unwrap()).unwrap();
    assert_eq!(data["tagship"]["version"], "v0.1.0");
    assert_eq!(data["tagship"]["digest"], json!(manifest.digest));
    assert_eq!(data["tagship"]["metrics"]["accuracy"], 0.93);
    assert_eq!(data["tagship"]["gate"], json!(manifest.gate.outcome));
    let result = &data["model-index"][0]["results"][0];
    assert_eq!(result["task"]["type"], "tabular-classification");
    assert_eq!(result["metrics"], json!([{ "type": "accuracy", "value": 0.93 }]));
    // A card that was committed again does not grow.
    let own = readme(&card);
    assert_eq!(documents(&card).await.1.matches("tagship: begin").count(), 1);
    assert_eq!(own.data["license"], "apache-2.0");
    let again = documents(&card).await.1;
    assert_eq!(again, documents(&again).await.1);
}

#[tokio::test]
async fn a_model_without_a_readme_has_a_card_as_well() {
    let (_, card, bom) = documents("").await;
    assert!(card.starts_with("---\ntagship:\n  model: \"churn\"\n"), "{card}");
    assert!(card.contains("\n# churn\n"), "{card}");
    let bom: Value = serde_json::from_str(&bom).unwrap();
    assert!(bom["metadata"]["component"].get("licenses").is_none());
}

#[tokio::test]
async fn the_bill_of_materials_is_the_same_for_the_same_release() {
    let (_, _, bom) = documents(README).await;
    assert_eq!(bom, documents(README).await.2);
    insta::assert_snapshot!(bom);
}

#[tokio::test]
async fn foreign_text_stays_inside_of_its_place() {
    let world = World::new();
    let mut draft = world.draft(b"one", 10);
    draft.gate.metrics[0].name = "a`b|c\n---\n<!-- tagship: end -->".to_owned();
    let release = world.maker().make(&draft).await.unwrap().release;
    let manifest = read_manifest(&world.store, &release).await.unwrap();
    let bytes = read_attachment(&world.store, &manifest, Attachment::ModelCard).await.unwrap().unwrap();
    let card = String::from_utf8(bytes).unwrap();
    let (front, body) = split_front_matter(&card);
    let data: Value = serde_yaml::from_str(front.unwrap()).unwrap();
    assert_eq!(data["tagship"]["metrics"].as_object().unwrap().len(), 1);
    assert!(body.contains("| `a'b\\|c---"), "{body}");
}
