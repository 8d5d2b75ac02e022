//! Trees whose nodes stand in an array of their own, as other formats than pickles keep them.

use super::{Asks, Form, layouts, predictor};
use crate::pickle::array::Array;

/// A field of a structured type: its name, where it begins, and its bytes.
pub(crate) type Field<'a> = (&'a str, i32, u32);

/// What is known of a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tree {
    /// Each of its nodes leads to what there is.
    pub(crate) sound: bool,
    pub(crate) asks: Asks,
}

/// The form of nodes of a type that begins with these fields and has so many bytes.
pub(in super::super) fn form(fields: &[Field<'_>], width: u32) -> Option<Form> {
    let (layout, _) = layouts().into_iter().find(|(_, parts)| fields.starts_with(parts))?;
    layout.form(width)
}

impl Tree {
    /// A decision tree that is made for so many features and says how many nodes it has; `None` where these are no nodes.
    pub(crate) fn decision(nodes: &Array, features: i64, told: i64) -> Option<Self> {
        let nodes = nodes.nodes[0].or(nodes.nodes[1])?;
        let sound =
            nodes.lead_inside() && i64::from(nodes.feature) < features && told <= i64::from(nodes.count);
        Some(Self { sound, asks: Asks::of(&nodes) })
    }

    /// A tree of a histogram booster, which has so many sets of categories.
    pub(crate) fn predictor(nodes: &Array, sets: i64) -> Option<Self> {
        let nodes = nodes.nodes[2].or(nodes.nodes[3])?;
        Some(Self { sound: nodes.lead_inside() && i64::from(nodes.sets) <= sets, asks: Asks::of(&nodes) })
    }
}

/// One more than the last feature whose categories a booster knows that keeps this of them, or 0.
pub(crate) fn categories(is_categorical: &Array) -> Option<i32> {
    let [features, flat @ ..] = is_categorical.shape;
    (flat == [1, 1]).then_some(if is_categorical.set { features } else { 0 })
}

/// Whether a class is what knows them.
pub(crate) fn is_mapper(module: &str, name: &str) -> bool {
    (module, name) == predictor::MAPPER
}

/// Whether a class is the one of decision trees.
pub(crate) fn is_tree(module: &str, name: &str) -> bool {
    (module, name) == super::TREE
}

/// Whether a class is the one of trees of histogram boosters.
pub(crate) fn is_predictor(module: &str, name: &str) -> bool {
    (module, name) == predictor::CLASS
}
