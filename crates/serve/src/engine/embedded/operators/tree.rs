//! Decision trees in one flat array, checked once and then walked without a bounds doubt.
//!
//! The attributes of the ONNX-ML tree operators are parallel lists that name nodes by (tree, node) pairs. A file may
//! say anything there, and libraries that trust it have hung, crashed and written outside their buffers. [`Forest`]
//! can only be made from lists of equal length whose trees are trees: nodes numbered from 0, node 0 the root, every
//! other node with exactly one parent, all reachable, leaves that add to existing outputs.

use tract_onnx::{
    pb::NodeProto,
    pb_helpers::AttrSliceType,
    tract_hir::internal::{Tensor, TractResult, bail, ensure},
};

/// Why a tree operator is refused.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum TreeError {
    /// The attributes contradict each other or the specification.
    #[error("{0}")]
    Malformed(String),
    /// The attributes are lawful, but the answer they ask for is not one we can vouch for.
    #[error("{0}")]
    Unsupported(String),
}

/// A test of a feature against a node's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
    Equal,
    NotEqual,
    Leaf,
}

impl Test {
    fn parse(mode: &[u8]) -> Option<Self> {
        Some(match mode {
            b"BRANCH_LEQ" => Self::LessOrEqual,
            b"BRANCH_LT" => Self::Less,
            b"BRANCH_GTE" => Self::GreaterOrEqual,
            b"BRANCH_GT" => Self::Greater,
            b"BRANCH_EQ" => Self::Equal,
            b"BRANCH_NEQ" => Self::NotEqual,
            b"LEAF" => Self::Leaf,
            _ => return None,
        })
    }
}

/// A node: a test with two children, or (for a leaf) the range `yes..no` of [`Forest::leaves`].
#[derive(Clone, Copy, Debug)]
struct Node {
    value: f32,
    feature: u32,
    yes: u32,
    no: u32,
    test: Test,
    /// Whether a missing feature (NaN) takes the `yes` branch.
    missing_yes: bool,
}

/// Checked trees.
#[derive(Debug)]
pub(super) struct Forest {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    /// (output column, weight) pairs, leaf after leaf.
    leaves: Vec<(u32, f32)>,
    width: usize,
}

impl Forest {
    /// Reads the `nodes_*` lists and the leaf lists that begin with `prefix` (`class` or `target`), whose ids are
    /// below `outputs`.
    pub(super) fn parse(node: &NodeProto, prefix: &str, outputs: usize) -> Result<Self, TreeError> {
        for name in ["nodes_values_as_tensor", "nodes_hitrates_as_tensor", "base_values_as_tensor"]
            .map(str::to_owned)
            .into_iter()
            .chain([format!("{prefix}_weights_as_tensor")])
        {
            if node.attribute.iter().any(|attribute| attribute.name == name) {
                return Err(TreeError::Unsupported(format!("{name} holds doubles")));
            }
        }
        let lists = NodeLists::read(node)?;
        let leaves = LeafLists::read(node, prefix, outputs)?;
        lists.assemble(&leaves)
    }

    /// Number of trees.
    pub(super) fn trees(&self) -> usize {
        self.roots.len()
    }

    /// Number of (output, weight) pairs.
    pub(super) fn leaf_weights(&self) -> usize {
        self.leaves.len()
    }

    /// Whether no leaf weight is negative.
    pub(super) fn weights_are_positive(&self) -> bool {
        self.leaves.iter().all(|&(_, weight)| weight >= 0.0)
    }

    /// Whether all leaves add to this one output column.
    pub(super) fn adds_only_to(&self, column: u32) -> bool {
        self.leaves.iter().all(|&(at, _)| at == column)
    }

    /// Calls `add` with (output column, weight) for every leaf that `row` ends in, tree after tree.
    ///
    /// `row` is one that [`each_row`] gave: it has every feature the trees test.
    pub(super) fn visit(&self, row: &[f32], mut add: impl FnMut(usize, f32)) {
        for &root in &self.roots {
            let mut node = &self.nodes[root as usize];
            while node.test != Test::Leaf {
                let value = row[node.feature as usize];
                let yes = match node.test {
                    Test::LessOrEqual => value <= node.value,
                    Test::Less => value < node.value,
                    Test::GreaterOrEqual => value >= node.value,
                    Test::Greater => value > node.value,
                    #[allow(clippy::float_cmp, reason = "the operator compares exactly")]
                    Test::Equal => value == node.value,
                    #[allow(clippy::float_cmp, reason = "the operator compares exactly")]
                    Test::NotEqual => value != node.value,
                    Test::Leaf => break,
                };
                let yes = yes || (node.missing_yes && value.is_nan());
                node = &self.nodes[if yes { node.yes } else { node.no } as usize];
            }
            for &(column, weight) in &self.leaves[node.yes as usize..node.no as usize] {
                add(column as usize, weight);
            }
        }
    }
}

