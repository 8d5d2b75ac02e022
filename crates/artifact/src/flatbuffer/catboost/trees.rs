//! The trees of a CatBoost model: sizes, splits and leaves against each other (`libs/model/model.h` of
//! catboost/catboost). The evaluator indexes by them without looking.

use crate::{
    findings::Findings,
    flatbuffer::reader::{Buffer, Table},
    pages::Fault,
    rules,
};

/// Splits of one symmetric tree; CatBoost allows 16.
const MAX_DEPTH: i32 = 32;

/// Sizes and beginnings of the trees, and what their nodes refer to.
struct Trees {
    splits: Vec<i32>,
    sizes: Vec<i32>,
    starts: Vec<i32>,
    /// Values of all leaves, and how many a leaf has.
    values: u64,
    dimension: u64,
    /// Conditions that a split can ask for; `None` where not all are described.
    conditions: Option<u64>,
}

/// Checks the trees. `described` says whether all features that splits ask for are described beside them.
pub(super) fn check(
    buffer: &mut Buffer<'_>,
    table: &Table,
    described: bool,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let conditions = conditions(buffer, table)?;
    let trees = Trees {
        splits: buffer.integers(table, 1)?,
        sizes: buffer.integers(table, 2)?,
        starts: buffer.integers(table, 3)?,
        values: buffer.vector(table, 8, 8)?.map_or(0, |values| values.count),
        dimension: buffer.scalar(table, 0, 4, 1)?,
        conditions: described.then_some(conditions),
    };
    // Two numbers of two bytes each: how far the left and the right child stand behind their parent.
    let steps = buffer.integers(table, 10)?;
    let leaves = buffer.integers(table, 11)?;
    let mut bad = |what: &str, message: String| {
        findings.about(&rules::BOOSTER_SCHEMA, Some(table.at), what, message);
    };
    if !trees.are_sized(steps.is_empty()) {
        let (count, splits) = (trees.sizes.len(), trees.splits.len());
        bad("TreeSizes", format!("{count} trees with {splits} splits do not fit their sizes and places"));
        return Ok(());
    }
    let told = if steps.is_empty() { trees.symmetric() } else { trees.steps(&steps, &leaves) };
    if let Err((what, message)) = told {
        bad(what, message);
    }
    Ok(())
}

/// The conditions of all features: borders of numbers, values of categories, borders of counters.
fn conditions(buffer: &mut Buffer<'_>, trees: &Table) -> Result<u64, Fault> {
    let mut count = 0;
    for (features, list) in [(5, 3), (6, 1), (7, 1)] {
        for feature in buffer.tables(trees, features)? {
            count += buffer.vector(&feature, list, 4)?.map_or(0, |list| list.count);
        }
    }
    Ok(count)
}

impl Trees {
    /// Whether the trees stand behind each other and make up all splits.
    fn are_sized(&self, symmetric: bool) -> bool {
        let mut sum = 0u64;
        let mut sound = self.starts.len() == self.sizes.len();
        for (size, start) in self.sizes.iter().zip(&self.starts) {
            sound &= u64::try_from(*start) == Ok(sum) && *size >= 0 && (!symmetric || *size <= MAX_DEPTH);
            sum = sum.saturating_add(u64::try_from(*size).unwrap_or(0));
        }
        sound && sum == self.splits.len() as u64
    }

    fn check_split(&self, split: i32) -> Result<(), (&'static str, String)> {
        let Some(conditions) = self.conditions else { return Ok(()) };
        if u64::try_from(split).is_ok_and(|split| split < conditions) {
            return Ok(());
        }
        Err(("TreeSplits", format!("a split asks for the condition {split} of {conditions}")))
    }

    fn symmetric(&self) -> Result<(), (&'static str, String)> {
        let mut leaves = 0u64;
        for size in &self.sizes {
            leaves = leaves.saturating_add(1u64.checked_shl(size.unsigned_abs()).unwrap_or(u64::MAX));
        }
        if leaves.checked_mul(self.dimension) != Some(self.values) {
            let message = format!("{} values for {leaves} leaves of {}", self.values, self.dimension);
            return Err(("LeafValues", message));
        }
        self.splits.iter().try_for_each(|split| self.check_split(*split))
    }

    /// Children stand behind their parent in the same tree; where there is none, the walk ends at a leaf.
    fn steps(&self, steps: &[i32], leaves: &[i32]) -> Result<(), (&'static str, String)> {
        let nodes = self.splits.len();
        if steps.len() != nodes || leaves.len() != nodes {
            let message = format!("{} steps and {} leaves for {nodes} nodes", steps.len(), leaves.len());
            return Err(("NonSymmetricStepNodes", message));
        }
        let mut start = 0;
        for size in &self.sizes {
            let end = start + usize::try_from(*size).unwrap_or(0);
            for node in start..end {
                let step = steps[node].cast_unsigned();
                let (left, right) = ((step & 0xffff) as usize, (step >> 16) as usize);
                if node + left.max(right) >= end {
                    return Err(("NonSymmetricStepNodes", format!("node {node} steps out of its tree")));
                }
                let leaf = u64::from(leaves[node].cast_unsigned());
                if left.min(right) == 0 && leaf + self.dimension > self.values {
                    return Err(("NonSymmetricNodeIdToLeafId", format!("node {node} has no leaf {leaf}")));
                }
                // A leaf keeps no condition.
                if left.max(right) > 0 {
                    self.check_split(self.splits[node])?;
                }
            }
            start = end;
        }
        Ok(())
    }
}
