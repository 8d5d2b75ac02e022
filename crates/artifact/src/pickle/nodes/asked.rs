//! Which features the trees of a model ask for. Forests and boosters hand their input to the trees without another look, once it
//! has as many features as they themselves say.

use super::{Machine, Nodes, TREE, predictor};
use crate::{
    pickle::value::{Element, Value},
    rules,
};

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

/// What the trees in an object ask their input for. Numbers are one more than the last place, and 0 where nothing is asked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Asks {
    pub(crate) features: i32,
    /// Of these, those that hold categories.
    pub(crate) categories: i32,
}

impl Asks {
    pub(super) fn of(nodes: &Nodes) -> Self {
        Self { features: nodes.feature.saturating_add(1), categories: nodes.categories }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            features: self.features.max(other.features),
            categories: self.categories.max(other.categories),
        }
    }

    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }
}

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
        self.heap.get_mut(id).asks = Asks::of(nodes);
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
        if !asks.any() || [TREE, predictor::CLASS].contains(&(module, name)) {
            return;
        }
        let name = format!("{module}.{name}");
        if owner == Owner::Whole {
            self.heap.get_mut(id).asks = Asks::default();
        }
        match self.features(state) {
            Some(features) if asks.features <= features => {}
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
        if owner == Owner::Whole && asks.categories > 0 {
            self.check_categories(&name, asks.categories, state);
        }
    }

    /// Holds the features that trees take for categories against those that the model knows as such.
    fn check_categories(&mut self, name: &str, asked: i32, state: Value) {
        let mapper = self.attribute(state, "_bin_mapper");
        let known = match mapper {
            Some(Value::Object(id)) => match self.heap.get(id).element {
                Element::Categories(known) => Some(known),
                _ => None,
            },
            _ => None,
        };
        match known {
            Some(known) if asked <= known => {}
            Some(_) => {
                let message =
                    "its trees ask for categories that it does not know; predictions would read other memory";
                self.note_about(&rules::BAD_BUILD, name, message);
            }
            None => {
                let message = "it does not tell which features are categories, for which its trees ask";
                self.note_about(&rules::PICKLE_LIMIT, name, message);
            }
        }
    }

    /// How many features a model says that its input has.
    fn features(&self, state: Value) -> Option<i32> {
        match FEATURES.iter().find_map(|name| self.attribute(state, name))? {
            Value::Int(features) => Some(features),
            _ => None,
        }
    }

    /// What a state gives for this attribute.
    pub(super) fn attribute(&self, state: Value, name: &str) -> Option<Value> {
        let state = self.heap.recall(state)?;
        let is_it = |key: Value| matches!(key, Value::Text(key) if self.texts.get(key) == name);
        state.chunks_exact(2).rev().find(|pair| is_it(pair[0])).map(|pair| pair[1])
    }
}
