//! Models of three support vectors of two numbers, as scikit-learn writes them.

use super::super::sparse::tests::{Carried, by_rows, narrow, passed, refused, shape, values};
use crate::build::unicode;

type Parts = Vec<(&'static str, Vec<u8>)>;

fn model(class: &str, parts: &Parts) -> Vec<u8> {
    let items: Vec<u8> = parts.iter().flat_map(|(key, value)| [&unicode(key)[..], value].concat()).collect();
    [b"\x80\x04csklearn.svm._classes\n", class.as_bytes(), b"\n)\x81}(", &items, b"ub."].concat()
}

fn numbers(numbers: &[i32]) -> Vec<u8> {
    narrow(numbers, Carried::Bytes)
}

/// What tells apart so many classes, with so many vectors each.
fn learnt(by_class: &[i32]) -> Parts {
    let classes = u8::try_from(by_class.len()).unwrap();
    let pairs = classes * (classes - 1) / 2;
    vec![
        ("kernel", unicode("rbf")),
        ("shape_fit_", shape(&[9, 2])),
        ("support_", numbers(&[0, 4, 8])),
        ("support_vectors_", values(&[3, 2])),
        ("_n_support", numbers(by_class)),
        ("_dual_coef_", values(&[classes - 1, 3])),
        ("_intercept_", values(&[pairs])),
        ("_probA", values(&[0])),
        ("_probB", values(&[pairs])),
    ]
}

fn with(mut parts: Parts, key: &'static str, value: Vec<u8>) -> Parts {
    parts.retain(|(other, _)| *other != key);
    parts.push((key, value));
    parts
}

#[test]
fn sizes_of_support_vectors_fit_each_other() {
    passed(&model("SVC", &learnt(&[1, 2])), "two classes");
    passed(&model("NuSVC", &learnt(&[1, 0, 2])), "three");
    passed(&model("SVR", &learnt(&[3, -7])), "what counts no classes");
    passed(&model("SVC", &vec![("kernel", unicode("rbf"))]), "not trained");
    for (key, value) in [
        ("shape_fit_", shape(&[8, 2])),
        ("support_", numbers(&[0, 4])),
        ("support_", numbers(&[0, 4, -8])),
        ("support_vectors_", values(&[2, 2])),
        ("support_vectors_", values(&[0, 0])),
        ("support_vectors_", values(&[4, 2])),
        ("_n_support", numbers(&[1, 1])),
        ("_n_support", numbers(&[-1, 4])),
        ("_n_support", numbers(&[1, 1, 1])),
        ("_dual_coef_", values(&[1, 2])),
        ("_dual_coef_", values(&[3, 1])),
        ("_dual_coef_", values(&[0, 3])),
        ("_intercept_", values(&[0])),
    ] {
        refused(&model("SVC", &with(learnt(&[1, 2]), key, value)), "PKL107", key);
    }
    for key in ["_probA", "_probB", "_intercept_"] {
        refused(&model("SVC", &with(learnt(&[1, 1, 1]), key, values(&[2]))), "PKL107", key);
    }
    for key in ["_dual_coef_", "_intercept_"] {
        refused(&model("OneClassSVM", &with(learnt(&[3, 0]), key, values(&[0]))), "PKL107", key);
    }
}

#[test]
fn vectors_that_are_not_kept_are_those_of_given_distances() {
    let none = with(learnt(&[1, 2]), "support_vectors_", values(&[0, 0]));
    passed(&model("SVC", &with(none, "kernel", unicode("precomputed"))), "precomputed");
}

#[test]
fn vectors_of_a_sparse_matrix_are_counted_too() {
    // Three rows of four columns, and three values.
    let three = by_rows("_csr\ncsr_matrix", &numbers(&[0, 2, 2, 3]), &numbers(&[0, 3, 1]), 3);
    let matrix = three[2..three.len() - 1].to_vec();
    let sparse = with(learnt(&[1, 2]), "support_vectors_", matrix.clone());
    let sparse = with(sparse, "_dual_coef_", matrix.clone());
    passed(&model("SVC", &sparse), "sparse");
    let more = with(with(sparse.clone(), "support_", numbers(&[0, 1, 2, 3])), "_n_support", numbers(&[2, 2]));
    refused(&model("SVC", &more), "PKL107", "four vectors");
    let classes = with(with(sparse, "_n_support", numbers(&[1, 1, 1])), "_intercept_", values(&[3]));
    refused(&model("SVC", &classes), "PKL107", "two rows of coefficients");
    // Columns instead of rows.
    let columns = by_rows("_csc\ncsc_matrix", &numbers(&[0, 2, 2, 2, 3]), &numbers(&[0, 2, 1]), 3);
    let columns = with(learnt(&[1, 2]), "support_vectors_", columns[2..columns.len() - 1].to_vec());
    refused(&model("SVC", &columns), "PKL304", "columns");
}

#[test]
fn what_is_not_followed_or_changes_later_is_no_pass() {
    let sound = model("SVC", &learnt(&[1, 2]));
    let body = &sound[..sound.len() - 1];
    let again = [body, b"}(", &unicode("kernel")[..], &unicode("precomputed"), b"ub."].concat();
    refused(&again, "PKL304", "a second state");
    refused(&model("SVC", &with(learnt(&[1, 2]), "_impl", unicode("epsilon_svr"))), "PKL304", "another use");
    refused(&model("SVC", &with(learnt(&[1, 2]), "support_", b"N".to_vec())), "PKL304", "none");
    let function = b"csklearn.metrics.pairwise\nchi2_kernel\n".to_vec();
    refused(&model("SVC", &with(learnt(&[1, 2]), "kernel", function)), "PKL304", "a function");
    let twice = with(learnt(&[1, 1]), "n_support_", numbers(&[1, 2]));
    refused(&model("SVC", &twice), "PKL304", "two counts");
    let missing: Parts = learnt(&[1, 2]).into_iter().filter(|(key, _)| *key != "_intercept_").collect();
    refused(&model("SVC", &missing), "PKL304", "missing");

    let matrix = by_rows("_csr\ncsr_matrix", &numbers(&[0, 2, 2, 3]), &numbers(&[0, 3, 1]), 3);
    let small = by_rows("_csr\ncsr_matrix", &numbers(&[0, 0, 0, 0]), &numbers(&[]), 0);
    let state = small.windows(2).position(|two| two == b"}(").unwrap();
    let kept = [&matrix[2..matrix.len() - 1], b"q\x07"].concat();
    let sparse = with(learnt(&[1, 2]), "_dual_coef_", kept);
    let whole = model("SVC", &sparse);
    let changed = [&whole[..whole.len() - 1], b"h\x07", &small[state..small.len() - 1], b"0."].concat();
    refused(&changed, "PKL304", "a matrix that changes");
}
