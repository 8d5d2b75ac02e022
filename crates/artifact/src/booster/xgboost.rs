//! XGBoost's document, the same in JSON and in UBJSON (doc/model.schema of dmlc/xgboost).

use super::{ubjson, xgboost_tree::Tree};
use crate::{
    findings::Findings,
    json::{self, Event, JsonError, Path, Visitor},
    rules,
    stream::{Stop, Stream},
};

/// Counts that are written as text and above which nothing is believed.
const MAX_COUNT: u64 = 1 << 31;

/// The state of reading a document.
#[derive(Debug)]
pub(crate) struct Xgboost {
    findings: Findings,
    tree: Tree,
    /// Elements of the innermost array of numbers so far.
    count: u64,
    trees: u64,
    declared_trees: Option<u64>,
    tree_info: Option<u64>,
    /// The smallest and the largest group that a tree belongs to.
    groups: (f64, f64),
    /// Where the trees of each round begin, and the last ones end.
    rounds: Option<Vec<f64>>,
    weight_drop: Option<u64>,
    /// A tree has leaves of several values, one per group.
    vectors: bool,
    weights: Option<u64>,
    features: Option<u64>,
    classes: Option<u64>,
    targets: Option<u64>,
    booster: Option<String>,
    learner: bool,
    version: bool,
    /// The parts of the version, as far as they are read.
    release: Vec<String>,
    /// The document holds settings, as `save_config` writes them without a model.
    settings: bool,
    /// A model stands in it.
    model: bool,
    /// Most features that a tree declares.
    tree_features: u64,
    /// Most features that a tree uses, to be held against the model's.
    used: i64,
}

impl Default for Xgboost {
    fn default() -> Self {
        Self {
            findings: Findings::new(),
            tree: Tree::default(),
            count: 0,
            trees: 0,
            declared_trees: None,
            tree_info: None,
            groups: (0.0, 0.0),
            rounds: None,
            weight_drop: None,
            vectors: false,
            weights: None,
            features: None,
            classes: None,
            targets: None,
            booster: None,
            learner: false,
            version: false,
            release: Vec::new(),
            settings: false,
            model: false,
            tree_features: 0,
            used: -1,
        }
    }
}

impl Xgboost {
    /// Whether the document is one of XGBoost.
    pub(crate) fn is_model(&self) -> bool {
        self.learner && self.version
    }

    fn bad(&mut self, at: u64, what: &str, message: impl Into<String>) {
        self.findings.about(&rules::BOOSTER_SCHEMA, Some(at), what, message);
    }

    fn parameter(&mut self, at: u64, key: &str, text: &str) -> Option<u64> {
        let number = text.parse().ok().filter(|number| *number <= MAX_COUNT);
        if number.is_none() {
            let message = format!("`{key}` is {text:?}, which is no count");
            self.bad(at, key, message);
        }
        number
    }

    fn text(&mut self, path: &Path, text: &str, at: u64) {
        let key = path.key();
        if path.ends_with(&["tree_param", "num_nodes"]) {
            self.tree.nodes = self.parameter(at, key, text);
        } else if path.ends_with(&["tree_param", "size_leaf_vector"]) {
            self.tree.leaf_vector = self.parameter(at, key, text).unwrap_or(0);
        } else if path.ends_with(&["tree_param", "num_feature"]) {
            self.tree.features = self.parameter(at, key, text);
        } else if path.ends_with(&["gbtree_model_param", "num_trees"]) {
            self.declared_trees = self.parameter(at, key, text);
        } else if path.ends_with(&["learner_model_param", "num_feature"]) {
            self.features = self.parameter(at, key, text);
        } else if path.ends_with(&["learner_model_param", "num_class"]) {
            self.classes = self.parameter(at, key, text);
        } else if path.ends_with(&["learner_model_param", "num_target"]) {
            self.targets = self.parameter(at, key, text);
        } else if path.ends_with(&["gradient_booster", "name"]) {
            self.booster = Some(text.to_owned());
        }
    }

    fn number(&mut self, path: &Path, number: f64, at: u64) {
        self.count += 1;
        if path.depth() == 2 && path.key_at(0) == "version" && self.release.len() < 3 {
            self.release.push(number.to_string());
        }
        if path.ends_with(&["model", "tree_info", "*"]) {
            self.groups = (self.groups.0.min(number), self.groups.1.max(number));
        } else if path.ends_with(&["model", "iteration_indptr", "*"]) {
            self.rounds.get_or_insert_default().push(number);
        }
        let in_tree = path.key_at(path.depth().wrapping_sub(4)) == "trees";
        let weights = path.ends_with(&["model", "weights", "*"]);
        if !in_tree && !weights {
            return;
        }
        if !number.is_finite() && path.key() == "split_conditions" {
            self.tree.no_numbers.push(self.count - 1);
        } else if !number.is_finite() {
            self.findings.about(&rules::NON_FINITE, Some(at), path.key(), "a value is NaN or infinite");
        }
        self.tree.number(path.key(), number);
    }

    fn array_end(&mut self, path: &Path, at: u64) {
        let key = path.key();
        if path.ends_with(&["trees", "*", key]) {
            self.tree.lengths.push((key.to_owned(), self.count));
        } else if path.ends_with(&["model", "tree_info"]) {
            self.tree_info = Some(self.count);
        } else if path.ends_with(&["gradient_booster", "weight_drop"]) {
            self.weight_drop = Some(self.count);
        } else if path.ends_with(&["model", "weights"]) {
            self.weights = Some(self.count);
        } else if path.depth() == 1 && path.is_key("version") {
            self.version = true;
            self.findings.facts.state("xgboost", &self.release.join("."));
            if self.count != 3 {
                self.bad(at, "version", "the version is not three numbers");
            }
        }
    }

