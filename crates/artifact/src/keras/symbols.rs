//! What layers of Keras 2 call by a name of TensorFlow: `TFOpLambda` and its like a function of the public interface
//! (`keras/src/layers/core/tf_op_layer.py` of Keras 2.15), `TensorFlowOpLayer` one operator of a graph.

use crate::{
    json::{self, Event, Path, Visitor},
    rules::{self, Rule},
    tensorflow,
};

/// Modules of TensorFlow whose functions only compute.
const MODULES: &[&str] = &[
    "__operators__",
    "bitwise",
    "dtypes",
    "image",
    "linalg",
    "math",
    "nn",
    "quantization",
    "ragged",
    "random",
    "sets",
    "signal",
    "sparse",
    "strings",
];

/// Functions and classes without a module that only compute.
const FUNCTIONS: &str = "abs acos acosh add add_n argmax argmin argsort as_string asin asinh atan atan2 atanh batch_to_space \
    boolean_mask broadcast_dynamic_shape broadcast_static_shape broadcast_to cast clip_by_global_norm clip_by_norm \
    clip_by_value complex concat constant convert_to_tensor cos cosh cumsum divide dynamic_partition dynamic_stitch \
    edit_distance einsum ensure_shape equal exp expand_dims extract_volume_patches eye fill fingerprint floor gather \
    gather_nd greater greater_equal guarantee_const histogram_fixed_width histogram_fixed_width_bins identity identity_n \
    less less_equal linspace logical_and logical_not logical_or matmul matrix_square_root maximum meshgrid minimum \
    multiply negative no_op norm not_equal one_hot ones ones_like pad parallel_stack pow range rank realdiv recompute_grad \
    reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum repeat reshape \
    reverse reverse_sequence roll round saturate_cast scalar_mul scatter_nd searchsorted sequence_mask shape shape_n \
    sigmoid sign sin sinh size slice sort space_to_batch space_to_batch_nd split sqrt square squeeze stack stop_gradient \
    strided_slice subtract switch_case tan tanh tensor_scatter_nd_add tensor_scatter_nd_max tensor_scatter_nd_min \
    tensor_scatter_nd_sub tensor_scatter_nd_update tensordot tile timestamp transpose truediv truncatediv truncatemod unique \
    unique_with_counts unravel_index unstack where zeros zeros_like Tensor RaggedTensor SparseTensor IndexedSlices";

/// Pieces of names that reach outside or run code.
const REACHES: &[&str] = &[
    "py_func",
    "numpy_function",
    "load_",
    "import_",
    "file",
    "gfile",
    "Record",
    "print",
    "Print",
    "system",
    "library",
];

/// The rule that a function of TensorFlow falls under, by its public name.
pub(super) fn judge(symbol: &str) -> Option<&'static Rule> {
    let name = symbol.strip_prefix("tf.").unwrap_or(symbol);
    let name = name.strip_prefix("compat.v1.").or_else(|| name.strip_prefix("compat.v2.")).unwrap_or(name);
    if let Some(operator) = name.strip_prefix("raw_ops.") {
        return by_operator(operator);
    }
    if REACHES.iter().any(|piece| name.contains(piece)) {
        return Some(&rules::KERAS_CODE);
    }
    let known = match name.split_once('.') {
        Some(("io", name)) => name.starts_with("decode_") || name.starts_with("parse_"),
        Some((module, _)) => MODULES.contains(&module),
        None => FUNCTIONS.split_ascii_whitespace().any(|own| own == name),
    };
    (!known).then_some(&rules::TF_UNKNOWN)
}

fn by_operator(operator: &str) -> Option<&'static Rule> {
    match tensorflow::judge_operator(operator) {
        Some(rule) => Some(rule),
        None if tensorflow::computes(operator) => None,
        None => Some(&rules::TF_UNKNOWN),
    }
}

/// The operators of a node that is kept as JSON, and the rules that they fall under. A node that does not read as one is
/// not known either.
pub(super) fn operators(node: &str) -> Vec<(&'static Rule, String)> {
    let mut found = Operators::default();
    let read = json::walk(&mut json::Reader::new(node.as_bytes()), &mut found);
    if read.is_err() || found.0.is_empty() {
        return vec![(&rules::TF_UNKNOWN, "node_def".to_owned())];
    }
    found.0.into_iter().filter_map(|name| Some((by_operator(&name)?, name))).collect()
}

/// Every `op` of a node, and every function that its attributes name.
#[derive(Default)]
struct Operators(Vec<String>);

impl Visitor for Operators {
    fn event(&mut self, path: &Path, event: &Event, _at: u64) {
        if let Event::Text(text) = event
            && (path.is_key("op") && path.depth() == 1
                || path.ends_with(&["func", "name"])
                || path.ends_with(&["func", "*", "name"]))
        {
            self.0.push(text.clone());
        }
    }

    fn repeated(&mut self, _path: &Path, key: &str, _at: u64) {
        // Readers differ in which one counts.
        self.0.push(format!("{key} twice"));
    }
}
