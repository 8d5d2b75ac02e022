//! Trees of neighbours in archives: five points of two coordinates in three nodes.

use super::models::{Members, array, changed, check, floats, json, node, numbers_as, tuple};

const NODE: &str = "[('idx_start', '<i8'), ('idx_end', '<i8'), ('is_leaf', '<i8'), ('radius', '<f8')]";

fn wide(numbers: &[i64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn nodes(root: [i64; 3]) -> Vec<u8> {
    let [start, end, leaf] = root;
    numbers_as(NODE, "(3,)", &wide(&[start, end, leaf, 0, 0, 2, 1, 0, 2, 5, 1, 0]))
}

fn order(last: i64) -> Vec<u8> {
    numbers_as("'<i8'", "(5,)", &wide(&[4, 0, 3, 1, last]))
}

fn members() -> Members {
    vec![
        ("points.npy", floats("(5, 2)", 10)),
        ("order.npy", order(2)),
        ("nodes.npy", nodes([0, 5, 0])),
        ("bounds.npy", floats("(2, 3, 2)", 12)),
        ("weights.npy", floats("(2,)", 2)),
        ("matrix.npy", floats("(1, 1)", 1)),
    ]
}

fn with(name: &'static str, bytes: Vec<u8>) -> Members {
    let mut members = members();
    members.retain(|(member, _)| *member != name);
    members.push((name, bytes));
    members
}

fn metric(class: &str) -> String {
    let state = tuple(&[json("2.0"), array("weights.npy"), array("matrix.npy")]);
    node("sklearn.metrics._dist_metrics", class, "ObjectNode", &format!(r#","content":{state}"#))
}

fn tree_of(metric: &str, told: &str, weights: &str) -> String {
    let arrays = ["points.npy", "order.npy", "nodes.npy", "bounds.npy"].map(array);
    let numbers = ["2", "2", told, "0", "0", "0", "0"].map(json);
    let mut parts = [&arrays[..], &numbers].concat();
    parts.extend([metric.to_owned(), weights.to_owned()]);
    let state = tuple(&parts);
    node("sklearn.neighbors._kd_tree", "KDTree", "ObjectNode", &format!(r#","content":{state}"#))
}

fn tree() -> String {
    tree_of(&metric("EuclideanDistance64"), "3", &json("null"))
}

#[test]
fn a_tree_of_neighbours_leads_to_its_points() {
    check(&members(), &tree(), None);
    let balls = changed(&changed(&tree(), "_kd_tree", "_ball_tree"), "KDTree", "BallTree");
    check(&with("bounds.npy", floats("(1, 3, 2)", 6)), &balls, None);
    for (name, bytes) in [
        ("points.npy", floats("(4, 2)", 8)),
        ("points.npy", floats("(5, 3)", 15)),
        ("order.npy", order(5)),
        ("order.npy", order(-1)),
        ("nodes.npy", nodes([0, 6, 0])),
        ("nodes.npy", nodes([-1, 5, 0])),
        ("bounds.npy", floats("(1, 3, 2)", 6)),
        ("bounds.npy", floats("(2, 2, 2)", 8)),
    ] {
        check(&with(name, bytes), &tree(), Some("SKO103"));
    }
    check(&members(), &tree_of(&metric("EuclideanDistance64"), "2", &json("null")), Some("SKO103"));
    check(&members(), &tree_of(&metric("EuclideanDistance64"), "3", &array("weights.npy")), Some("SKO103"));
    let weighed = tree_of(&metric("EuclideanDistance64"), "3", &array("weights.npy"));
    check(&with("weights.npy", floats("(5,)", 5)), &weighed, None);
}

#[test]
fn a_metric_measures_points_of_its_size() {
    for class in ["SEuclideanDistance64", "MinkowskiDistance64", "HaversineDistance64"] {
        check(&members(), &tree_of(&metric(class), "3", &json("null")), None);
    }
    let mahalanobis = tree_of(&metric("MahalanobisDistance64"), "3", &json("null"));
    check(&members(), &mahalanobis, Some("SKO103"));
    check(&with("matrix.npy", floats("(2, 2)", 4)), &mahalanobis, None);
    let euclidean = tree_of(&metric("SEuclideanDistance64"), "3", &json("null"));
    check(&with("weights.npy", floats("(1,)", 1)), &euclidean, Some("SKO103"));
}

#[test]
fn a_tree_of_neighbours_that_is_not_followed_is_no_pass() {
    let euclidean = metric("EuclideanDistance64");
    for model in [
        tree_of(&json("null"), "3", &json("null")),
        tree_of(&euclidean, "3.0", &json("null")),
        tree_of(&euclidean, "3", &json("1")),
        tree_of(
            &node("sklearn.metrics._dist_metrics", "SEuclideanDistance64", "ObjectNode", ""),
            "3",
            &json("null"),
        ),
        changed(&tree(), "order.npy", "other.npy"),
        changed(&tree(), "nodes.npy", "order.npy"),
        node("sklearn.neighbors._kd_tree", "KDTree", "ObjectNode", ""),
        tree().replace(
            r#""KDTree","__module__":"sklearn.neighbors._kd_tree","__loader__":"ObjectNode""#,
            r#""KDTree","__module__":"sklearn.neighbors._kd_tree","__loader__":"LossNode""#,
        ),
    ] {
        check(&members(), &model, Some("SKO201"));
    }
}
