//! What an array is, where it matters by what its elements are: as nodes of trees, as whole numbers, and by its sizes.

use super::literal::Literal;
use crate::{
    pickle::{Array as Known, Elements, Field},
    stream::{Stop, Stream},
};

/// First bytes of the elements that are kept: a short text, or some sizes.
const HEAD: usize = 24;

/// An array that was read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    /// What is known of its elements.
    pub(crate) known: Known,
    /// How many dimensions it has.
    dimensions: usize,
    /// Whole numbers with a sign have this many bytes.
    whole: Option<u32>,
    head: Vec<u8>,
}

/// The arrays of a file.
#[derive(Debug, Default)]
pub(crate) enum Arrays {
    /// None, or more than one under one name.
    #[default]
    None,
    /// It is one.
    One(Box<Array>),
    /// An archive's, by the names of its members.
    Named(Vec<(String, Array)>),
}

impl Array {
    /// Reads the elements, which are this many bytes; `None` where no array that matters has these sizes.
    pub(super) fn read(
        descr: &Literal,
        sizes: &[Literal],
        bytes: u64,
        stream: &mut Stream<'_>,
    ) -> Result<Option<Self>, Stop> {
        let whole = whole(descr);
        let mut elements = match (whole, descr) {
            (Some(width), _) => Elements::whole(width),
            (None, Literal::List(fields)) => structured(fields),
            _ => Elements::others(),
        };
        let mut head = Vec::new();
        stream.pass(bytes, |piece| {
            head.extend(piece.iter().take(HEAD - head.len()));
            elements.add(piece);
        })?;
        let known = shape(sizes).map(|shape| elements.end(shape));
        Ok(known.map(|known| Self { known, dimensions: sizes.len(), whole, head }))
    }

    /// Up to two sizes that its elements say, as scipy keeps those of a matrix. What has one dimension is a row.
    pub(crate) fn extent(&self) -> Option<[i64; 2]> {
        let width = self.whole.filter(|_| self.dimensions == 1)? as usize;
        let count = usize::try_from(self.known.count()).ok()?;
        let number = |bytes: &[u8]| match bytes.try_into() {
            Ok(wide) => Some(i64::from_le_bytes(wide)),
            Err(_) => Some(i64::from(i32::from_le_bytes(bytes.try_into().ok()?))),
        };
        let mut numbers = self.head.chunks_exact(width).take(count).map(number);
        let extent = match (count, numbers.next()??, numbers.next()) {
            (1, columns, None) => [1, columns],
            (2, rows, Some(columns)) => [rows, columns?],
            _ => return None,
        };
        extent.iter().all(|size| *size >= 0).then_some(extent)
    }

    /// The bytes of its only element, where they are few and no numbers.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        (self.dimensions == 0 && self.whole.is_none() && self.head.len() < HEAD).then_some(&self.head)
    }

    /// Its only element, where it is a whole number of this many bytes without dimensions.
    pub(crate) fn scalar(&self, width: u32) -> Option<i64> {
        self.known.single().filter(|_| self.dimensions == 0 && self.whole == Some(width))
    }
}

/// How many bytes the elements have, where they are little-endian whole numbers with a sign.
fn whole(descr: &Literal) -> Option<u32> {
    match descr {
        Literal::Text(kind) if kind == "<i4" => Some(4),
        Literal::Text(kind) if kind == "<i8" => Some(8),
        _ => None,
    }
}

/// Up to three sizes, with one for each that an array does not have.
fn shape(sizes: &[Literal]) -> Option<[i32; 3]> {
    let mut shape = [1; 3];
    for (at, size) in sizes.iter().enumerate() {
        let Literal::Number(size) = size else { return None };
        *shape.get_mut(at)? = i32::try_from(*size).ok()?;
    }
    Some(shape)
}

/// How elements of a structured type are read, by the plain fields that it begins with.
fn structured(fields: &[Literal]) -> Elements {
    let Some(width) = super::structured(fields).and_then(|width| u32::try_from(width).ok()) else {
        return Elements::others();
    };
    let mut at = 0;
    let plain: Vec<Field<'_>> = fields
        .iter()
        .map_while(|field| {
            let Literal::Tuple(parts) = field else { return None };
            let [Literal::Text(name), Literal::Text(kind)] = parts.as_slice() else { return None };
            let width = number_width(kind)?;
            let begin = at;
            at += width.cast_signed();
            Some((name.as_str(), begin, width))
        })
        .collect();
    Elements::structured(&plain, width)
}

/// Bytes of a little-endian number.
fn number_width(kind: &str) -> Option<u32> {
    let order = kind.chars().next()?;
    let width = kind.strip_prefix(['<', '|'])?.strip_prefix(['i', 'u', 'f'])?.parse().ok()?;
    matches!((order, width), ('|', 1) | ('<', 1 | 2 | 4 | 8)).then_some(width)
}
