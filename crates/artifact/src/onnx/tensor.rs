//! Tensors: whether shape and type give the size of the data, without the data being kept.

use super::{
    external::External,
    names::Name,
    parser::Parser,
    size::MAX_RANK,
    sparse::Places,
    wire::{Messages as _, Wire},
};
use crate::{rules, stream::Stop};

/// What is kept of a tensor.
#[derive(Debug, Default)]
pub(super) struct Tensor {
    pub(super) name: String,
    /// The values of a small tensor of numbers that may be a size, rounded towards zero.
    pub(super) integers: Option<Vec<i64>>,
    pub(super) dims: Vec<i64>,
    /// Its data is in another file.
    pub(super) outside: bool,
    /// Element type and number of elements, where the type is known.
    counted: Option<(&'static str, Option<u64>)>,
}

/// What is read of a tensor.
#[derive(Debug, Default)]
struct Fields {
    name: String,
    dims: Vec<i64>,
    kind: u64,
    /// Bytes of `raw_data`.
    raw: Option<u64>,
    small: Vec<u8>,
    /// Bytes of `float_data`, where it is small.
    floats: Vec<u8>,
    /// Elements in the typed fields 4, 5, 6, 7, 10 and 11.
    typed: [u64; 6],
    integers: Vec<i64>,
    /// The data, where it is places in a sparse tensor.
    places: Option<Places>,
    segment: bool,
    location: u64,
    external: External,
}

/// Bytes of a small list of numbers of four bytes.
const SMALL: u64 = 4 * MAX_RANK as u64;

/// Dimensions that a tensor may have.
const MAX_DIMS: usize = 64;

impl Parser<'_, '_> {
    /// Reads and checks a tensor of this many bytes.
    pub(super) fn tensor(&mut self, length: u64) -> Result<Tensor, Stop> {
        self.tensor_into(length, Fields::default()).map(|(tensor, _)| tensor)
    }

    /// Reads the places of a sparse tensor.
    pub(super) fn indices(&mut self, length: u64) -> Result<(Tensor, Places), Stop> {
        let fields = Fields { places: Some(Places::default()), ..Fields::default() };
        self.tensor_into(length, fields).map(|(tensor, places)| (tensor, places.unwrap_or_default()))
    }

    fn tensor_into(&mut self, length: u64, mut fields: Fields) -> Result<(Tensor, Option<Places>), Stop> {
        self.nested(length, |parser, number, value| parser.tensor_field(number, value, &mut fields))?;
        let integers = self.check_tensor(&fields);
        if fields.location == 1 {
            let bytes = size(&fields);
            self.check_external(&fields.external, &fields.name, bytes);
        } else if !fields.external.is_empty() {
            let name = fields.name.clone();
            let message = "it names an external file, and says that its data is inside";
            self.findings.about(&rules::ONNX_SIZE, Some(self.stream.position()), name, message);
            self.check_external(&fields.external, &fields.name, None);
        }
        let counted = kind_name(fields.kind).map(|kind| (kind, count(&fields.dims)));
        let Fields { name, dims, kind, places, location, .. } = fields;
        // Places are numbers of eight bytes.
        let places = places.filter(|_| kind == 7);
        Ok((Tensor { name, integers, dims, outside: location == 1, counted }, places))
    }

