//! Support vectors of scikit-learn. libsvm counts on the sizes that its own training gives them, and predictions read as far as
//! those say (`sklearn/svm/src/libsvm/libsvm_helper.c`, `libsvm_sparse_helper.c` and `svm.cpp`).

#[cfg(test)]
mod tests;

use super::{
    array::Array,
    machine::Machine,
    numbers::Numbers,
    sparse::Matrix,
    value::{Kind, Value},
};
use crate::rules;

/// Where the classes are, since 0.22 and before.
const MODULES: [&str; 2] = ["sklearn.svm._classes", "sklearn.svm.classes"];
/// Those that tell classes apart, and whose vectors are counted by class.
const CLASSIFIERS: [&str; 2] = ["SVC", "NuSVC"];
const OTHERS: [&str; 3] = ["SVR", "NuSVR", "OneClassSVM"];

/// Whether a class keeps support vectors.
pub(crate) fn has_vectors(module: &str, name: &str) -> bool {
    MODULES.contains(&module) && (CLASSIFIERS.contains(&name) || OTHERS.contains(&name))
}

/// What the values of a state are to support vectors.
pub(crate) trait Attributes {
    type Value: Copy;

    /// What is known of a value that is an array.
    fn array(&self, value: Self::Value) -> Option<&Array>;
    /// What is known of a value that is a sparse matrix by rows.
    fn matrix(&self, value: Self::Value) -> Option<Matrix>;
    /// The first number of a tuple of sizes.
    fn first_size(&self, value: Self::Value) -> Option<i64>;
    fn text(&self, value: Self::Value) -> Option<&str>;
}

/// Numbers in rows, as an array, or as the values of a sparse matrix.
#[derive(Debug, Clone, Copy)]
enum Rows {
    Dense([i32; 3]),
    Sparse(Matrix),
}

impl Rows {
    /// How many there are; `None` where it is no table.
    fn count(self) -> Option<i64> {
        match self {
            Self::Dense([high, _, deep]) => (deep == 1).then_some(i64::from(high)),
            Self::Sparse(matrix) => Some(matrix.rows),
        }
    }

    /// Whether native code finds so many rows of so many numbers in it.
    fn hold(self, rows: i64, wide: i64) -> bool {
        match self {
            Self::Dense(shape) => {
                let [high, across, deep] = shape.map(i64::from);
                high >= rows && across == wide && deep == 1
            }
            Self::Sparse(matrix) => matrix.values >= rows.saturating_mul(wide),
        }
    }
}

/// What was learnt.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    /// Some of it is there.
    begun: bool,
    /// How vectors are used is not known: it says so by itself, twice, or leaves it to a function.
    chooses: bool,
    /// It says how many vectors each class has.
    counted: bool,
    /// Rows that it was trained on.
    trained_on: Option<i64>,
    /// Which of them are vectors.
    support: Option<Numbers>,
    vectors: Option<Rows>,
    /// How many vectors each class has.
    by_class: Option<Numbers>,
    coefficients: Option<Rows>,
    intercepts: Option<i64>,
    /// Lengths of the parameters of probabilities, where it has some: as many as pairs of classes, or none.
    probabilities: Vec<Option<i64>>,
    /// Whether a distance to every vector is an input of a prediction: then the vectors themselves are not kept.
    precomputed: bool,
}

impl Learnt {
    /// Takes an attribute of the model in.
    pub(crate) fn take<A: Attributes>(&mut self, name: &str, value: A::Value, attributes: &A) {
        let array = |value| attributes.array(value);
        let list = |value| array(value).and_then(Array::list);
        let length = |value| array(value).filter(|array| array.shape[1..] == [1, 1]).map(Array::count);
        let rows = |value| {
            let dense = array(value).map(|array| Rows::Dense(array.shape));
            dense.or_else(|| attributes.matrix(value).map(Rows::Sparse))
        };
        match name {
            "support_" => self.support = list(value),
            "support_vectors_" => self.vectors = rows(value),
            "_n_support" | "n_support_" => {
                // Which of the two counts depends on the version of the library.
                self.chooses |= std::mem::replace(&mut self.counted, true);
                self.by_class = list(value);
            }
            "_dual_coef_" => self.coefficients = rows(value),
            "_intercept_" => self.intercepts = length(value),
            "_probA" | "probA_" | "_probB" | "probB_" => self.probabilities.push(length(value)),
            "shape_fit_" => self.trained_on = attributes.first_size(value),
            "kernel" => {
                // A function gives distances to as many vectors as it likes.
                match attributes.text(value) {
                    Some(kernel) => self.precomputed = kernel == "precomputed",
                    None => self.chooses = true,
                }
                return;
            }
            "_impl" => self.chooses = true,
            _ => return,
        }
        self.begun = true;
    }

