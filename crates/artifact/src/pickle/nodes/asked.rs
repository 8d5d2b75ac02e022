//! Which features the trees of a model ask for. Forests and boosters hand their input to the trees without another look, once it
//! has as many features as they themselves say.

use super::{Machine, Nodes, TREE, predictor};
use crate::{pickle::value::Value, rules};

/// Where the classes are that hand input to the trees in them.
const MODULES: &[&str] = &[
    "imblearn.ensemble._forest",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting",
    "sklearn.ensemble._iforest",
    "sklearn.ensemble.forest",
    "sklearn.ensemble.gradient_boosting",
    "sklearn.ensemble.iforest",
];
/// Those of a single tree, which stands by itself or in one of the others.
const SINGLE: &[&str] = &["sklearn.tree._classes", "sklearn.tree.tree"];
/// What tells how many features an input must have, since 0.24 and before.
const FEATURES: &[&str] = &["n_features_in_", "n_features_", "_n_features"];

/// What a class does with the trees in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It hands them its input as it is.
    Whole,
    /// It is a single tree, which may stand in one of the others.
    Single,
}

impl Owner {
    /// What a class is to the trees in it, where it is one that hands them its input.
    pub(crate) fn of(module: &str) -> Option<Self> {
        if MODULES.contains(&module) {
            return Some(Self::Whole);
        }
        SINGLE.contains(&module).then_some(Self::Single)
    }
}

impl Machine<'_, '_> {
    /// Remembers what a tree asks for.
    pub(super) fn ask(&mut self, target: Value, nodes: &Nodes) {
        let Value::Object(id) = target else { return };
        if self.heap.get(id).taken {
            self.note_late_tree();
        }
        let last = i32::try_from(nodes.feature).unwrap_or(i32::MAX);
        self.heap.get_mut(id).asks = last;
    }

    /// A tree that comes into an object once that is part of others, to which it would not be told.
    pub(in super::super) fn note_late_tree(&mut self) {
        self.note(
            &rules::PICKLE_LIMIT,
            "a tree in an object that others hold already, which is not followed",
        );
    }

    /// Holds what the trees of a model ask for against the features that it takes.
    pub(in super::super) fn check_asked(&mut self, class: u32, target: Value, state: Value) {
        let Value::Object(id) = target else { return };
        let asks = self.heap.get(id).asks;
        let class = &self.globals[class as usize];
        let (module, name) = (class.module.as_str(), class.name.as_str());
        let Some(owner) = Owner::of(module) else { return };
        if asks < 0 || [TREE, predictor::CLASS].contains(&(module, name)) {
            return;
        }
        let name = format!("{module}.{name}");
        if owner == Owner::Whole {
            self.heap.get_mut(id).asks = -1;
        }
        match self.features(state) {
            Some(features) if asks < features => {}
            Some(_) => {
                let message = "its trees ask for a feature that its input does not have; predictions would read other memory";
                self.note_about(&rules::BAD_BUILD, &name, message);
            }
            None => self.note_about(
                &rules::PICKLE_LIMIT,
                &name,
                "it does not tell how many features its trees are asked about",
            ),
        }
    }

    /// How many features a model says that its input has.
    fn features(&self, state: Value) -> Option<i32> {
        let state = self.heap.recall(state)?;
        let value = |wanted: &&str| {
            let mut pairs = state.chunks_exact(2).rev();
            let is_it = |key: Value| matches!(key, Value::Text(key) if self.texts.get(key) == *wanted);
            pairs.find(|pair| is_it(pair[0])).map(|pair| pair[1])
        };
        match FEATURES.iter().find_map(value)? {
            Value::Int(features) => Some(features),
            _ => None,
        }
    }
}
