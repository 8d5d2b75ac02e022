//! Sparse matrices of scipy. Their compiled routines follow the indices of a matrix without a check (`scipy/sparse/sparsetools`):
//! what lies outside is read, and written when a matrix is converted. A matrix checks them when it is made, and not when it is loaded.

pub(crate) mod stored;
#[cfg(test)]
pub(super) mod tests;

use super::{
    array::Array,
    machine::Machine,
    nodes::{keeps_categories, keeps_points},
    numbers::Numbers,
    value::{Element, Kind, Value},
    vectors,
};
use crate::rules;

/// How a matrix keeps where its values belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// By rows: where each begins among the values, and the column of each value.
    Rows,
    /// The same by columns.
    Columns,
    /// By rows of blocks.
    Blocks,
    /// Row and column of each value.
    Places,
    /// By diagonals: how far each is from the one in the middle.
    Diagonals,
    /// By rows in lists of Python's, which are not followed.
    Lists,
}

/// What is known of a matrix by rows whose indices lead inside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix {
    pub(super) rows: i64,
    /// How many values it keeps.
    pub(super) values: i64,
}

/// Matrices that are remembered.
const MAX_MATRICES: usize = 1 << 16;

/// The layout of a class.
fn layout(module: &str, name: &str) -> Option<Layout> {
    let of_scipy = module.strip_prefix("scipy.sparse.")?.trim_start_matches('_');
    match (of_scipy, name.split('_').next()?) {
        ("csr" | "arrays", "csr") => Some(Layout::Rows),
        ("csc" | "arrays", "csc") => Some(Layout::Columns),
        ("bsr" | "arrays", "bsr") => Some(Layout::Blocks),
        ("coo" | "arrays", "coo") => Some(Layout::Places),
        ("dia" | "arrays", "dia") => Some(Layout::Diagonals),
        ("lil" | "arrays", "lil") => Some(Layout::Lists),
        _ => None,
    }
}

/// The parts of a matrix's state.
#[derive(Debug, Default)]
struct Parts {
    /// Rows and columns. What has one dimension is a row.
    shape: Option<[i64; 2]>,
    data: Option<Array>,
    indptr: Option<Numbers>,
    indices: Option<Numbers>,
    coordinates: Option<[Option<Numbers>; 2]>,
    row: Option<Numbers>,
    column: Option<Numbers>,
    offsets: Option<Numbers>,
}

impl Parts {
    /// Whether every value has its place in the matrix; `None` where something of it is not known.
    fn lead_inside(&self, layout: Layout) -> Option<bool> {
        let [rows, columns] = self.shape?;
        let data = self.data?;
        let values = data.count();
        let [outer, inner, count] = match layout {
            Layout::Rows => [rows, columns, values],
            Layout::Columns => [columns, rows, values],
            Layout::Blocks => {
                let [blocks, high, wide] = data.shape.map(i64::from);
                if high < 1 || wide < 1 || rows % high != 0 || columns % wide != 0 {
                    return Some(false);
                }
                [rows / high, columns / wide, blocks]
            }
            Layout::Diagonals => {
                let offsets = self.offsets?;
                let [diagonals, _, flat] = data.shape.map(i64::from);
                let near = offsets.count == 0 || (offsets.least >= -rows && offsets.greatest <= columns);
                return Some(flat == 1 && i64::try_from(offsets.count) == Ok(diagonals) && near);
            }
            Layout::Lists => return None,
            Layout::Places => {
                let [row, column] = self.coordinates.unwrap_or([self.row, self.column]);
                let (row, column) = (row?, column?);
                let all = |places: Numbers| i64::try_from(places.count) == Ok(values);
                return Some(row.are_places(rows) && column.are_places(columns) && all(row) && all(column));
            }
        };
        let (starts, indices) = (self.indptr?, self.indices?);
        let there = i64::try_from(indices.count).unwrap_or(0).min(count);
        let bounded = i64::try_from(starts.count) == Ok(outer.saturating_add(1));
        let inside = matches!(starts.offsets(), Some((0, last)) if i64::try_from(last).is_ok_and(|last| last <= there));
        Some(bounded && inside && indices.are_places(inner))
    }
}

