//! Element types.

use super::fields::{Fault, Fields};

/// Types within types: the members of compounds, the elements of arrays.
const MAX_DEPTH: u8 = 16;

/// An element type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) class: u8,
    /// Bytes of one element.
    pub(super) size: u64,
    /// A text of any length, kept elsewhere.
    pub(super) is_text: bool,
    /// Bytes of an element of what is kept elsewhere.
    pub(super) inner: u64,
}

pub(super) const FIXED_TEXT: u8 = 3;
pub(super) const VARIABLE: u8 = 9;

/// The type at the start of a message.
pub(super) fn datatype(fields: &mut Fields<'_>) -> Result<Type, Fault> {
    nested(fields, 0)
}

fn nested(fields: &mut Fields<'_>, depth: u8) -> Result<Type, Fault> {
    let at = fields.place();
    let first = fields.u8()?;
    let (class, version) = (first & 15, first >> 4);
    if class > 11 || !(1..=5).contains(&version) {
        return Err(fields.bad("an element type that does not exist"));
    }
    if depth > MAX_DEPTH {
        return Err(Fault::Limit { at, what: "types within types, deeper than is followed" });
    }
    let bits = fields.number(3)?;
    let size = u64::from(fields.u32()?);
    if size == 0 {
        return Err(fields.bad("elements without bytes"));
    }
    let head = Head { at, version, bits, size, depth };
    let mut inner = 0;
    match class {
        0 => head.integer(fields)?,
        1 => head.float(fields)?,
        2 => drop(fields.u16()?),
        FIXED_TEXT => head.text(bits)?,
        4 => head.bits(fields)?,
        5 => drop(fields.take(usize::try_from(bits & 0xff).unwrap_or(0))?),
        6 => head.compound(fields)?,
        7 if bits & 15 > 4 => return Err(fields.bad("a reference of a kind that does not exist")),
        7 => {}
        8 => head.enumeration(fields)?,
        VARIABLE => {
            match bits & 15 {
                0 => {}
                1 => head.text(bits >> 4)?,
                _ => return Err(fields.bad("a list that is of no known kind")),
            }
            inner = nested(fields, depth + 1)?.size;
        }
        10 => head.array(fields)?,
        _ => {
            nested(fields, depth + 1)?;
        }
    }
    Ok(Type { class, size, is_text: class == VARIABLE && bits & 15 == 1, inner })
}

/// What every type tells first.
struct Head {
    at: u64,
    version: u8,
    bits: u64,
    size: u64,
    depth: u8,
}

/// Where the parts of a float stand, in bits, as IEEE 754 and the formats made after it have them: the bytes of all of it; its
/// precision; start and length of the exponent; length of the mantissa, which starts at zero; the exponent's bias.
const FLOATS: [(u64, u64, u64, u64, u64, u64); 9] = [
    (1, 8, 3, 4, 3, 7),
    (1, 8, 2, 5, 2, 15),
    (2, 16, 10, 5, 10, 15),
    (2, 16, 7, 8, 7, 127),
    (4, 32, 23, 8, 23, 127),
    (8, 64, 52, 11, 52, 1023),
    // The 80 bits of x87, which have no implied bit.
    (12, 80, 64, 15, 64, 16383),
    (16, 80, 64, 15, 64, 16383),
    (16, 128, 112, 15, 112, 16383),
];

impl Head {
    fn bad(&self, what: &'static str) -> Fault {
        Fault::Bad { at: self.at, what }
    }

    fn unknown(&self) -> Fault {
        Fault::Limit { at: self.at, what: "a kind of number that is not known here" }
    }

    /// An integer takes all bits of its bytes.
    fn integer(&self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        if self.bits & !0xf != 0 {
            return Err(self.bad("an integer that is of no known kind"));
        }
        self.bits(fields)
    }

    fn bits(&self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        let (offset, precision) = (u64::from(fields.u16()?), u64::from(fields.u16()?));
        let bits = self.size.saturating_mul(8);
        if precision == 0 || offset + precision > bits {
            return Err(self.bad("a number of impossible bits"));
        }
        if (offset, precision) == (0, bits) { Ok(()) } else { Err(self.unknown()) }
    }

