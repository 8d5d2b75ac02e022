//! Which test Evidently 0.7 chooses for a column.

use tagship_domain::drift::ColumnKind;

use super::test::Test;

/// Up to so many values of the reference it trusts p-values, beyond only distances.
const FEW_ROWS: u64 = 1000;
/// Numbers with at most so many values are categories.
const FEW_VALUES: usize = 5;

/// By the values of the reference that are left, and the distinct ones of both sides (counted up to six).
pub(super) fn choice(kind: ColumnKind, reference: u64, distinct: usize) -> Test {
    let many = kind == ColumnKind::Numeric && distinct > FEW_VALUES;
    match (reference <= FEW_ROWS, many) {
        (true, true) => Test::Ks,
        (true, false) if distinct > 2 => Test::Chisquare,
        (true, false) => Test::Z,
        (false, true) => Test::Wasserstein,
        (false, false) => Test::Jensenshannon,
    }
}
