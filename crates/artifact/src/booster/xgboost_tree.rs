//! One tree of an XGBoost document, and whether its arrays lead where they say (`tree_model.cc` of dmlc/xgboost).

use std::collections::HashMap;

use super::tree;

/// Arrays with one entry per node in every version.
const PER_NODE: &[&str] =
    &["left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left"];
/// Arrays that have one entry per node where they are not empty; where leaves have several values, they may differ.
const STATISTICS: &[&str] = &["split_type", "base_weights", "loss_changes", "sum_hessian"];
/// Arrays whose numbers are looked at.
const KEPT: &[&str] = &[
    "left_children",
    "right_children",
    "parents",
    "split_indices",
    "split_type",
    "categories",
    "categories_nodes",
    "categories_segments",
    "categories_sizes",
];
/// The parent of a root.
const NO_PARENT: i64 = 0x7fff_ffff;
/// Categories that XGBoost follows; those beyond are no sound values.
const MAX_CATEGORY: i64 = 1 << 24;

/// One tree while it is read.
#[derive(Debug, Default)]
pub(super) struct Tree {
    arrays: HashMap<&'static str, Vec<i64>>,
    /// Places in `split_conditions` of what is no number: right for categories only.
    pub(super) no_numbers: Vec<u64>,
    /// Values of a leaf, where it has more than one.
    pub(super) leaf_vector: u64,
    /// Names and lengths of the arrays.
    pub(super) lengths: Vec<(String, u64)>,
    pub(super) nodes: Option<u64>,
    pub(super) features: Option<u64>,
}

impl Tree {
    #[expect(clippy::cast_possible_truncation, reason = "what is no link saturates and leads nowhere")]
    pub(super) fn number(&mut self, key: &str, number: f64) {
        let Some(key) = KEPT.iter().find(|kept| **kept == key) else { return };
        let list = self.arrays.entry(key).or_default();
        if list.len() < tree::MAX_NODES {
            list.push(number as i64);
        }
    }

    fn list(&self, key: &str) -> &[i64] {
        self.arrays.get(key).map_or(&[], Vec::as_slice)
    }

    fn length(&self, key: &str) -> u64 {
        self.lengths.iter().find(|(name, _)| name == key).map_or(0, |(_, length)| *length)
    }

    /// Whether every value that is no number stands for categories.
    pub(super) fn is_finite(&self) -> bool {
        let kinds = self.list("split_type");
        let categories =
            |node: &u64| usize::try_from(*node).ok().and_then(|node| kinds.get(node)) == Some(&1);
        self.no_numbers.iter().all(categories)
    }

    /// Checks the arrays against each other; the largest feature that a split uses, -1 for none.
    pub(super) fn check(&self) -> Result<i64, String> {
        let Some(nodes) = self.nodes.filter(|nodes| *nodes > 0) else {
            return Err("it does not say how many nodes it has".to_owned());
        };
        self.check_lengths(nodes)?;
        self.check_links(nodes)?;
        self.check_categories(nodes)?;
        let inner = self.list("split_indices").iter().zip(self.list("left_children"));
        // A feature below zero is as wrong as one beyond the last.
        let used = inner.filter(|(_, left)| **left != -1);
        Ok(used.map(|(feature, _)| if *feature < 0 { i64::MAX } else { *feature }).max().unwrap_or(-1))
    }

    fn check_lengths(&self, nodes: u64) -> Result<(), String> {
        let statistics = STATISTICS.iter().filter(|key| self.leaf_vector < 2 && self.length(key) > 0);
        for key in PER_NODE.iter().chain(statistics) {
            let length = self.length(key);
            if length != nodes {
                return Err(format!("`{key}` has {length} entries for {nodes} nodes"));
            }
        }
        Ok(())
    }

    fn check_links(&self, nodes: u64) -> Result<(), String> {
        let pairs = || self.list("left_children").iter().zip(self.list("right_children"));
        let is_node = |node: i64| u64::try_from(node).is_ok_and(|node| node < nodes);
        for (left, right) in pairs().filter(|(left, _)| **left == -1) {
            // The leaves of a tree with vectors keep their number where others have the right child.
            if *right != -1 && (self.leaf_vector < 2 || !is_node(*right)) {
                return Err(format!("a node has the children {left} and {right}"));
            }
        }
        // What is below zero, and no leaf, wraps to a node that cannot exist.
        let children = pairs()
            .filter(|(left, _)| **left != -1)
            .flat_map(|(left, right)| [left.cast_unsigned(), right.cast_unsigned()]);
        tree::check(children, nodes)?;
        let sound = |parent: i64| matches!(parent, -1 | NO_PARENT) || is_node(parent);
        match self.list("parents").iter().find(|parent| !sound(**parent)) {
            Some(parent) => Err(format!("the parent {parent} does not exist")),
            None => Ok(()),
        }
    }

    /// Each node that asks for categories has a piece of the list of them.
    fn check_categories(&self, nodes: u64) -> Result<(), String> {
        let count = self.length("categories_nodes");
        for key in ["categories_segments", "categories_sizes"] {
            if self.length(key) != count {
                return Err(format!("`{key}` has {} entries for {count} nodes", self.length(key)));
            }
        }
        let places = self.list("categories_segments").iter().zip(self.list("categories_sizes"));
        let asked = self.list("categories_nodes");
        let all = i64::try_from(self.length("categories")).unwrap_or(i64::MAX);
        for (node, (segment, size)) in asked.iter().zip(places) {
            let inside =
                *segment >= 0 && *size >= 0 && segment.checked_add(*size).is_some_and(|end| end <= all);
            if !inside || u64::try_from(*node).map_or(true, |node| node >= nodes) {
                return Err(format!("the categories of node {node} are not there"));
            }
        }
        if let Some(category) = self.list("categories").iter().find(|own| !(0..MAX_CATEGORY).contains(*own)) {
            return Err(format!("the category {category} cannot be"));
        }
        let kinds = self.list("split_type").iter().zip(self.list("left_children"));
        let mut wanted = kinds.enumerate().filter(|(_, (kind, left))| **kind == 1 && **left != -1);
        // The loader walks along both lists at once.
        let has = |node: usize| i64::try_from(node).is_ok_and(|node| asked.binary_search(&node).is_ok());
        if !asked.is_sorted() || wanted.any(|(node, _)| !has(node)) {
            return Err("a node asks for categories that it does not have".to_owned());
        }
        Ok(())
    }
}