    fn float(&self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        let (offset, precision) = (u64::from(fields.u16()?), u64::from(fields.u16()?));
        let (exponent, exponent_bits) = (u64::from(fields.u8()?), u64::from(fields.u8()?));
        let (mantissa, mantissa_bits) = (u64::from(fields.u8()?), u64::from(fields.u8()?));
        let bias = u64::from(fields.u32()?);
        let told = (self.size, precision, exponent, exponent_bits, mantissa_bits, bias);
        let sign = self.bits >> 8 & 0xff;
        // Behind the order of bytes: one implied bit of the mantissa, or all of it told.
        let implied = self.bits & 0x30;
        let is_whole = precision == 80;
        let known = FLOATS.contains(&told)
            && offset == 0
            && mantissa == 0
            && sign == precision - 1
            && implied == if is_whole { 0 } else { 0x20 }
            && self.bits & !0xff31 == 0;
        if known { Ok(()) } else { Err(self.unknown()) }
    }

    /// How a text is filled up, and in which letters it is.
    fn text(&self, bits: u64) -> Result<(), Fault> {
        if bits & 15 > 2 || bits >> 4 & 15 > 1 {
            return Err(self.bad("a text that is of no known kind"));
        }
        Ok(())
    }

    /// A name with its end, filled up in older versions.
    fn name(&self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        let mut length = 0;
        while fields.u8()? != 0 {
            length += 1;
        }
        if self.version < 3 {
            let filled = (length + 1_usize).next_multiple_of(8);
            fields.take(filled - length - 1)?;
        }
        Ok(())
    }

    fn compound(&self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        let count = self.bits & 0xffff;
        if count == 0 {
            return Err(self.bad("a compound without members"));
        }
        for _ in 0..count {
            self.name(fields)?;
            let width = if self.version < 3 { 4 } else { (self.size.ilog2() / 8 + 1) as usize };
            let offset = fields.number(width)?;
            let mut repeated = 1;
            if self.version == 1 {
                let axes = fields.u8()?;
                fields.take(11)?;
                for axis in 0..4 {
                    let length = u64::from(fields.u32()?);
                    if axis < axes {
                        repeated = length.saturating_mul(repeated);
                    }
                }
            }
            let member = nested(fields, self.depth + 1)?.size.saturating_mul(repeated);
            if offset.saturating_add(member) > self.size {
                return Err(self.bad("a member that reaches beyond its compound"));
            }
        }
        Ok(())
    }

    fn enumeration(&self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        let base = nested(fields, self.depth + 1)?;
        let count = self.bits & 0xffff;
        if base.size != self.size || base.class != 0 {
            return Err(self.bad("named numbers that are no numbers"));
        }
        for _ in 0..count {
            self.name(fields)?;
        }
        fields.take(usize::try_from(count * base.size).unwrap_or(usize::MAX))?;
        Ok(())
    }

    fn array(&self, fields: &mut Fields<'_>) -> Result<(), Fault> {
        let axes = fields.u8()?;
        let mut elements = Some(1u64);
        if self.version < 3 {
            fields.take(3)?;
        }
        for _ in 0..axes {
            let length = u64::from(fields.u32()?);
            elements = elements.and_then(|elements| elements.checked_mul(length));
        }
        if self.version < 3 {
            fields.take(4 * usize::from(axes))?;
        }
        let base = nested(fields, self.depth + 1)?;
        if elements.and_then(|elements| elements.checked_mul(base.size)) != Some(self.size) {
            return Err(self.bad("an array of another size than its elements"));
        }
        Ok(())
    }
}

impl Type {
    /// What it is called beside its count.
    pub(super) fn name(&self) -> String {
        let bits = self.size.saturating_mul(8);
        match self.class {
            0 => format!("int{bits}"),
            1 => format!("float{bits}"),
            FIXED_TEXT | VARIABLE => "text".to_owned(),
            class => format!("class {class}"),
        }
    }
}
