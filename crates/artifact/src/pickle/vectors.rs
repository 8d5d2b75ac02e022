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
pub(super) fn has_vectors(module: &str, name: &str) -> bool {
    MODULES.contains(&module) && (CLASSIFIERS.contains(&name) || OTHERS.contains(&name))
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
struct Learnt {
    /// Some of it is there.
    begun: bool,
    /// It says by itself how vectors are used.
    chooses: bool,
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
        let (name, classifies) =
            (format!("{}.{}", class.module, class.name), CLASSIFIERS.contains(&class.name.as_str()));
        let earlier = match target {
            // A second state replaces parts of the first.
            Value::Object(id) => std::mem::replace(&mut self.heap.get_mut(id).built, true),
            _ => true,
        };
        let fits = match self.learnt(state).filter(|_| !earlier) {
            // One that was not trained yet, as searches keep it.
            Some(learnt) if !learnt.begun => Some(true),
            Some(learnt) if !learnt.chooses => learnt.fits(classifies),
            _ => None,
        };
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
        let list = |value: Value| self.array(value).and_then(Array::list);
        let length =
            |value: Value| self.array(value).filter(|array| array.shape[1..] == [1, 1]).map(Array::count);
        for pair in state.chunks_exact(2) {
            let Value::Text(key) = pair[0] else { return None };
            match self.texts.get(key) {
                "support_" => learnt.support = list(pair[1]),
                "support_vectors_" => learnt.vectors = self.rows(pair[1]),
                "_n_support" | "n_support_" => learnt.by_class = list(pair[1]),
                "_dual_coef_" => learnt.coefficients = self.rows(pair[1]),
                "_intercept_" => learnt.intercepts = length(pair[1]),
                "_probA" | "probA_" | "_probB" | "probB_" => learnt.probabilities.push(length(pair[1])),
                "shape_fit_" => learnt.trained_on = self.first_size(pair[1]),
                "kernel" => {
                    learnt.precomputed =
                        matches!(pair[1], Value::Text(kernel) if self.texts.get(kernel) == "precomputed");
                    continue;
                }
                "_impl" => learnt.chooses = true,
                _ => continue,
            }
            learnt.begun = true;
        }
        Some(learnt)
    }

    fn rows(&self, value: Value) -> Option<Rows> {
        let array = self.array(value).map(|array| Rows::Dense(array.shape));
        array.or_else(|| self.matrix(value).map(Rows::Sparse))
    }

    fn first_size(&self, shape: Value) -> Option<i64> {
        match self.heap.recall(shape).filter(|_| self.heap.is(shape, Kind::Tuple))? {
            [Value::Int(rows @ 0..), ..] => Some(i64::from(*rows)),
            _ => None,
        }
    }
}
