//! The state that is set on instances, which runs their `__setstate__` or replaces their attributes.

use super::{
    allow::{self, Usage},
    heap::Keys,
    machine::Machine,
    value::{Kind, Value},
};
use crate::{rules, stream::Stop};

impl Machine<'_, '_> {
    /// BUILD: the state of an instance.
    pub(super) fn build(&mut self) -> Result<(), Stop> {
        let state = self.pop()?;
        let target = self.top()?;
        let Some(class) = self.heap.class_of(target) else {
            if target != Value::Refused {
                self.note(&rules::BAD_BUILD, format!("state is set on {}", self.describe(target)));
            }
            return Ok(());
        };
        let name = self.name(class);
        let usage = self.globals[class as usize].usage;
        let takes = !matches!(
            usage,
            None | Some(
                Usage::Literal
                    | Usage::Value
                    | Usage::Encode
                    | Usage::Texts
                    | Usage::Reconstruct
                    | Usage::NewObject
                    | Usage::Tensor
                    | Usage::Attribute
                    | Usage::Zone
                    | Usage::ArrowType
                    | Usage::ArrowBuffer
                    | Usage::ArrowArray
            )
        );
        if !takes || !(self.is_plain_state(state) || self.is_own_state(target, state)) {
            self.note_about(&rules::BAD_BUILD, &name, format!("its state is {}", self.describe(state)));
        }
        // The state of a partial names its function again.
        if usage == Some(Usage::Partial) {
            let named = self.heap.recall(state).and_then(|parts| match parts.first() {
                Some(Value::Global(function)) => Some(*function),
                _ => None,
            });
            if named.is_none() || named != self.partial_of(target) {
                self.note_about(
                    &rules::BAD_BUILD,
                    &name,
                    "its state names another function than it was made with",
                );
            }
        }
        self.keep(&[state]);
        if usage == Some(Usage::Distribution) && !self.is_distribution_state(state) {
            let message = "its state makes scipy execute source text, which is not the text that scipy writes;                            keep the distribution's name and parameters instead, and make it of them";
            self.note_about(&rules::BAD_BUILD, &name, message);
        }
        if usage == Some(Usage::Vectorize) {
            self.finish(target, state);
        }
        if usage == Some(Usage::ArrowHolder) && !self.holds_arrow(state) {
            self.note_about(&rules::BAD_BUILD, &name, "its state holds no array of Arrow's");
        }
        if name.starts_with("statsmodels.") && self.has_key(state, |keys| keys.formula) {
            let message = "its state makes the loader evaluate a formula, which may be any code";
            self.note_about(&rules::BAD_BUILD, &name, message);
        }
        if self.has_dunder(state) || self.offers_method(target) {
            self.note_about(&rules::DUNDER_STATE, &name, "its state replaces a special method");
        }
        if let Value::Object(id) = target {
            if self.heap.get(id).taken && self.heap.asks(&[state]).any() {
                self.note_late_tree();
            }
            let weight = self.heap.weigh(id, state);
            self.check_weight(weight);
        }
        if usage == Some(Usage::Dtype)
            && let Err(message) = self.set_dtype(target, state)
        {
            self.note_about(&rules::BAD_BUILD, &name, message);
        }
        if self.trees {
            self.check_tree(class, target, state);
            self.check_predictor(class, target, state);
            self.keep_categories(class, target, state);
            self.check_asked(class, target, state);
        }
        if self.follows_arrays() && name == "numpy.ndarray" {
            self.keep_array(target, state);
        }
        if self.indices {
            self.check_sparse(class, target, state);
            self.check_vectors(class, target, state);
            self.keep_categories(class, target, state);
            self.keep_metric(class, target, state);
            self.check_neighbours(class, target, state);
        }
        if self.boosters {
            self.check_model(class, state);
        }
        if usage == Some(Usage::ArrayWrapper) {
            self.inline_array(state)?;
        }
        self.heap.release(state);
        Ok(())
    }

    /// State that cannot smuggle attribute names in, as an instance of a mapping class could.
    pub(super) fn is_plain_state(&self, state: Value) -> bool {
        if !self.heap.is(state, Kind::Tuple) {
            return self.heap.class_of(state).is_none();
        }
        self.heap
            .recall(state)
            .is_some_and(|elements| !elements.iter().any(|element| self.is_mapping(*element)))
    }

    /// A mapping whose attributes are its items is its own state. What it gives when asked for them must not be an item.
    fn is_own_state(&self, target: Value, state: Value) -> bool {
        let Value::Object(id) = target else { return false };
        let keys = self.heap.get(id).keys;
        let known = !keys.items && !keys.instance;
        target == state && known && self.is_mapping(target) && !self.is_of_python(target)
    }

    fn is_of_python(&self, value: Value) -> bool {
        self.heap.class_of(value).is_none_or(|class| allow::is_standard(&self.globals[class as usize].module))
    }

    /// An instance that gives keys and values of its own choice when asked for items.
    fn is_mapping(&self, value: Value) -> bool {
        self.heap.class_of(value).is_some_and(|class| {
            let class = &self.globals[class as usize];
            class.usage == Some(Usage::DictLike)
                || (class.module == "builtins" && class.name == "dict")
                || matches!(class.name.as_str(), "DataFrame" | "Series")
        })
    }

    /// Whether a state names a special method, or could in a way that is not followed.
    pub(super) fn has_dunder(&self, state: Value) -> bool {
        let parts = self.heap.is(state, Kind::Tuple);
        let itself = matches!(state, Value::Object(id)
            if self.heap.get(id).keys.instance || self.heap.get(id).keys.dunder);
        let inside = |keys: Keys| keys.method || (parts && (keys.dunder || keys.instance));
        itself || self.has_key(state, inside)
    }

    /// What is known of the items that a mapping is made of.
    pub(super) fn keys_of_items(&self, arguments: &[Value]) -> Keys {
        let mut all = Keys::default();
        for argument in arguments {
            let Value::Object(id) = argument else { continue };
            let object = self.heap.get(*id);
            all.dunder |= object.keys.dunder;
            all.method |= object.keys.method;
            all.items |= object.keys.items;
            // Keys of pairs in a list are not followed.
            let followed = object.kind == Kind::Dict || self.partial_of(*argument).is_some();
            all.instance |= object.keys.instance || !followed;
        }
        all
    }

    /// Whether the items of an instance could be taken for its methods: classes that offer items as attributes are
    /// asked for `__setstate__` before they get their state.
    fn offers_method(&self, target: Value) -> bool {
        let Value::Object(id) = target else { return false };
        let object = self.heap.get(id);
        let Kind::Instance(class) = object.kind else { return false };
        let class = &self.globals[class as usize];
        class.usage == Some(Usage::DictLike)
            && class.module != "collections"
            && (object.keys.dunder || object.keys.instance)
    }

    /// Whether keys of a state, or of a part of it, are of a kind.
    fn has_key(&self, state: Value, kind: impl Fn(Keys) -> bool) -> bool {
        let marked = |value: &Value| matches!(value, Value::Object(id) if kind(self.heap.get(*id).keys));
        marked(&state) || self.heap.recall(state).is_some_and(|elements| elements.iter().any(marked))
    }
}