impl Machine<'_, '_> {
    /// From here on, arrays may be indices.
    pub(super) fn expect_indices(&mut self, module: &str, name: &str) {
        self.indices |= layout(module, name).is_some()
            || vectors::has_vectors(module, name)
            || keeps_points(module)
            || keeps_categories(module);
    }

    /// Holds the indices of a matrix against what there is.
    pub(super) fn check_sparse(&mut self, class: u32, target: Value, state: Value) {
        let class = &self.globals[class as usize];
        let Some(layout) = layout(&class.module, &class.name) else { return };
        let name = format!("{}.{}", class.module, class.name);
        let parts = self.sparse_parts(state);
        match parts.lead_inside(layout) {
            Some(true) => self.keep_matrix(layout, target, &parts),
            Some(false) => {
                let message =
                    "indices that lead outside of the matrix; its library would read or write other memory";
                self.note_about(&rules::BAD_BUILD, &name, message);
            }
            None => {
                let message = "a sparse matrix whose indices are not followed; write it again with joblib, by rows (`tocsr`), or with `save_npz`";
                self.note_about(&rules::PICKLE_LIMIT, &name, message);
            }
        }
    }

    /// Remembers how large a matrix by rows is.
    fn keep_matrix(&mut self, layout: Layout, target: Value, parts: &Parts) {
        let (Value::Object(id), Some([rows, _]), Some(data)) = (target, parts.shape, parts.data) else {
            return;
        };
        // Whoever holds it was checked with what it had before.
        if self.heap.get(id).taken {
            self.note(
                &rules::PICKLE_LIMIT,
                "a sparse matrix that others hold already, which is not followed",
            );
        }
        if layout == Layout::Rows && self.matrices.len() < MAX_MATRICES {
            self.matrices.push(Matrix { rows, values: data.count() });
            let number = u32::try_from(self.matrices.len() - 1).unwrap_or(u32::MAX);
            self.heap.get_mut(id).element = Element::Matrix(number);
        }
    }

    /// What is known of a value that is a matrix by rows.
    pub(super) fn matrix(&self, value: Value) -> Option<Matrix> {
        let Value::Object(id) = value else { return None };
        match self.heap.get(id).element {
            Element::Matrix(number) => self.matrices.get(number as usize).copied(),
            _ => None,
        }
    }

    fn sparse_parts(&self, state: Value) -> Parts {
        let mut parts = Parts::default();
        let state = self.heap.recall(state).filter(|_| self.heap.is(state, Kind::Dict)).unwrap_or_default();
        let list = |value: Value| self.array(value).and_then(Array::list);
        for pair in state.chunks_exact(2) {
            let Value::Text(key) = pair[0] else { continue };
            match self.texts.get(key) {
                "_shape" => parts.shape = self.extent(pair[1]),
                "data" => parts.data = self.array(pair[1]).copied(),
                "indptr" => parts.indptr = list(pair[1]),
                "indices" => parts.indices = list(pair[1]),
                "row" => parts.row = list(pair[1]),
                "col" => parts.column = list(pair[1]),
                "offsets" => parts.offsets = list(pair[1]),
                "coords" => {
                    parts.coordinates = Some(match self.heap.recall(pair[1]) {
                        Some([row, column]) => [list(*row), list(*column)],
                        _ => [None; 2],
                    });
                }
                _ => {}
            }
        }
        parts
    }

    fn extent(&self, shape: Value) -> Option<[i64; 2]> {
        match self.heap.recall(shape).filter(|_| self.heap.is(shape, Kind::Tuple))? {
            [Value::Int(columns @ 0..)] => Some([1, i64::from(*columns)]),
            [Value::Int(rows @ 0..), Value::Int(columns @ 0..)] => {
                Some([i64::from(*rows), i64::from(*columns)])
            }
            _ => None,
        }
    }
}
