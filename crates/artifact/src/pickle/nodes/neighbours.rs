//! Neighbours' trees of scikit-learn (`sklearn/neighbors/_binary_tree.pxi.tp`): points, an order of them, and nodes that cover a
//! stretch of that order each, with the bounds of what is in it. Queries follow all of it without a check, and ask a metric that
//! counts on points of its own size (`sklearn/metrics/_dist_metrics.pyx.tp`).

use super::{Form, Machine, Nodes, capped};
use crate::{
    pickle::{
        array::Array,
        value::{Element, Kind, Value},
    },
    rules,
};

/// The parts of a node by name, offset and bytes.
pub(super) const PARTS: [(&str, i32, u32); 4] =
    [("idx_start", 0, 8), ("idx_end", 8, 8), ("is_leaf", 16, 8), ("radius", 24, 8)];

/// How many bounds each node has: the lowest and highest of its points, or the middle of a ball.
fn bounds(module: &str, name: &str) -> Option<i32> {
    let module = module.strip_prefix("sklearn.neighbors.")?.trim_start_matches('_');
    match (module, name) {
        ("kd_tree", "KDTree") => Some(2),
        ("ball_tree", "BallTree") => Some(1),
        _ => None,
    }
}

pub(crate) fn is_tree(module: &str, name: &str) -> bool {
    bounds(module, name).is_some()
}

/// Whether a class of this module may hold the points of a tree before it names the tree.
pub(in super::super) fn keeps_points(module: &str) -> bool {
    ["sklearn.neighbors.", "sklearn.semi_supervised."].iter().any(|parent| module.starts_with(parent))
}

/// Reads one node. Its children are where a full binary tree has them.
pub(super) fn next(node: &[u8], nodes: &mut Nodes) {
    let [start, end, leaf, ..] = node.as_chunks::<8>().0 else { return };
    let [start, end, leaf] = [start, end, leaf].map(|bytes| i64::from_le_bytes(*bytes));
    nodes.broken |= start < 0 || end < start;
    nodes.covered = nodes.covered.max(capped(end));
    if leaf == 0 {
        nodes.last = nodes.last.max(nodes.count.saturating_mul(2).saturating_add(2));
    }
    nodes.count = nodes.count.saturating_add(1);
}

/// How many coordinates the points may have that a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Metric {
    least: i32,
    most: i32,
}

impl Metric {
    const ANY: Self = Self { least: 0, most: i32::MAX };

    fn up_to(most: i32) -> Self {
        Self { most, ..Self::ANY }
    }

    /// Whether a class is a metric.
    pub(crate) fn is_one(module: &str, name: &str) -> bool {
        module.ends_with("dist_metrics") && name.contains("Distance")
    }

    /// What this class makes of its weights and its matrix; `None` where it needs one that is not known.
    pub(crate) fn new(
        module: &str,
        name: &str,
        weights: Option<&Array>,
        matrix: Option<&Array>,
    ) -> Option<Self> {
        // Before scikit-learn 1.0, where this one knew no weights.
        let plain = module.starts_with("sklearn.neighbors.");
        let weights = weights.filter(|weights| weights.shape[1..] == [1, 1]).map(|weights| weights.shape[0]);
        Some(match name.trim_end_matches(|sign: char| sign.is_ascii_digit()) {
            "SEuclideanDistance" => Self::up_to(weights?),
            "MinkowskiDistance" if !plain => match weights? {
                0 => Self::ANY,
                some => Self::up_to(some),
            },
            "MahalanobisDistance" => match matrix?.shape {
                [high, wide, 1] => Self::up_to(high.min(wide)),
                _ => return None,
            },
            // Of latitude and longitude.
            "HaversineDistance" => Self { least: 2, ..Self::ANY },
            _ => Self::ANY,
        })
    }

    fn measures(self, coordinates: i32) -> bool {
        (self.least..=self.most).contains(&coordinates)
    }
}

/// The parts of a tree's state that matter. It has been the same since scikit-learn 0.14; weights came with 0.20.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neighbours<'a> {
    pub(crate) points: &'a Array,
    /// The order of the points.
    pub(crate) order: &'a Array,
    pub(crate) nodes: &'a Array,
    pub(crate) bounds: &'a Array,
    pub(crate) leaf_size: i64,
    /// How many nodes it says that it has.
    pub(crate) told: i64,
    pub(crate) metric: Metric,
    /// Where points have some.
    pub(crate) weights: Option<&'a Array>,
}

