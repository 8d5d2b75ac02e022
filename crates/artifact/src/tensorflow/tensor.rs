//! Constants: whether shape and type fit the data, and element types by name.

use super::{
    parser::Parser,
    place::{LOOKED_AT, Place, only_text},
};
use crate::{
    protobuf::{Messages as _, Wire},
    rules,
    stream::Stop,
};

/// The number of the type of texts.
const TEXT: u64 = 7;
/// Elements that a constant may expand to out of one value.
const BOMB: u64 = 1 << 31;

/// Number, bytes per element and name in the Open Inference Protocol.
const TYPES: &[(u64, u64, &str)] = &[
    (1, 4, "FP32"),
    (2, 8, "FP64"),
    (3, 4, "INT32"),
    (4, 1, "UINT8"),
    (5, 2, "INT16"),
    (6, 1, "INT8"),
    (7, 0, "BYTES"),
    (8, 8, "COMPLEX64"),
    (9, 8, "INT64"),
    (10, 1, "BOOL"),
    (14, 2, "BF16"),
    (17, 2, "UINT16"),
    (18, 16, "COMPLEX128"),
    (19, 2, "FP16"),
    (22, 4, "UINT32"),
    (23, 8, "UINT64"),
];

/// An element type by its name.
pub(super) fn name(kind: u64) -> Option<&'static str> {
    TYPES.iter().find(|(number, _, _)| *number == kind).map(|(_, _, name)| *name)
}

/// Bytes of one element, where all have the same.
pub(super) fn width(kind: u64) -> Option<u64> {
    TYPES.iter().find(|(number, width, _)| *number == kind && *width > 0).map(|(_, width, _)| *width)
}

/// Judges a tensor of this many bytes that comes next.
pub(super) fn check(parser: &mut Parser<'_, '_>, length: u64) -> Result<(), Stop> {
    let at = parser.stream.position();
    let mut kind = 0;
    let mut shape = None;
    let mut content = None;
    let mut passed_over = false;
    parser.nested(length, |parser, number, value| {
        match (number, value) {
            (1, Wire::Varint(number)) => kind = number,
            (2, Wire::Bytes(length)) => shape = self::shape(parser, length)?,
            (4, Wire::Bytes(length)) => {
                content = Some(length);
                if kind == TEXT {
                    text(parser, length, true)?;
                } else {
                    passed_over = true;
                }
            }
            (8, Wire::Bytes(length)) => text(parser, length, false)?,
            (3 | 5..=7 | 9..=20, _) => {}
            _ => parser.unknown("TensorProto", number),
        }
        Ok(())
    })?;
    if kind == TEXT {
        // The type may stand behind the content, which then was not looked at.
        parser.node.text.add(if passed_over { Place::Unclear } else { Place::Plain });
    }
    let sizes = shape.unwrap_or_default();
    if sizes.iter().any(|size| *size < 0) {
        parser.findings.at(&rules::TF_TENSOR, at, "a constant of unknown or negative size");
        return Ok(());
    }
    let elements = sizes.iter().try_fold(1u64, |product, size| product.checked_mul(size.unsigned_abs()));
    let Some(elements) = elements.filter(|elements| *elements <= BOMB.max(length)) else {
        parser.findings.at(&rules::TF_BOMB, at, format!("a constant of shape {sizes:?}"));
        return Ok(());
    };
    if let (Some(content), Some(width)) = (content, width(kind))
        && content > 0
        && elements.checked_mul(width) != Some(content)
    {
        parser.findings.at(
            &rules::TF_TENSOR,
            at,
            format!("{content} bytes for a shape of {elements} elements"),
        );
    }
    Ok(())
}

/// Looks at a constant text, or at the content of a tensor of texts, as a place.
fn text(parser: &mut Parser<'_, '_>, length: u64, is_content: bool) -> Result<(), Stop> {
    if length > LOOKED_AT {
        parser.node.text.add(Place::Unclear);
        return Ok(());
    }
    let mut bytes = Vec::new();
    parser.stream.take(length, usize::MAX, &mut bytes)?;
    let text = if is_content { only_text(&bytes) } else { Some(bytes.as_slice()) };
    let place = text.map_or(Place::Unclear, |text| Place::of(&String::from_utf8_lossy(text)));
    parser.node.text.add(place);
    Ok(())
}

/// The sizes of a shape, -1 where one is free; `None` where even the number of axes is.
pub(super) fn shape(parser: &mut Parser<'_, '_>, length: u64) -> Result<Option<Vec<i64>>, Stop> {
    let mut sizes = Vec::new();
    let mut unknown = false;
    parser.nested(length, |parser, number, value| {
        match (number, value) {
            (2, Wire::Bytes(length)) => {
                let mut size = 0;
                parser.nested(length, |parser, number, value| {
                    match (number, value) {
                        (1, Wire::Varint(number)) => size = number.cast_signed(),
                        (2, Wire::Bytes(_)) => {}
                        _ => parser.unknown("TensorShapeProto.Dim", number),
                    }
                    Ok(())
                })?;
                if sizes.len() < 255 {
                    sizes.push(size);
                }
            }
            (3, Wire::Varint(number)) => unknown = number != 0,
            _ => parser.unknown("TensorShapeProto", number),
        }
        Ok(())
    })?;
    Ok((!unknown).then_some(sizes))
}