/// Calls `visit` with every row of a table of features and returns their number.
pub(super) fn each_row(input: &Tensor, forest: &Forest, mut visit: impl FnMut(&[f32])) -> TractResult<usize> {
    let &[rows, width] = input.shape() else {
        bail!("input has shape {:?}, not rows of features", input.shape())
    };
    ensure!(width >= forest.width, "rows have {width} features, the trees test {}", forest.width);
    let features = input.cast_to::<f32>()?;
    let features = features.try_as_plain_ram()?;
    let features = features.as_slice::<f32>()?;
    for row in 0..rows {
        visit(&features[row * width..(row + 1) * width]);
    }
    Ok(rows)
}

/// A list attribute, which must have `length` entries where that is known.
fn list<'a, T: AttrSliceType<'a>>(
    node: &'a NodeProto,
    name: &str,
    length: Option<usize>,
) -> Result<&'a [T], TreeError> {
    let list =
        node.get_attr_opt_slice::<T>(name).map_err(|error| TreeError::Malformed(format!("{error:#}")))?;
    let list = list.unwrap_or_default();
    match length {
        Some(length) if list.len() != length => {
            Err(TreeError::Malformed(format!("{name} has {} entries, its sister lists {length}", list.len())))
        }
        _ => Ok(list),
    }
}

/// The parallel `nodes_*` lists.
struct NodeLists<'a> {
    trees: &'a [i64],
    ids: &'a [i64],
    features: &'a [i64],
    values: &'a [f32],
    modes: &'a [Vec<u8>],
    yes: &'a [i64],
    no: &'a [i64],
    missing: &'a [i64],
}

impl<'a> NodeLists<'a> {
    fn read(node: &'a NodeProto) -> Result<Self, TreeError> {
        let trees: &[i64] = list(node, "nodes_treeids", None)?;
        if trees.is_empty() {
            return Err(TreeError::Malformed("nodes_treeids is empty: there is no tree".to_owned()));
        }
        let length = Some(trees.len());
        let missing: &[i64] = list(node, "nodes_missing_value_tracks_true", None)?;
        // Hit rates are for information, but a list of another length shows a broken writer.
        for (name, optional) in [
            ("nodes_hitrates", list::<f32>(node, "nodes_hitrates", None)?.len()),
            ("nodes_missing_value_tracks_true", missing.len()),
        ] {
            if optional != 0 && optional != trees.len() {
                return Err(TreeError::Malformed(format!(
                    "{name} has {optional} entries, its sister lists {}",
                    trees.len()
                )));
            }
        }
        Ok(Self {
            trees,
            ids: list(node, "nodes_nodeids", length)?,
            features: list(node, "nodes_featureids", length)?,
            values: list(node, "nodes_values", length)?,
            modes: list(node, "nodes_modes", length)?,
            yes: list(node, "nodes_truenodeids", length)?,
            no: list(node, "nodes_falsenodeids", length)?,
            missing,
        })
    }

    fn assemble(&self, leaves: &LeafLists<'_>) -> Result<Forest, TreeError> {
        let mut order: Vec<usize> = (0..self.trees.len()).collect();
        order.sort_by_key(|&at| (self.trees[at], self.ids[at]));
        let mut leaf_order: Vec<usize> = (0..leaves.trees.len()).collect();
        leaf_order.sort_by_key(|&at| (leaves.trees[at], leaves.nodes[at]));

        let count = u32::try_from(order.len().max(leaf_order.len()));
        count.map_err(|_overflow| TreeError::Malformed(format!("{} nodes are too many", order.len())))?;
        let mut forest = Forest {
            nodes: Vec::with_capacity(order.len()),
            roots: Vec::new(),
            leaves: Vec::with_capacity(leaf_order.len()),
            width: 0,
        };
        let mut pending = leaf_order.iter().copied().peekable();
        for tree in order.chunk_by(|&left, &right| self.trees[left] == self.trees[right]) {
            let root = index(forest.nodes.len());
            for (place, &at) in tree.iter().enumerate() {
                let (tree_id, id) = (self.trees[at], self.ids[at]);
                if usize::try_from(id) != Ok(place) {
                    return Err(TreeError::Malformed(format!(
                        "tree {tree_id} has node {id} where node {place} belongs: ids must run from 0 without gap or double"
                    )));
                }
                let start = forest.leaves.len();
                while let Some(leaf) =
                    pending.next_if(|&leaf| (leaves.trees[leaf], leaves.nodes[leaf]) == (tree_id, id))
                {
                    forest.leaves.push((index_of(leaves.columns[leaf]), leaves.weights[leaf]));
                }
                let range = (index(start), index(forest.leaves.len()));
                forest.nodes.push(self.node(at, root, tree.len(), range)?);
            }
            check_tree(&forest.nodes[root as usize..], root, self.trees[tree[0]])?;
            forest.roots.push(root);
        }
        if let Some(leaf) = pending.next() {
            return Err(TreeError::Malformed(format!(
                "a leaf weight names node {} of tree {}, which does not exist",
                leaves.nodes[leaf], leaves.trees[leaf]
            )));
        }
        let branches = forest.nodes.iter().filter(|node| node.test != Test::Leaf);
        forest.width = branches.map(|node| node.feature as usize + 1).max().unwrap_or(0);
        Ok(forest)
    }

