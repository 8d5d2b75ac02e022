//! Nodes of scikit-learn's histogram boosters (`sklearn/ensemble/_hist_gradient_boosting/common.pyx`), which predictions follow
//! without a check too.

use super::{Machine, Nodes, capped, stored};
use crate::{
    pickle::value::{Element, Kind, Value},
    rules,
};

/// The class of one tree.
pub(super) const CLASS: (&str, &str) =
    ("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor");
/// The parts of a node and their bytes, one behind the other; the feature has four or eight.
const PARTS: &[(&str, i32)] = &[
    ("value", 8),
    ("count", 4),
    ("feature_idx", 0),
    ("num_threshold", 8),
    ("missing_go_to_left", 1),
    ("left", 4),
    ("right", 4),
    ("gain", 8),
    ("depth", 4),
    ("is_leaf", 1),
    ("bin_threshold", 1),
    ("is_categorical", 1),
    ("bitset_idx", 4),
];
/// Bytes of a number of a set of categories, of which each has eight.
pub(in super::super) const SET_WIDTH: u32 = 4;
const SET_NUMBERS: i32 = 8;

/// The class that knows which features hold categories, and what they are.
pub(super) const MAPPER: (&str, &str) = ("sklearn.ensemble._hist_gradient_boosting.binning", "_BinMapper");

/// Whether a class of this module may hold what tells features that are categories.
pub(in super::super) fn keeps_categories(module: &str) -> bool {
    module.starts_with("sklearn.ensemble._hist_gradient_boosting.")
}

/// The parts by name, offset and bytes, where the feature has this many.
pub(super) fn parts(feature: u32) -> Vec<(&'static str, i32, u32)> {
    let mut at = 0;
    let mut part = |(name, width): &(&'static str, i32)| {
        let width = if *width == 0 { feature.cast_signed() } else { *width };
        at += width;
        (*name, at - width, width.cast_unsigned())
    };
    PARTS.iter().map(&mut part).collect()
}

/// Reads one node, whose feature has this many bytes.
pub(super) fn next(node: &[u8], feature: usize, nodes: &mut Nodes) {
    let number = |at: usize, width: usize| {
        let bytes = node.get(at..at + width).unwrap_or(&[]);
        bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte)).cast_signed()
    };
    let behind = 12 + feature;
    if number(behind + 29, 1) == 0 {
        nodes.lead(number(behind + 9, 4), number(behind + 13, 4), number(12, feature));
        if number(behind + 31, 1) != 0 {
            nodes.sets = nodes.sets.max(capped(number(behind + 32, 4) + 1));
            nodes.categories = nodes.categories.max(capped(number(12, feature).saturating_add(1)));
        }
    }
    nodes.count = nodes.count.saturating_add(1);
}

impl Machine<'_, '_> {
    /// How many sets of categories an array of this shape may hold.
    pub(in super::super) fn sets(&self, shape: Value) -> Option<i32> {
        match self.heap.recall(shape).filter(|_| self.heap.is(shape, Kind::Tuple))? {
            [Value::Int(sets), Value::Int(SET_NUMBERS)] => Some(*sets),
            _ => None,
        }
    }

    /// Sets of categories, where an array of this type and shape can be some.
    pub(in super::super) fn sets_of(&self, kind: Value, shape: Value) -> Option<Element> {
        let Value::Object(kind) = kind else { return None };
        if !self.trees {
            return None;
        }
        let sets = self.sets(shape)?;
        (self.heap.get(kind).element == Element::Plain(SET_WIDTH)).then_some(Element::Sets(sets))
    }

    /// Holds the nodes of a booster's tree against what there is.
    pub(in super::super) fn check_predictor(&mut self, class: u32, target: Value, state: Value) {
        let class = &self.globals[class as usize];
        if (class.module.as_str(), class.name.as_str()) != CLASS {
            return;
        }
        let (mut nodes, mut sets) = (None, 0);
        for pair in self.heap.recall(state).unwrap_or_default().chunks_exact(2) {
            let (Value::Text(key), Value::Object(id)) = (pair[0], pair[1]) else { continue };
            match (self.texts.get(key), self.heap.get(id).element) {
                ("nodes", _) => {
                    nodes = self.array(pair[1]).and_then(|array| array.nodes[2].or(array.nodes[3]));
                }
                ("raw_left_cat_bitsets", Element::Sets(count)) => sets = count,
                _ => {}
            }
        }
        let Some(nodes) = nodes else {
            self.note(
                &rules::PICKLE_LIMIT,
                "a booster's tree whose nodes are not followed; write the model again with joblib",
            );
            return;
        };
        self.ask(target, &nodes);
        if !nodes.lead_inside() || nodes.sets > sets {
            let message = "nodes of a booster's tree that lead outside of it, back, or to categories that there are not; \
                predictions would read other memory, or never end";
            self.note_about(&rules::BAD_BUILD, CLASS.1, message);
        }
    }

    /// Notes which features of a booster hold categories. Predictions look up those of any of them without a check, where the model
    /// knows some at all.
    pub(in super::super) fn keep_categories(&mut self, class: u32, target: Value, state: Value) {
        let class = &self.globals[class as usize];
        let Value::Object(id) = target else { return };
        if (class.module.as_str(), class.name.as_str()) != MAPPER {
            return;
        }
        if self.heap.get(id).taken {
            self.note_late_tree();
        }
        let array = self.attribute(state, "is_categorical_").and_then(|value| self.array(value));
        let known = array.and_then(stored::categories);
        self.heap.get_mut(id).element = known.map_or(Element::Unknown, Element::Categories);
    }
}
