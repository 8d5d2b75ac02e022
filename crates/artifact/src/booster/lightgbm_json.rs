//! LightGBM's JSON dump: trees with as many leaves as they declare.

use crate::{
    findings::Findings,
    json::{Event, Path, Visitor},
    rules,
};

/// The state of reading a document.
#[derive(Debug)]
pub(crate) struct LightgbmJson {
    findings: Findings,
    named: bool,
    trees: bool,
    declared: Option<f64>,
    leaves: u64,
    splits: u64,
    features: Option<f64>,
}

impl Default for LightgbmJson {
    fn default() -> Self {
        Self {
            findings: Findings::new(),
            named: false,
            trees: false,
            declared: None,
            leaves: 0,
            splits: 0,
            features: None,
        }
    }
}

impl LightgbmJson {
    /// Whether the document is one of LightGBM.
    pub(crate) fn is_model(&self) -> bool {
        self.named && self.trees
    }

    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    fn bad(&mut self, at: u64, message: impl Into<String>) {
        self.findings.about(&rules::BOOSTER_SCHEMA, Some(at), "tree_info", message);
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of leaves are far below 2^53")]
    fn tree_end(&mut self, at: u64) {
        let (leaves, splits) = (std::mem::take(&mut self.leaves), std::mem::take(&mut self.splits));
        let declared = self.declared.take();
        if declared != Some(leaves as f64) || leaves != splits + 1 {
            let declared = declared.map_or("none".to_owned(), |number| number.to_string());
            self.bad(at, format!("{declared} leaves are declared, {leaves} are there with {splits} splits"));
        }
    }
}

impl Visitor for LightgbmJson {
    fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::Text(text) if path.depth() == 1 && path.is_key("name") => self.named = text == "tree",
            Event::Text(text) if path.depth() == 1 && path.is_key("version") => {
                self.findings.facts.state("LightGBM model", text);
            }
            Event::ArrayStart if path.depth() == 1 => self.trees |= path.is_key("tree_info"),
            Event::Number(number) if path.is_key("max_feature_idx") => self.features = Some(*number),
            Event::Number(number) if path.ends_with(&["tree_info", "*", "num_leaves"]) => {
                self.declared = Some(*number);
            }
            Event::Number(number) if path.is_key("leaf_value") => {
                self.leaves += 1;
                if !number.is_finite() {
                    self.findings.about(
                        &rules::NON_FINITE,
                        Some(at),
                        "leaf_value",
                        "a value is NaN or infinite",
                    );
                }
            }
            Event::Number(number) if path.is_key("split_feature") => {
                self.splits += 1;
                if self.features.is_some_and(|features| *number > features) || *number < 0.0 {
                    self.bad(at, format!("feature {number} does not exist"));
                }
            }
            Event::ObjectEnd if path.ends_with(&["tree_info", "*"]) => self.tree_end(at),
            _ => {}
        }
    }

    fn repeated(&mut self, path: &Path, key: &str, at: u64) {
        if !path.ends_with(&["feature_infos", key]) {
            self.findings.about(&rules::BOOSTER_SCHEMA, Some(at), key, "an object has this key twice");
        }
    }
}
