//! Matrices in the arrays that scipy's `save_npz` keeps them in. `load_npz` makes a matrix of them with its constructor, which checks
//! sizes, and the indices of no layout but that of places and of diagonals.

use super::{Layout, Matrix, Parts};
use crate::pickle::array::Array;

/// A matrix as its arrays say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stored {
    /// Each index leads inside, of a matrix by rows.
    Rows(Matrix),
    /// The same, of another layout.
    Sound,
    /// An index leads outside.
    Outside,
}

impl Stored {
    /// What a matrix of this layout is with these sizes and arrays; `None` where that is not known.
    pub(crate) fn of<'a>(
        layout: &[u8],
        shape: Option<[i64; 2]>,
        array: impl Fn(&str) -> Option<&'a Array>,
    ) -> Option<Self> {
        let layout = match layout {
            b"csr" => Layout::Rows,
            b"csc" => Layout::Columns,
            b"bsr" => Layout::Blocks,
            b"coo" | b"dia" => return Some(Self::Sound),
            _ => return None,
        };
        let list = |name: &str| array(name).and_then(Array::list);
        let parts = Parts {
            shape,
            data: array("data").copied(),
            indptr: list("indptr"),
            indices: list("indices"),
            ..Parts::default()
        };
        Some(match parts.lead_inside(layout)? {
            false => Self::Outside,
            true if layout == Layout::Rows => {
                Self::Rows(Matrix { rows: shape?[0], values: parts.data?.count() })
            }
            true => Self::Sound,
        })
    }
}

/// Whether a class is one of sparse matrices.
pub(crate) fn is_sparse(module: &str) -> bool {
    module.starts_with("scipy.sparse")
}