impl Neighbours<'_> {
    /// Whether queries of this class stay inside of it; `None` where an array is not what it should be.
    pub(crate) fn lead_inside(&self, module: &str, name: &str) -> Option<bool> {
        let [points, coordinates, flat] = self.points.shape;
        let [kinds, bounded, wide] = self.bounds.shape;
        let order = self.order.list()?;
        let nodes = self.nodes.nodes[Form::Neighbours as usize]?;
        let weighed = |weights: &Array| weights.shape[0] >= points && weights.shape[1..] == [1, 1];
        let covers = u64::try_from(nodes.covered).is_ok_and(|covered| covered <= order.count);
        Some(
            flat == 1
                && self.weights.is_none_or(weighed)
                && self.leaf_size >= 1
                && self.metric.measures(coordinates)
                && order.are_places(i64::from(points))
                && covers
                && nodes.count >= 1
                && self.told == i64::from(nodes.count)
                && nodes.lead_inside()
                && kinds >= bounds(module, name)?
                && bounded >= nodes.count
                && wide >= coordinates,
        )
    }
}

impl Machine<'_, '_> {
    pub(in super::super) fn is_neighbours(&self, class: u32) -> bool {
        let class = &self.globals[class as usize];
        is_tree(&class.module, &class.name)
    }

    /// Notes where a tree of neighbours was made and never given a state: then its nodes are what was in memory before.
    pub(in super::super) fn check_rooted(&mut self) {
        if std::mem::take(&mut self.rootless) > 0 {
            let message =
                "a tree of neighbours without nodes; predictions would follow what is in memory there";
            self.note(&rules::BAD_BUILD, message);
        }
    }

    /// Holds a tree of neighbours against the points that it is of.
    pub(in super::super) fn check_neighbours(&mut self, class: u32, target: Value, state: Value) {
        let class = &self.globals[class as usize];
        if !is_tree(&class.module, &class.name) {
            return;
        }
        let (module, class) = (class.module.clone(), class.name.clone());
        let name = format!("{module}.{class}");
        if let Value::Object(id) = target
            && !std::mem::replace(&mut self.heap.get_mut(id).built, true)
        {
            self.rootless = self.rootless.saturating_sub(1);
        }
        match self.neighbours(state).and_then(|tree| tree.lead_inside(&module, &class)) {
            Some(true) => {}
            Some(false) => {
                let message = "a tree of neighbours that leads outside of its points; predictions would read other memory";
                self.note_about(&rules::BAD_BUILD, &name, message);
            }
            None => {
                let message = "a tree of neighbours that is not followed; write the model again with joblib";
                self.note_about(&rules::PICKLE_LIMIT, &name, message);
            }
        }
    }

    fn neighbours(&self, state: Value) -> Option<Neighbours<'_>> {
        let state = self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Tuple))?;
        let (known, weights) = match state {
            [known @ .., weights] if state.len() == 13 => (known, *weights),
            known => (known, Value::None),
        };
        let [points, order, nodes, bounds, Value::Int(leaf_size), _, Value::Int(told), _, _, _, _, metric] =
            known
        else {
            return None;
        };
        let Value::Object(metric) = metric else { return None };
        let Element::Metric(metric) = self.heap.get(*metric).element else { return None };
        Some(Neighbours {
            points: self.array(*points)?,
            order: self.array(*order)?,
            nodes: self.array(*nodes)?,
            bounds: self.array(*bounds)?,
            leaf_size: i64::from(*leaf_size),
            told: i64::from(*told),
            metric,
            weights: match weights {
                Value::None => None,
                weights => Some(self.array(weights)?),
            },
        })
    }

    /// Notes of which points a metric can measure the distance.
    pub(in super::super) fn keep_metric(&mut self, class: u32, target: Value, state: Value) {
        let class = &self.globals[class as usize];
        let (module, name) = (class.module.as_str(), class.name.as_str());
        if !Metric::is_one(module, name) {
            return;
        }
        let Value::Object(id) = target else { return };
        let metric = match self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Tuple)) {
            Some([_, weights, matrix, ..]) => {
                Metric::new(module, name, self.array(*weights), self.array(*matrix))
            }
            _ => None,
        };
        // Whoever holds it was checked with what it had before.
        if self.heap.get(id).taken {
            self.note(&rules::PICKLE_LIMIT, "a metric that others hold already, which is not followed");
        }
        self.heap.get_mut(id).element = metric.map_or(Element::Unknown, Element::Metric);
    }
}
