//! Content of tensors that kernels index by without looking: places of zero, and texts.

/// One level of a sparse tensor (`DimensionMetadata` of the schema).
#[derive(Debug)]
pub(super) enum Level {
    Dense { size: i64 },
    Sparse { segments: Vec<i64>, indices: Vec<i64> },
}

/// How a sparse tensor is stored (`SparsityParameters`).
#[derive(Debug)]
pub(super) struct Sparsity {
    pub(super) order: Vec<i32>,
    pub(super) blocks: Vec<i32>,
    pub(super) levels: Vec<Level>,
}

impl Sparsity {
    /// How many values are stored, where every level agrees with the one above and with the shape.
    pub(super) fn values(&self, shape: &[i32]) -> Result<u64, &'static str> {
        let rank = shape.len() + self.blocks.len();
        let mut seen = vec![false; rank];
        for axis in &self.order {
            match usize::try_from(*axis).ok().and_then(|axis| seen.get_mut(axis)) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err("its axes are not each named once"),
            }
        }
        if self.order.len() != rank || self.levels.len() != rank {
            return Err("it has another number of levels than axes");
        }
        if self.blocks.iter().any(|axis| usize::try_from(*axis).map_or(true, |axis| axis >= shape.len())) {
            return Err("a block belongs to no axis");
        }
        let mut count = 1i64;
        for (axis, level) in self.order.iter().zip(&self.levels) {
            let size = usize::try_from(*axis).ok().and_then(|axis| shape.get(axis)).copied();
            count = level.values(count, size.map(i64::from))?;
        }
        u64::try_from(count).ok().ok_or("a level of a size below zero")
    }
}

impl Level {
    /// How many places there are below this level, of `above` ones. `size` is that of its axis; blocks have none.
    fn values(&self, above: i64, size: Option<i64>) -> Result<i64, &'static str> {
        match self {
            Self::Dense { size: own } => {
                if *own < 1 || size.is_some_and(|size| *own > size) {
                    return Err("a level is larger than its axis");
                }
                above.checked_mul(*own).ok_or("a level of more values than can be counted")
            }
            Self::Sparse { segments, indices } => {
                let last = i64::try_from(indices.len()).unwrap_or(i64::MAX);
                let counted = i64::try_from(segments.len()) == Ok(above.saturating_add(1));
                let bounded = segments.first() == Some(&0) && segments.last() == Some(&last);
                if !counted || !bounded || !segments.is_sorted() {
                    return Err("the segments of a level do not cover its indices");
                }
                let size = size.unwrap_or(0);
                if indices.iter().any(|index| *index < 0 || *index >= size) {
                    return Err("an index lies outside of its axis");
                }
                Ok(last)
            }
        }
    }
}

/// Whether the bytes are a list of texts: how many, where each begins, where the last ends, and the texts
/// (`lite/string_util.h`).
pub(super) fn are_texts(bytes: &[u8], count: u64) -> bool {
    let mut numbers = bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let declared = numbers.next().and_then(|number| u64::try_from(number).ok());
    let Some(places) = declared.filter(|declared| *declared == count).and_then(|count| count.checked_add(1))
    else {
        return false;
    };
    let Ok(head) = i32::try_from(places.saturating_mul(4).saturating_add(4)) else { return false };
    let places: Vec<i32> = numbers.take(usize::try_from(places).unwrap_or(0)).collect();
    places.first() == Some(&head)
        && places.len() as u64 == count + 1
        && places.is_sorted()
        && places.last().and_then(|last| usize::try_from(*last).ok()).is_some_and(|last| last <= bytes.len())
}