    /// Node `at`, in a tree of `size` nodes that begins at `root`.
    fn node(&self, at: usize, root: u32, size: usize, leaves: (u32, u32)) -> Result<Node, TreeError> {
        let place = || format!("node {} of tree {}", self.ids[at], self.trees[at]);
        let test = Test::parse(&self.modes[at]).ok_or_else(|| {
            TreeError::Malformed(format!(
                "{} has unknown mode {}",
                place(),
                String::from_utf8_lossy(&self.modes[at])
            ))
        })?;
        if test == Test::Leaf {
            let (yes, no) = leaves;
            return Ok(Node { value: 0.0, feature: 0, yes, no, test, missing_yes: false });
        }
        if leaves.0 != leaves.1 {
            return Err(TreeError::Malformed(format!("{} branches and has leaf weights too", place())));
        }
        let child = |id: i64| match usize::try_from(id) {
            Ok(child) if child < size => Ok(root + index(child)),
            _ => Err(TreeError::Malformed(format!(
                "{} has child {id}, but the tree has {size} nodes",
                place()
            ))),
        };
        let feature = u32::try_from(self.features[at]).map_err(|_negative| {
            TreeError::Malformed(format!("{} tests feature {}", place(), self.features[at]))
        })?;
        Ok(Node {
            value: self.values[at],
            feature,
            yes: child(self.yes[at])?,
            no: child(self.no[at])?,
            test,
            missing_yes: self.missing.get(at).is_some_and(|&flag| flag != 0),
        })
    }
}

/// Refuses loops, shared children and unreachable nodes: every node but the root has one parent and leads to it.
fn check_tree(nodes: &[Node], root: u32, tree: i64) -> Result<(), TreeError> {
    let mut seen = vec![false; nodes.len()];
    let mut open = vec![0_usize];
    seen[0] = true;
    let mut reached = 1;
    while let Some(at) = open.pop() {
        let node = &nodes[at];
        if node.test == Test::Leaf {
            continue;
        }
        for child in [node.yes, node.no] {
            let child = (child - root) as usize;
            if std::mem::replace(&mut seen[child], true) {
                return Err(TreeError::Malformed(format!(
                    "node {child} of tree {tree} is reached twice: it has two parents or lies on a loop"
                )));
            }
            reached += 1;
            open.push(child);
        }
    }
    match seen.iter().position(|&seen| !seen) {
        Some(lost) => Err(TreeError::Malformed(format!(
            "node {lost} of tree {tree} has no parent ({reached} of {} nodes are reached)",
            nodes.len()
        ))),
        None => Ok(()),
    }
}

/// The parallel lists of leaf weights.
struct LeafLists<'a> {
    trees: &'a [i64],
    nodes: &'a [i64],
    columns: &'a [i64],
    weights: &'a [f32],
}

impl<'a> LeafLists<'a> {
    fn read(node: &'a NodeProto, prefix: &str, outputs: usize) -> Result<Self, TreeError> {
        let columns: &[i64] = list(node, &format!("{prefix}_ids"), None)?;
        let length = Some(columns.len());
        for &column in columns {
            if !usize::try_from(column).is_ok_and(|column| column < outputs) {
                return Err(TreeError::Malformed(format!(
                    "{prefix}_ids holds {column}, but there are {outputs} outputs"
                )));
            }
        }
        Ok(Self {
            columns,
            trees: list(node, &format!("{prefix}_treeids"), length)?,
            nodes: list(node, &format!("{prefix}_nodeids"), length)?,
            weights: list(node, &format!("{prefix}_weights"), length)?,
        })
    }
}

/// A position in an array whose length was checked to fit.
#[allow(clippy::cast_possible_truncation, reason = "assemble checks that all lengths fit 32 bits")]
fn index(at: usize) -> u32 {
    at as u32
}

/// An output column, checked to be below the number of outputs.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "LeafLists::read checks the range"
)]
fn index_of(column: i64) -> u32 {
    column as u32
}
