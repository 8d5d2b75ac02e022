//! XGBoost's document, the same in JSON and in UBJSON (doc/model.schema of dmlc/xgboost).

use super::{tree, ubjson};
use crate::{
    findings::Findings,
    json::{self, Event, JsonError, Path, Visitor},
    rules,
    stream::{Stop, Stream},
};

/// Counts that are written as text and above which nothing is believed.
const MAX_COUNT: u64 = 1 << 31;

/// One tree while it is read.
#[derive(Debug, Default)]
struct Tree {
    left: Vec<i64>,
    right: Vec<i64>,
    features: Vec<i64>,
    /// 1 where a node asks for categories.
    kinds: Vec<i64>,
    /// Places in `split_conditions` of what is no number: right for categories only.
    no_numbers: Vec<u64>,
    /// Values of a leaf, where it has more than one.
    leaf_vector: u64,
    /// Names and lengths of the arrays that have one entry per node.
    lengths: Vec<(String, u64)>,
    nodes: Option<u64>,
}

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
    weights: Option<u64>,
    features: Option<u64>,
    classes: Option<u64>,
    targets: Option<u64>,
    booster: Option<String>,
    learner: bool,
    version: bool,
    /// The parts of the version, as far as they are read.
    release: Vec<String>,
    /// The document holds settings (`save_config`) and no model.
    settings: bool,
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
            weights: None,
            features: None,
            classes: None,
            targets: None,
            booster: None,
            learner: false,
            version: false,
            release: Vec::new(),
            settings: false,
            used: -1,
        }
    }
}

/// Arrays with one entry per node in every version.
const PER_NODE: &[&str] =
    &["left_children", "right_children", "split_indices", "split_conditions", "default_left"];

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

    #[expect(clippy::cast_possible_truncation, reason = "what is no link saturates and leads nowhere")]
    fn number(&mut self, path: &Path, number: f64, at: u64) {
        self.count += 1;
        if path.depth() == 2 && path.key_at(0) == "version" && self.release.len() < 3 {
            self.release.push(number.to_string());
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
        let links = match path.key() {
            "left_children" => &mut self.tree.left,
            "right_children" => &mut self.tree.right,
            "split_indices" => &mut self.tree.features,
            "split_type" => &mut self.tree.kinds,
            _ => return,
        };
        if links.len() < tree::MAX_NODES {
            links.push(number as i64);
        }
    }

    fn array_end(&mut self, path: &Path, at: u64) {
        let key = path.key();
        if path.ends_with(&["trees", "*", key]) {
            self.tree.lengths.push((key.to_owned(), self.count));
        } else if path.ends_with(&["model", "tree_info"]) {
            self.tree_info = Some(self.count);
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
        let Some(nodes) = read.nodes.filter(|nodes| *nodes > 0) else {
            return self.bad(at, &name, "it does not say how many nodes it has");
        };
        for key in PER_NODE {
            let length = read.lengths.iter().find(|(name, _)| name == key).map(|(_, length)| *length);
            if length != Some(nodes) {
                let length = length.unwrap_or(0);
                return self.bad(at, &name, format!("`{key}` has {length} entries for {nodes} nodes"));
            }
        }
        let pairs = || read.left.iter().zip(&read.right);
        let categories =
            |node: &u64| usize::try_from(*node).ok().and_then(|node| read.kinds.get(node)) == Some(&1);
        if !read.no_numbers.iter().all(categories) {
            self.findings.about(
                &rules::NON_FINITE,
                Some(at),
                "split_conditions",
                "a value is NaN or infinite",
            );
        }
        // The leaves of a tree with vectors keep their number where others have the right child.
        if read.leaf_vector < 2 && pairs().any(|(left, right)| (*left == -1) != (*right == -1)) {
            return self.bad(at, &name, "a node has one child only");
        }
        // What is below zero, and no leaf, wraps to a node that cannot exist.
        let children = pairs()
            .filter(|(left, _)| **left != -1)
            .flat_map(|(left, right)| [left.cast_unsigned(), right.cast_unsigned()]);
        if let Err(message) = tree::check(children, nodes) {
            return self.bad(at, &name, message);
        }
        let inner = read.features.iter().zip(&read.left).filter(|(_, left)| **left != -1);
        for (feature, _) in inner {
            // A feature below zero is as wrong as one beyond the last.
            self.used = self.used.max(if *feature < 0 { i64::MAX } else { *feature });
        }
    }

    /// What only the whole document tells; then all findings.
    pub(crate) fn into_findings(mut self) -> Findings {
        let at = 0;
        if self.settings {
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
    }

    fn check_weights(&mut self, at: u64) {
        let groups = self.classes.unwrap_or(0).max(self.targets.unwrap_or(0)).max(1);
        let wanted = self.features.and_then(|features| (features + 1).checked_mul(groups));
        if self.weights.is_none() || self.weights != wanted {
            let (there, wanted) = (self.weights.unwrap_or(0), wanted.unwrap_or(0));
            self.bad(at, "weights", format!("{there} weights where {wanted} belong"));
        }
    }
}

impl Visitor for Xgboost {
    fn event(&mut self, path: &Path, event: &Event, at: u64) {
        match event {
            Event::ObjectStart => {
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