    fn tree_end(&mut self, at: u64) {
        let read = std::mem::take(&mut self.tree);
        let name = format!("tree {}", self.trees);
        self.trees += 1;
        self.vectors |= read.leaf_vector > 1;
        match read.check() {
            Err(message) => return self.bad(at, &name, message),
            Ok(used) => self.used = self.used.max(used),
        }
        if !read.is_finite() {
            self.findings.about(
                &rules::NON_FINITE,
                Some(at),
                "split_conditions",
                "a value is NaN or infinite",
            );
        }
        self.tree_features = self.tree_features.max(read.features.unwrap_or(0));
    }

    /// What only the whole document tells; then all findings.
    pub(crate) fn into_findings(mut self) -> Findings {
        let at = 0;
        if self.settings && !self.model {
            return self.findings;
        }
        match self.booster.as_deref() {
            Some("gbtree" | "dart") => self.check_trees(at),
            Some("gblinear") => self.check_weights(at),
            _ => self.bad(at, "gradient_booster", "no booster that XGBoost has"),
        }
        self.findings
    }

    fn check_trees(&mut self, at: u64) {
        let trees = self.trees;
        if self.declared_trees != Some(trees) || self.tree_info != Some(trees) {
            let declared = self.declared_trees.map_or("no count".to_owned(), |count| count.to_string());
            let message =
                format!("{declared} declared, {trees} there, {} in `tree_info`", self.tree_info.unwrap_or(0));
            self.bad(at, "num_trees", message);
        }
        match self.features.and_then(|features| i64::try_from(features).ok()) {
            Some(features) if self.used < features => {}
            Some(features) => {
                self.bad(at, "num_feature", format!("a tree uses more than the {features} features"));
            }
            None => self.bad(at, "num_feature", "the model does not say how many features it has"),
        }
        if self.tree_features > 0 && self.features.is_some_and(|features| features != self.tree_features) {
            let message = format!("a tree declares {} features", self.tree_features);
            self.bad(at, "num_feature", message);
        }
        self.check_groups(at);
    }

    /// Every tree adds to one output, and every round has one tree for each.
    #[expect(clippy::cast_precision_loss, reason = "counts are bounded far below 2^53")]
    fn check_groups(&mut self, at: u64) {
        let groups = self.outputs();
        let (first, last) = self.groups;
        if first < 0.0 || last >= groups as f64 {
            self.bad(at, "tree_info", format!("the trees belong to {first} to {last} of {groups} groups"));
        }
        if self.trees > 0 && !self.vectors && self.trees < groups {
            self.bad(at, "num_class", format!("{} trees for {groups} groups", self.trees));
        }
        if let Some(rounds) = &self.rounds {
            let bounded = rounds.first() == Some(&0.0) && rounds.last() == Some(&(self.trees as f64));
            if !bounded || !rounds.is_sorted() {
                self.bad(at, "iteration_indptr", "the rounds do not divide the trees");
            }
        }
        let trees = self.trees;
        if self.booster.as_deref() == Some("dart") && self.weight_drop.unwrap_or(0) != trees {
            let there = self.weight_drop.unwrap_or(0);
            self.bad(at, "weight_drop", format!("{there} weights for {trees} trees"));
        }
    }

    fn outputs(&self) -> u64 {
        self.classes.unwrap_or(0).max(self.targets.unwrap_or(0)).max(1)
    }

    fn check_weights(&mut self, at: u64) {
        let groups = self.outputs();
        let wanted = self.features.and_then(|features| (features + 1).checked_mul(groups));
        // Without any, no round was trained, and the library fills them in.
        if self.weights.is_none() || (self.weights != wanted && self.weights != Some(0)) {
            let (there, wanted) = (self.weights.unwrap_or(0), wanted.unwrap_or(0));
            self.bad(at, "weights", format!("{there} weights where {wanted} belong"));
        }
    }
}

impl Visitor for Xgboost {
    fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::ObjectStart => {
                self.model |= path.key_at(1) == "gradient_booster" && path.is_key("model");
                self.learner |= path.depth() == 1 && path.is_key("learner");
                self.settings |=
                    path.depth() == 2 && matches!(path.key(), "generic_param" | "learner_train_param");
            }
            Event::ArrayStart => self.count = 0,
            Event::ArrayEnd => self.array_end(path, at),
            Event::ObjectEnd if path.ends_with(&["trees", "*"]) => self.tree_end(at),
            Event::Text(text) => self.text(path, text, at),
            Event::Number(number) => self.number(path, *number, at),
            _ => {}
        }
    }

    fn repeated(&mut self, _path: &Path, key: &str, at: u64) {
        self.bad(at, key, "an object has this key twice");
    }
}

/// Judges a UBJSON file.
pub(crate) fn scan_ubjson(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut model = Xgboost::default();
    let read = json::walk(&mut ubjson::Reader::new(stream), &mut model);
    let known = model.is_model();
    findings.append(model.into_findings());
    match read {
        Ok(()) if known => Ok(()),
        Ok(()) => {
            findings.whole(&rules::BOOSTER_SCHEMA, "this is not the document of an XGBoost model");
            Ok(())
        }
        Err(JsonError::Io(error)) => Err(Stop::Io(error)),
        Err(error) => {
            findings.whole(&rules::BOOSTER_SYNTAX, format!("the document does not parse: {error}"));
            Ok(())
        }
    }
}
