//! `TreeEnsembleClassifier`: sum of leaf weights per class, then a label and scores.
//!
//! The specification leaves two classes with one column of weights open; the rules here are onnxruntime's, measured
//! on hand-made stumps. Combinations where its label contradicts its own scores, or where it drops base values, are
//! refused: no answer would be right.

use tract_onnx::{
    pb::NodeProto,
    tract_hir::internal::{Datum as _, DatumType, TVec, Tensor, TractError, TractResult, tensor1, tvec},
};

use super::{
    kernel::{Kernel, Shape},
    tree::{Forest, TreeError},
};

/// Classes by name.
#[derive(Debug)]
enum Labels {
    Texts(Vec<String>),
    Numbers(Vec<i64>),
}

/// What turns sums into scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transform {
    None,
    Logistic,
    Softmax,
}

/// How sums become a label and scores.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// Two classes, all weights for the first column: the sum `s` speaks for the second class; above `threshold` it
    /// wins. Scores are `[1 - s, s]` when `complement`, else of `[-s, s]`.
    Single { threshold: f32, complement: bool },
    /// Two classes, all weights for the second column: scores of `[0, s]`.
    Second { threshold: f32 },
    /// The largest sum wins, the first of equals; classes without any leaf and base value do not compete.
    Largest,
}

/// The operator.
#[derive(Debug)]
pub(in super::super) struct TreeClassifier {
    forest: Forest,
    labels: Labels,
    base: Vec<f32>,
    transform: Transform,
    rule: Rule,
}

impl TreeClassifier {
    /// Reads and checks the attributes of `node`.
    pub(in super::super) fn parse(node: &NodeProto) -> Result<Self, TreeError> {
        let malformed = |error: TractError| TreeError::Malformed(format!("{error:#}"));
        let texts: Option<Vec<String>> = node.get_attr_opt_vec("classlabels_strings").map_err(malformed)?;
        let numbers: Option<&[i64]> = node.get_attr_opt_slice("classlabels_int64s").map_err(malformed)?;
        let labels = match (texts.filter(|list| !list.is_empty()), numbers.filter(|list| !list.is_empty())) {
            (Some(texts), None) => Labels::Texts(texts),
            (None, Some(numbers)) => Labels::Numbers(numbers.to_vec()),
            _ => {
                return Err(TreeError::Malformed(
                    "exactly one list of class labels must be given".to_owned(),
                ));
            }
        };
        let classes = labels.len();
        let forest = Forest::parse(node, "class", classes)?;
        let base: Option<&[f32]> = node.get_attr_opt_slice("base_values").map_err(malformed)?;
        let base = base.unwrap_or_default().to_vec();
        let transform = match node.get_attr_opt::<&str>("post_transform").map_err(malformed)? {
            None | Some("NONE") => Transform::None,
            Some("LOGISTIC") => Transform::Logistic,
            Some("SOFTMAX") => Transform::Softmax,
            Some(other) => return Err(TreeError::Unsupported(format!("post_transform is {other}"))),
        };
        let rule = rule(&forest, classes, base.len(), transform)?;
        Ok(Self { forest, labels, base, transform, rule })
    }

    /// The label's index; `sums` become scores.
    fn judge(&self, sums: &mut [f32], touched: &[bool]) -> usize {
        match self.rule {
            Rule::Single { threshold, complement } => {
                let sum = sums[0] + self.base.first().copied().unwrap_or_default();
                let (first, second) = match self.transform {
                    Transform::Logistic => (logistic(-sum), logistic(sum)),
                    _ if complement => (1.0 - sum, sum),
                    _ => (-sum, sum),
                };
                sums.copy_from_slice(&[first, second]);
                usize::from(sum > threshold)
            }
            Rule::Second { threshold } => {
                let label = usize::from(sums[1] > threshold);
                self.transform.apply(sums);
                label
            }
            Rule::Largest => {
                for (sum, base) in sums.iter_mut().zip(&self.base) {
                    *sum += base;
                }
                let competes = |class: usize| touched[class] || !self.base.is_empty();
                let best = (0..sums.len()).filter(|&class| competes(class));
                let best = best.reduce(|best, class| if sums[class] > sums[best] { class } else { best });
                self.transform.apply(sums);
                best.unwrap_or(0)
            }
        }
    }
}

