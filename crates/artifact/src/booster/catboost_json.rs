//! CatBoost's JSON export: the parts it must have, and leaves that fit the splits.

use super::catboost_release;
use crate::{
    findings::Findings,
    json::{Event, Path, Visitor},
    rules,
};

/// Splits of one symmetric tree; CatBoost allows 16.
const MAX_DEPTH: u64 = 32;

/// The state of reading a document.
#[derive(Debug)]
pub(crate) struct CatboostJson {
    findings: Findings,
    features: bool,
    info: bool,
    trees: bool,
    count: u64,
    splits: u64,
    leaves: Option<u64>,
    weights: Option<u64>,
}

impl Default for CatboostJson {
    fn default() -> Self {
        Self {
            findings: Findings::new(),
            features: false,
            info: false,
            trees: false,
            count: 0,
            splits: 0,
            leaves: None,
            weights: None,
        }
    }
}

impl CatboostJson {
    /// Whether the document is one of CatBoost.
    pub(crate) fn is_model(&self) -> bool {
        self.features && (self.info || self.trees)
    }

    /// What only the whole document tells; then all findings.
    pub(crate) fn into_findings(mut self) -> Findings {
        if !self.trees || !self.info {
            self.findings
                .whole(&rules::BOOSTER_SCHEMA, "the trees or the information on the model are missing");
        }
        self.findings
    }

    fn tree_end(&mut self, at: u64) {
        let (splits, leaves) = (std::mem::take(&mut self.splits), self.leaves.take().unwrap_or(0));
        let weights = self.weights.take();
        let parts = if splits <= MAX_DEPTH { 1u64 << splits } else { 0 };
        let fits = parts > 0 && leaves > 0 && leaves.is_multiple_of(parts);
        if !fits || weights.is_some_and(|weights| weights > 0 && weights != parts) {
            let message = format!("{leaves} values and {} weights for {splits} splits", weights.unwrap_or(0));
            self.findings.about(&rules::BOOSTER_SCHEMA, Some(at), "oblivious_trees", message);
        }
    }
}

impl Visitor for CatboostJson {
    fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::ObjectStart if path.depth() == 1 => {
                self.features |= path.is_key("features_info");
                self.info |= path.is_key("model_info");
            }
            Event::ArrayStart => {
                self.trees |= path.depth() == 1 && matches!(path.key(), "oblivious_trees" | "trees");
                self.count = 0;
            }
            Event::Text(text) if path.ends_with(&["model_info", "catboost_version_info"]) => {
                self.findings.facts.state("catboost", &catboost_release(text));
            }
            Event::Number(number) => {
                self.count += 1;
                if !number.is_finite() && path.ends_with(&["leaf_values", "*"]) {
                    self.findings.about(
                        &rules::NON_FINITE,
                        Some(at),
                        path.key(),
                        "a value is NaN or infinite",
                    );
                }
            }
            Event::ObjectEnd if path.ends_with(&["splits", "*"]) => self.splits += 1,
            Event::ArrayEnd if path.ends_with(&["oblivious_trees", "*", "leaf_values"]) => {
                self.leaves = Some(self.count);
            }
            Event::ArrayEnd if path.ends_with(&["oblivious_trees", "*", "leaf_weights"]) => {
                self.weights = Some(self.count);
            }
            Event::ObjectEnd if path.ends_with(&["oblivious_trees", "*"]) => self.tree_end(at),
            _ => {}
        }
    }

    fn repeated(&mut self, path: &Path, key: &str, at: u64) {
        if path.depth() < 3 {
            self.findings.about(&rules::BOOSTER_SCHEMA, Some(at), key, "an object has this key twice");
        }
    }
}