    /// Whether predictions of a class with these attributes stay inside of them; `None` where that is not known.
    pub(crate) fn is_sound(&self, class: &str) -> Option<bool> {
        if !self.begun {
            // One that was not trained yet, as searches keep it.
            return Some(true);
        }
        if self.chooses {
            return None;
        }
        self.fits(CLASSIFIERS.contains(&class))
    }

    /// Whether all sizes fit each other; `None` where something of it is not known.
    fn fits(&self, classifies: bool) -> Option<bool> {
        let (support, by_class, trained_on) = (self.support?, self.by_class?, self.trained_on?);
        let (vectors, kept) = (i64::try_from(support.count).ok()?, self.vectors?.count()?);
        let classes = i64::try_from(by_class.count).ok()?;
        // What tells no classes apart has one row of coefficients and one intercept, whatever it counts.
        let pairs = (classes.saturating_mul(classes - 1) / 2).max(1);
        let counted = by_class.least >= 0 && i64::from(by_class.sum) == vectors;
        let mut enough = true;
        for count in &self.probabilities {
            let count = (*count)?;
            enough &= count == 0 || count >= pairs;
        }
        Some(
            enough
                && (counted || !classifies)
                && (kept == vectors || self.precomputed && kept == 0)
                && support.are_places(trained_on)
                && self.coefficients?.hold((classes - 1).max(1), vectors)
                && self.intercepts? >= pairs,
        )
    }
}

impl Machine<'_, '_> {
    /// Holds the support vectors of a model against what there is.
    pub(super) fn check_vectors(&mut self, class: u32, target: Value, state: Value) {
        let class = &self.globals[class as usize];
        if !has_vectors(&class.module, &class.name) {
            return;
        }
        let name = format!("{}.{}", class.module, class.name);
        let kind = class.name.clone();
        let earlier = match target {
            // A second state replaces parts of the first.
            Value::Object(id) => std::mem::replace(&mut self.heap.get_mut(id).built, true),
            _ => true,
        };
        let fits = self.learnt(state).filter(|_| !earlier).and_then(|learnt| learnt.is_sound(&kind));
        match fits {
            Some(true) => {}
            Some(false) => {
                let message =
                    "support vectors whose sizes do not fit each other; predictions would read other memory";
                self.note_about(&rules::BAD_BUILD, &name, message);
            }
            None => {
                let message = "support vectors that are not followed; write the model again with joblib";
                self.note_about(&rules::PICKLE_LIMIT, &name, message);
            }
        }
    }

    fn learnt(&self, state: Value) -> Option<Learnt> {
        let state = self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Dict))?;
        let mut learnt = Learnt::default();
        for pair in state.chunks_exact(2) {
            let Value::Text(key) = pair[0] else { return None };
            learnt.take(self.texts.get(key), pair[1], self);
        }
        Some(learnt)
    }
}

impl Attributes for Machine<'_, '_> {
    type Value = Value;

    fn array(&self, value: Value) -> Option<&Array> {
        self.array(value)
    }

    fn matrix(&self, value: Value) -> Option<Matrix> {
        self.matrix(value)
    }

    fn first_size(&self, shape: Value) -> Option<i64> {
        match self.heap.recall(shape).filter(|_| self.heap.is(shape, Kind::Tuple))? {
            [Value::Int(rows @ 0..), ..] => Some(i64::from(*rows)),
            _ => None,
        }
    }

    fn text(&self, value: Value) -> Option<&str> {
        match value {
            Value::Text(number) => Some(self.texts.get(number)),
            _ => None,
        }
    }
}