/// Chooses the rule, or refuses.
fn rule(forest: &Forest, classes: usize, base: usize, transform: Transform) -> Result<Rule, TreeError> {
    let unsupported = |text: &str| Err(TreeError::Unsupported(text.to_owned()));
    let positive = forest.weights_are_positive();
    if classes < 2 {
        return unsupported("there is only one class");
    }
    if classes > 2 {
        if base != 0 && base != classes {
            return Err(TreeError::Malformed(format!(
                "base_values has {base} entries for {classes} classes"
            )));
        }
        return Ok(Rule::Largest);
    }
    let threshold = if positive { 0.5 } else { 0.0 };
    if positive && transform == Transform::Logistic {
        return unsupported(
            "logistic scores of weights that are never negative contradict the label in onnxruntime",
        );
    }
    if forest.adds_only_to(0) {
        return match base {
            0 | 1 => Ok(Rule::Single { threshold, complement: positive }),
            2 => unsupported("two base values for one column of weights, of which onnxruntime uses one"),
            _ => Err(TreeError::Malformed(format!("base_values has {base} entries for 2 classes"))),
        };
    }
    if !forest.adds_only_to(1) {
        return unsupported(
            "two classes with weights of their own, whose label onnxruntime takes from the second alone",
        );
    }
    match (base, transform) {
        (0, Transform::Softmax) if positive => unsupported(
            "softmax scores of weights that are never negative contradict the label in onnxruntime",
        ),
        (0, _) => Ok(Rule::Second { threshold }),
        _ => unsupported("base values with all weights on the second class, which onnxruntime drops"),
    }
}

impl Labels {
    fn len(&self) -> usize {
        match self {
            Self::Texts(labels) => labels.len(),
            Self::Numbers(labels) => labels.len(),
        }
    }

    fn name(&self, indices: &[usize]) -> Tensor {
        match self {
            Self::Texts(labels) => tensor1(&indices.iter().map(|&at| labels[at].clone()).collect::<Vec<_>>()),
            Self::Numbers(labels) => tensor1(&indices.iter().map(|&at| labels[at]).collect::<Vec<_>>()),
        }
    }
}

impl Transform {
    fn apply(self, sums: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Logistic => {
                for sum in sums {
                    *sum = logistic(*sum);
                }
            }
            Self::Softmax => {
                let largest = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                for sum in &mut *sums {
                    *sum = (*sum - largest).exp();
                }
                let total: f32 = sums.iter().sum();
                for sum in sums {
                    *sum /= total;
                }
            }
        }
    }
}

fn logistic(sum: f32) -> f32 {
    1.0 / (1.0 + (-sum).exp())
}

impl Kernel for TreeClassifier {
    fn name(&self) -> &'static str {
        "TreeEnsembleClassifier"
    }

    fn outputs(&self) -> Vec<(DatumType, Shape)> {
        let label = match self.labels {
            Labels::Texts(_) => String::datum_type(),
            Labels::Numbers(_) => i64::datum_type(),
        };
        vec![(label, Shape::PerRow), (f32::datum_type(), Shape::RowsBy(self.labels.len()))]
    }

    fn input_rank(&self) -> Option<i64> {
        Some(2)
    }

    fn eval(&self, input: &Tensor) -> TractResult<TVec<Tensor>> {
        let classes = self.labels.len();
        let mut scores = Vec::new();
        let mut winners = Vec::new();
        let mut touched = vec![false; classes];
        super::tree::each_row(input, &self.forest, |row| {
            let start = scores.len();
            scores.resize(start + classes, 0.0);
            let sums = &mut scores[start..];
            touched.fill(false);
            self.forest.visit(row, |class, weight| {
                sums[class] += weight;
                touched[class] = true;
            });
            winners.push(self.judge(sums, &touched));
        })?;
        Ok(tvec![self.labels.name(&winners), Tensor::from_shape(&[winners.len(), classes], &scores)?])
    }
}
