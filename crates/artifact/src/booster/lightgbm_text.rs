//! LightGBM's text format: a header, one block per tree, and settings (`gbdt_model_text.cpp` and `tree.cpp` of
//! microsoft/LightGBM). The native loader trusts the counts and crashes where they lie.

use super::lightgbm_tree::Block;
use crate::{
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// Bytes of one line: a tree of a million leaves stays below.
const MAX_LINE: usize = 64 << 20;

/// Classes that a model may have.
const MAX_CLASSES: u64 = 1 << 24;

/// Reads lines and keeps what the header declares.
struct Scan<'s, 'a> {
    stream: &'s mut Stream<'a>,
    findings: &'s mut Findings,
    line: Vec<u8>,
    features: Option<u64>,
    classes: Option<u64>,
    /// Trees of each round.
    per_round: Option<u64>,
    /// What the objective says of the classes; predictions are written by it.
    objectives: Vec<String>,
    /// Names and ranges of features.
    described: Vec<u64>,
    /// Declared bytes of every tree.
    sizes: Option<Vec<u64>>,
}

/// Lists of whole numbers.
const INTEGERS: &[&str] = &[
    "num_leaves",
    "num_cat",
    "split_feature",
    "decision_type",
    "left_child",
    "right_child",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "num_features",
    "leaf_features",
];

/// Fields of a tree that are one number.
const SINGLE: &[&str] = &["num_leaves", "num_cat", "is_linear"];

/// Fields of a tree that are lists of numbers and are looked at.
const LISTS: &[&str] = &[
    "num_leaves",
    "num_cat",
    "split_feature",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
];

/// Judges a file.
pub(crate) fn scan(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let mut scan = Scan {
        stream,
        findings,
        line: Vec::new(),
        features: None,
        classes: None,
        per_round: None,
        objectives: Vec::new(),
        described: Vec::new(),
        sizes: None,
    };
    scan.header()?;
    scan.trees()?;
    scan.rest()
}

impl Scan<'_, '_> {
    /// The next line, where it begins, and whether there was one. The last may lack its line feed.
    fn next(&mut self) -> Result<Option<u64>, Stop> {
        let start = self.stream.position();
        if self.stream.peek()?.is_none() {
            return Ok(None);
        }
        self.line.clear();
        match self.stream.line(MAX_LINE, &mut self.line) {
            Ok(length) if length > MAX_LINE as u64 => {
                self.findings.at(&rules::BOOSTER_LIMIT, start, "a line longer than is followed");
                return Err(Stop::Reported);
            }
            Ok(_) | Err(Stop::Truncated(_)) => {}
            Err(stop) => return Err(stop),
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(Some(start))
    }

    fn bad(&mut self, at: u64, what: &str, message: impl Into<String>) {
        self.findings.about(&rules::BOOSTER_SCHEMA, Some(at), what, message);
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.line).unwrap_or("")
    }

    /// Lines up to the first empty one.
    fn header(&mut self) -> Result<(), Stop> {
        let mut version = false;
        while let Some(at) = self.next()? {
            if self.line.is_empty() {
                break;
            }
            let text = self.text().to_owned();
            match text.split_once('=') {
                Some(("version", value)) => {
                    version = true;
                    self.findings.facts.state("LightGBM model", value);
                    if !matches!(value, "v2" | "v3" | "v4") {
                        self.findings.about(
                            &rules::BOOSTER_NEWER,
                            Some(at),
                            value,
                            "this version is not known here",
                        );
                    }
                }
                Some((key @ ("max_feature_idx" | "num_class" | "num_tree_per_iteration"), value)) => {
                    self.count(at, key, value);
                }
                Some(("objective", value)) => self.objectives.push(value.to_owned()),
                Some(("feature_names" | "feature_infos", value)) => {
                    self.described.push(value.split_ascii_whitespace().count() as u64);
                }
                Some(("tree_sizes", value)) => {
                    self.sizes = value.split_ascii_whitespace().map(|size| size.parse().ok()).collect();
                }
                _ => {}
            }
        }
        if !version || self.features.is_none() || self.sizes.is_none() {
            let at = self.stream.position();
            self.bad(
                at,
                "header",
                "the version, the number of features or the sizes of the trees are missing",
            );
            return Err(Stop::Reported);
        }
        self.check_header();
        Ok(())
    }

    fn count(&mut self, at: u64, key: &str, value: &str) {
        let slot = match key {
            "num_class" => &mut self.classes,
            "num_tree_per_iteration" => &mut self.per_round,
            _ => &mut self.features,
        };
        let number = value.trim().parse().ok();
        if number.is_none() || slot.is_some() {
            self.bad(at, key, "it is no count, or is there twice");
        } else {
            *slot = number;
        }
    }

    /// The counts against each other: the loader reserves memory by them, and predictions index by them.
    fn check_header(&mut self) {
        let at = self.stream.position();
        let (classes, per_round) = (self.classes.unwrap_or(0), self.per_round.unwrap_or(0));
        let trees = self.sizes.as_ref().map_or(0, Vec::len) as u64;
        if classes == 0 || classes > MAX_CLASSES || classes != per_round || !trees.is_multiple_of(per_round) {
            let message = format!("{trees} trees, {per_round} a round, for {classes} classes");
            self.bad(at, "num_tree_per_iteration", message);
        }
        if let Some(objective) = self.objectives.iter().find(|objective| !fits(objective, classes)) {
            let message = format!("the objective `{objective}` does not have {classes} classes");
            self.bad(at, "objective", message);
        }
        let features = self.features.and_then(|last| last.checked_add(1));
        if let Some(described) = self.described.iter().find(|count| Some(**count) != features) {
            let message = format!("{described} features are described");
            self.bad(at, "max_feature_idx", message);
        }
    }

    fn trees(&mut self) -> Result<(), Stop> {
        let mut tree: Option<Block> = None;
        let mut count = 0usize;
        while let Some(at) = self.next()? {
            let is_tree = self.line.starts_with(b"Tree=");
            let ends = self.line == b"end of trees";
            if (is_tree || ends)
                && let Some(tree) = tree.take()
            {
                self.tree_end(&tree, count, at);
                count += 1;
            }
            if ends {
                let declared = self.sizes.as_ref().map_or(0, Vec::len);
                if declared != count {
                    self.bad(at, "tree_sizes", format!("{declared} trees are declared, {count} are there"));
                }
                return Ok(());
            }
            if is_tree {
                let number = self.text().strip_prefix("Tree=").and_then(|number| number.parse().ok());
                if number != Some(count) {
                    self.bad(at, "Tree", format!("tree {count} has another number"));
                }
                tree = Some(Block::new(at));
            } else if let Some(tree) = &mut tree {
                self.field(tree, at);
            }
        }
        Err(Stop::Truncated(self.stream.position()))
    }

    fn field(&mut self, tree: &mut Block, at: u64) {
        let Some((key, value)) = std::str::from_utf8(&self.line).ok().and_then(|line| line.split_once('='))
        else {
            if !self.line.is_empty() {
                self.bad(at, "Tree", "a line of a tree that is no setting");
            }
            return;
        };
        if !LISTS.contains(&key) {
            return;
        }
        // The loader knows no other sign between two numbers, and ends at it.
        let apart = value.bytes().all(|byte| byte == b' ' || !byte.is_ascii_whitespace());
        if !apart || (SINGLE.contains(&key) && value.split(' ').count() > 1) {
            let key = key.to_owned();
            self.bad(at, &key, "numbers that the loader does not tell apart");
            return;
        }
        // The loader takes these by another reader, which ends at the first sign that is no digit.
        let whole = INTEGERS.contains(&key);
        let is_whole =
            |number: &str| number.strip_prefix('-').unwrap_or(number).bytes().all(|b| b.is_ascii_digit());
        let values: Option<Vec<f64>> = value
            .split_ascii_whitespace()
            .map(|number| number.parse().ok().filter(|_| !whole || is_whole(number)))
            .collect();
        let key = key.to_owned();
        match values {
            Some(values) if tree.field(&key).is_none() => tree.fields.push((key, values)),
            Some(_) => self.bad(at, &key, "a tree has this field twice"),
            None => self.bad(at, &key, "a value that is no number"),
        }
    }

    fn tree_end(&mut self, block: &Block, number: usize, end: u64) {
        let at = block.start;
        let name = format!("tree {number}");
        let declared = self.sizes.as_ref().and_then(|sizes| sizes.get(number)).copied();
        if declared != Some(end - at) {
            let declared = declared.unwrap_or(0);
            self.bad(at, &name, format!("it has {} bytes, {declared} are declared", end - at));
        }
        if let Err(message) = block.check(self.features.unwrap_or(0)) {
            self.bad(at, &name, message);
        }
        if !block.is_finite() {
            self.findings.about(&rules::NON_FINITE, Some(at), "leaf_value", "a value is NaN or infinite");
        }
    }

    /// Importances and settings, which end with a marker in every version. Behind it Python adds one line of JSON.
    fn rest(&mut self) -> Result<(), Stop> {
        let (mut parameters, mut ended) = (false, false);
        while let Some(at) = self.next()? {
            let text = std::str::from_utf8(&self.line);
            let sound = match text {
                Err(_) => false,
                Ok(text) if ended => text.is_empty() || is_categories(text),
                Ok(_) => true,
            };
            if !sound {
                self.bad(at, "parameters", "a line that does not belong here");
            }
            parameters |= self.line == b"parameters:";
            ended |= self.line == b"end of parameters";
        }
        if !parameters || !ended {
            return Err(Stop::Truncated(self.stream.position()));
        }
        Ok(())
    }
}

/// Whether an objective with its settings fits the number of classes.
fn fits(objective: &str, classes: u64) -> bool {
    let mut told = objective.split(' ').filter_map(|setting| setting.strip_prefix("num_class"));
    let is_multiclass = objective.starts_with("multiclass");
    let own = format!(":{classes}");
    match (told.next(), told.next()) {
        (None, None) => !is_multiclass,
        (Some(count), None) => count == own,
        _ => false,
    }
}

/// The categories of a data frame's columns.
fn is_categories(line: &str) -> bool {
    let json = line.strip_prefix("pandas_categorical:");
    json.is_some_and(|json| serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok())
}