    fn tensor_field(&mut self, number: u32, value: Wire, fields: &mut Fields) -> Result<(), Stop> {
        match (number, value) {
            (1, value) => {
                let dims = &mut fields.dims;
                self.varints(value, |size| {
                    if dims.len() <= MAX_DIMS {
                        dims.push(size.cast_signed());
                    }
                })?;
            }
            (2, Wire::Varint(kind)) => fields.kind = kind,
            (3, Wire::Bytes(_)) => fields.segment = true,
            (4, Wire::Bytes(length @ 0..=SMALL)) if length.is_multiple_of(4) && fields.typed[0] == 0 => {
                self.stream.take(length, 8 * MAX_RANK, &mut fields.floats)?;
                fields.typed[0] += length / 4;
            }
            (4, value) => fields.typed[0] += self.fixed(value, 4)?,
            (5, value) => {
                let integers = &mut fields.integers;
                fields.typed[1] += self.varints(value, |integer| {
                    if integers.len() <= MAX_RANK {
                        integers.push(integer.cast_signed());
                    }
                })?;
            }
            (6, Wire::Bytes(_)) => fields.typed[2] += 1,
            (7, value) => {
                let Fields { integers, places, dims, typed, .. } = fields;
                typed[3] += self.varints(value, |integer| {
                    if let Some(places) = places {
                        places.push(dims, integer.cast_signed());
                    }
                    if integers.len() <= MAX_RANK {
                        integers.push(integer.cast_signed());
                    }
                })?;
            }
            (8, Wire::Bytes(length)) => fields.name = self.text(length)?,
            (9, Wire::Bytes(length)) => {
                if fields.raw.replace(length).is_some() {
                    return Err(self.fail(&rules::ONNX_SIZE, "a tensor with its data twice"));
                }
                match &mut fields.places {
                    Some(places) if length.is_multiple_of(8) => {
                        for _ in 0..length / 8 {
                            places.push(&fields.dims, self.stream.little_endian(8)?.cast_signed());
                        }
                    }
                    _ => self.stream.take(length, 8 * MAX_RANK, &mut fields.small)?,
                }
            }
            (10, value) => fields.typed[4] += self.fixed(value, 8)?,
            (11, value) => fields.typed[5] += self.varints(value, |_| ())?,
            (13, Wire::Bytes(length)) => self.external_entry(length, &mut fields.external)?,
            (14, Wire::Varint(location)) => fields.location = location,
            (12 | 16, Wire::Bytes(_)) => {}
            _ => self.unknown("TensorProto", number),
        }
        Ok(())
    }

    /// How many fixed numbers a repeated field adds.
    fn fixed(&mut self, value: Wire, width: u8) -> Result<u64, Stop> {
        match value {
            Wire::Fixed(found) if found == width => Ok(1),
            Wire::Bytes(length) if length.is_multiple_of(u64::from(width)) => Ok(length / u64::from(width)),
            _ => Err(self.fail(&rules::ONNX_WIRE, "a list of fixed numbers with a broken length")),
        }
    }

    fn check_tensor(&mut self, fields: &Fields) -> Option<Vec<i64>> {
        let at = Some(self.stream.position());
        let Some(kind) = KINDS.iter().find(|kind| kind.number == fields.kind) else {
            let message = format!("its element type {} is not known here", fields.kind);
            self.findings.about(&rules::ONNX_TYPE, at, &fields.name, message);
            return None;
        };
        if fields.segment || fields.dims.len() > MAX_DIMS {
            self.findings.about(
                &rules::ONNX_FIELD,
                at,
                &fields.name,
                "a tensor in segments, or of too many dimensions",
            );
            return None;
        }
        let Some(elements) = count(&fields.dims) else {
            let message = format!("its shape {:?} is negative or overflows", fields.dims);
            self.findings.about(&rules::ONNX_SIZE, at, &fields.name, message);
            return None;
        };
        if fields.location == 1 {
            if fields.raw.is_some() || fields.typed.iter().any(|count| *count > 0) {
                self.findings.about(
                    &rules::ONNX_SIZE,
                    at,
                    &fields.name,
                    "its data is both inside and in another file",
                );
            }
            return None;
        }
        let expected = kind.typed_elements(elements);
        let others = fields.typed.iter().enumerate().any(|(slot, count)| slot != kind.slot && *count > 0);
        let fits = match fields.raw {
            Some(raw) if kind.bits > 0 && fields.typed.iter().all(|count| *count == 0) => {
                Some(raw) == kind.bytes(elements)
            }
            Some(_) => false,
            None => !others && Some(fields.typed[kind.slot]) == expected,
        };
        if !fits {
            let message =
                format!("shape {:?} of {} does not give the size of its data", fields.dims, kind.name);
            self.findings.about(&rules::ONNX_SIZE, at, &fields.name, message);
            return None;
        }
        integers(fields, elements)
    }

