//! Tensors: whether shape and type give the size of the data, without the data being kept.

use super::{
    external::External,
    kind::{KINDS, kind_name},
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
    /// The values of a small tensor that may be a size.
    pub(super) numbers: Option<Vec<f64>>,
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
    /// Bytes of `float_data` or `double_data`, where it is small.
    floats: Vec<u8>,
    /// What small texts spell.
    spelled: Vec<f64>,
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
        let numbers = self.check_tensor(&fields);
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
        Ok((Tensor { name, numbers, dims, outside: location == 1, counted }, places))
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
            (4, Wire::Fixed(4, bits)) => {
                fields.typed[0] += 1;
                if fields.floats.len() < 4 * MAX_RANK {
                    fields.floats.extend_from_slice(&bits.to_le_bytes()[..4]);
                }
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
            (6, Wire::Bytes(length)) => {
                fields.typed[2] += 1;
                if length <= SMALL && fields.spelled.len() <= MAX_RANK {
                    let mut text = Vec::new();
                    self.stream.take(length, 4 * MAX_RANK, &mut text)?;
                    fields.spelled.push(spelled(&text));
                }
            }
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
            (10, Wire::Bytes(length))
                if length <= 2 * SMALL && length.is_multiple_of(8) && fields.typed[4] == 0 =>
            {
                self.stream.take(length, 8 * MAX_RANK, &mut fields.floats)?;
                fields.typed[4] += length / 8;
            }
            (10, value) => fields.typed[4] += self.fixed(value, 8)?,
            (11, value) => {
                let integers = &mut fields.integers;
                fields.typed[5] += self.varints(value, |integer| {
                    if integers.len() <= MAX_RANK {
                        integers.push(integer.cast_signed());
                    }
                })?;
            }
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
            Wire::Fixed(found, _) if found == width => Ok(1),
            Wire::Bytes(length) if length.is_multiple_of(u64::from(width)) => Ok(length / u64::from(width)),
            _ => Err(self.fail(&rules::ONNX_WIRE, "a list of fixed numbers with a broken length")),
        }
    }

    fn check_tensor(&mut self, fields: &Fields) -> Option<Vec<f64>> {
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
        numbers(fields, elements)
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
        match &tensor.numbers {
            Some(numbers) => self.sizes.constant(self.scope, name, numbers.clone()),
            None => self.sizes.unread(self.scope, name),
        }
        self.sizes.stored(self.scope, name, &tensor.dims);
        Ok(Some(name))
    }
}

fn count(dims: &[i64]) -> Option<u64> {
    dims.iter().try_fold(1u64, |count, size| count.checked_mul(u64::try_from(*size).ok()?))
}

/// Bytes that the data of a tensor takes in another file; `None` where that is not known.
fn size(fields: &Fields) -> Option<u64> {
    let kind = KINDS.iter().find(|kind| kind.number == fields.kind && kind.bits > 0)?;
    kind.bytes(count(&fields.dims)?)
}

/// The number that a text spells; none that is a size, where it spells none.
pub(super) fn spelled(text: &[u8]) -> f64 {
    std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0.0)
}

/// A float by its bits.
#[expect(clippy::cast_possible_truncation, reason = "it has 32 of them")]
pub(super) fn float(bits: u64) -> f64 {
    f64::from(f32::from_bits(bits as u32))
}

/// A float of two bytes (IEEE 754, binary16) by its bits; its sign does not matter.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff) / 1024.0);
    match exponent {
        0 => fraction * 2f64.powi(-14),
        31 => f64::INFINITY,
        exponent => (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}

/// The values of a small tensor.
#[expect(clippy::cast_precision_loss, reason = "sizes above 2^53 are bombs all the same")]
fn numbers(fields: &Fields, elements: u64) -> Option<Vec<f64>> {
    if elements > MAX_RANK as u64 || fields.places.is_some() {
        return None;
    }
    if elements == 0 {
        return Some(Vec::new());
    }
    let raw = fields.raw.is_some();
    let halves = |number: fn(u16) -> f64| -> Vec<f64> {
        if raw {
            fields.small.as_chunks::<2>().0.iter().map(|word| number(u16::from_le_bytes(*word))).collect()
        } else {
            fields.integers.iter().map(|word| number(u16::try_from(*word).unwrap_or(u16::MAX))).collect()
        }
    };
    let data = if raw { &fields.small } else { &fields.floats };
    let words = data.as_chunks::<4>().0.iter();
    let long = data.as_chunks::<8>().0.iter();
    let numbers: Vec<f64> = match fields.kind {
        1 => words.map(|word| f64::from(f32::from_le_bytes(*word))).collect(),
        11 => long.map(|word| f64::from_le_bytes(*word)).collect(),
        8 => fields.spelled.clone(),
        10 => halves(half),
        16 => halves(|bits| f64::from(f32::from_bits(u32::from(bits) << 16))),
        13 if !raw => fields.integers.iter().map(|number| number.cast_unsigned() as f64).collect(),
        2..=7 | 12 if !raw => fields.integers.iter().map(|number| *number as f64).collect(),
        2 => data.iter().map(|byte| f64::from(*byte)).collect(),
        3 => data.iter().map(|byte| f64::from(byte.cast_signed())).collect(),
        4 => data.as_chunks::<2>().0.iter().map(|word| f64::from(u16::from_le_bytes(*word))).collect(),
        5 => data.as_chunks::<2>().0.iter().map(|word| f64::from(i16::from_le_bytes(*word))).collect(),
        6 => words.map(|word| f64::from(i32::from_le_bytes(*word))).collect(),
        7 => long.map(|word| i64::from_le_bytes(*word) as f64).collect(),
        12 => words.map(|word| f64::from(u32::from_le_bytes(*word))).collect(),
        13 => long.map(|word| u64::from_le_bytes(*word) as f64).collect(),
        _ => return None,
    };
    // No writer keeps a few numbers in several pieces: what is missing could be anything.
    Some(if numbers.len() as u64 == elements { numbers } else { vec![f64::INFINITY] })
}