    /// The name of an initializer, its small integers remembered.
    pub(super) fn keep(&mut self, tensor: &Tensor) -> Result<Option<Name>, Stop> {
        if tensor.name.is_empty() {
            self.note(&rules::ONNX_MODEL, "an initializer without a name");
            return Ok(None);
        }
        let Some(name) = self.names.number(&tensor.name) else {
            return Err(
                self.fail(&rules::ONNX_LIMIT, "more names than are followed; the rest was not judged")
            );
        };
        if let Some((kind, elements)) = tensor.counted {
            self.findings.facts.tensor(kind, elements);
        }
        if let Some(integers) = &tensor.integers {
            self.sizes.constant(self.scope, name, integers.clone());
        }
        Ok(Some(name))
    }
}

/// One element type of `TensorProto.DataType`.
struct Kind {
    number: u64,
    name: &'static str,
    /// Bits of an element in raw data; zero where raw data is not allowed.
    bits: u64,
    /// Which typed field holds it, see [`Fields::typed`].
    slot: usize,
    /// Elements per entry of the typed field: below one entry for packed types, half for complex ones.
    packed: u64,
    halves: bool,
}

const fn kind(number: u64, name: &'static str, bits: u64, slot: usize) -> Kind {
    Kind { number, name, bits, slot, packed: 1, halves: false }
}

const fn packed(number: u64, name: &'static str, bits: u64, per_entry: u64) -> Kind {
    Kind { number, name, bits, slot: 1, packed: per_entry, halves: false }
}

const fn complex(number: u64, name: &'static str, bits: u64, slot: usize) -> Kind {
    Kind { number, name, bits, slot, packed: 1, halves: true }
}

/// Element types with the Open Inference Protocol's name, or one in its manner.
const KINDS: &[Kind] = &[
    kind(1, "FP32", 32, 0),
    kind(2, "UINT8", 8, 1),
    kind(3, "INT8", 8, 1),
    kind(4, "UINT16", 16, 1),
    kind(5, "INT16", 16, 1),
    kind(6, "INT32", 32, 1),
    kind(7, "INT64", 64, 3),
    kind(8, "BYTES", 0, 2),
    kind(9, "BOOL", 8, 1),
    kind(10, "FP16", 16, 1),
    kind(11, "FP64", 64, 4),
    kind(12, "UINT32", 32, 5),
    kind(13, "UINT64", 64, 5),
    complex(14, "COMPLEX64", 64, 0),
    complex(15, "COMPLEX128", 128, 4),
    kind(16, "BF16", 16, 1),
    kind(17, "FP8E4M3FN", 8, 1),
    kind(18, "FP8E4M3FNUZ", 8, 1),
    kind(19, "FP8E5M2", 8, 1),
    kind(20, "FP8E5M2FNUZ", 8, 1),
    packed(21, "UINT4", 4, 2),
    packed(22, "INT4", 4, 2),
    packed(23, "FP4E2M1", 4, 2),
    kind(24, "FP8E8M0", 8, 1),
    packed(25, "UINT2", 2, 4),
    packed(26, "INT2", 2, 4),
];

impl Kind {
    fn bytes(&self, elements: u64) -> Option<u64> {
        Some(elements.checked_mul(self.bits)?.div_ceil(8))
    }

    fn typed_elements(&self, elements: u64) -> Option<u64> {
        if self.halves { elements.checked_mul(2) } else { Some(elements.div_ceil(self.packed)) }
    }
}

/// The name of an element type; `None` where it is not known.
pub(super) fn kind_name(number: u64) -> Option<&'static str> {
    KINDS.iter().find(|kind| kind.number == number).map(|kind| kind.name)
}

fn count(dims: &[i64]) -> Option<u64> {
    dims.iter().try_fold(1u64, |count, size| count.checked_mul(u64::try_from(*size).ok()?))
}

/// Bytes that the data of a tensor takes in another file; `None` where that is not known.
fn size(fields: &Fields) -> Option<u64> {
    let kind = KINDS.iter().find(|kind| kind.number == fields.kind && kind.bits > 0)?;
    kind.bytes(count(&fields.dims)?)
}

/// The values of a small tensor of numbers, rounded towards zero.
#[expect(clippy::cast_possible_truncation, reason = "what is no size saturates")]
fn integers(fields: &Fields, elements: u64) -> Option<Vec<i64>> {
    if elements > MAX_RANK as u64 || !matches!(fields.kind, 1 | 6 | 7) || fields.places.is_some() {
        return None;
    }
    let data = if fields.raw.is_some() { &fields.small } else { &fields.floats };
    let words = data.as_chunks::<4>().0.iter();
    match fields.kind {
        1 => Some(words.map(|word| f32::from_le_bytes(*word) as i64).collect()),
        6 if fields.raw.is_some() => Some(words.map(|word| i64::from(i32::from_le_bytes(*word))).collect()),
        7 if fields.raw.is_some() => {
            let words = data.as_chunks::<8>().0.iter();
            Some(words.map(|word| i64::from_le_bytes(*word)).collect())
        }
        _ => Some(fields.integers.clone()),
    }
}
