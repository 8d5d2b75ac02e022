//! numpy's arrays: a header in a small part of Python's literals, then the elements.
//!
//! The header is parsed by an own grammar and must be exactly `descr`, `fortran_order` and `shape`. Elements that are
//! Python objects follow as a pickle, which is judged like any other (`numpy/lib/format.py`, versions 1 to 3).

mod array;
mod literal;

pub(crate) use array::{Array, Arrays};
use literal::Literal;

use crate::{
    findings::Findings,
    pickle::{self, Dialect, Trust},
    rules,
    stream::{Stop, Stream},
};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header that is parsed.
const MAX_HEADER: u64 = 1 << 20;

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    /// Plain values of this many bytes.
    Plain(u64),
    /// Python objects are inside.
    Object,
}

/// An array whose end is known.
#[derive(Debug)]
enum Ended {
    /// Its elements were passed over.
    Passed,
    /// They were read, as far as they matter.
    Read(Option<Box<Array>>),
}

/// Judges one array after another to the end of the stream. Where elements are `followed`, hands out what the only one is.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    trust: Trust<'_>,
    followed: bool,
    findings: &mut Findings,
) -> Result<Arrays, Stop> {
    let mut first = true;
    loop {
        let Some(ended) = array(stream, trust, followed && first, findings)? else { return Ok(Arrays::None) };
        match stream.peek()? {
            None => {
                return Ok(match ended {
                    Ended::Read(Some(array)) => Arrays::One(array),
                    _ => Arrays::None,
                });
            }
            // numpy.save may be called several times on one open file.
            Some(byte) if byte == MAGIC[0] => first = false,
            Some(_) => {
                let at = stream.position();
                findings.at(&rules::NPY_TRAILING, at, "bytes follow the elements of the array");
                return Ok(Arrays::None);
            }
        }
    }
}

/// One array; `None` where its end is not known.
fn array(
    stream: &mut Stream<'_>,
    trust: Trust<'_>,
    followed: bool,
    findings: &mut Findings,
) -> Result<Option<Ended>, Stop> {
    let start = stream.position();
    let mut magic = Vec::new();
    stream.take(8, 8, &mut magic)?;
    let width = match magic.as_slice() {
        [head @ .., 1, 0] if head == MAGIC => 2,
        [head @ .., 2 | 3, 0] if head == MAGIC => 4,
        _ => {
            findings.at(&rules::NPY_HEADER, start, "this is no header of version 1, 2 or 3");
            return Ok(None);
        }
    };
    let length = stream.little_endian(width)?;
    if length > MAX_HEADER {
        findings.at(&rules::NPY_LONG_HEADER, start, format!("a header of {length} bytes"));
        return Ok(None);
    }
    if length > stream.remaining() {
        findings.at(
            &rules::NPY_HEADER,
            start,
            format!("a header of {length} bytes, which the file does not have"),
        );
        return Ok(None);
    }
    let mut text = Vec::new();
    stream.take(length, usize::try_from(length).unwrap_or(0), &mut text)?;
    let Header { descr, sizes, element, count } = match header(&text) {
        Ok(header) => header,
        Err(why) => {
            findings.at(&rules::NPY_HEADER, start, why);
            return Ok(None);
        }
    };
    let Element::Plain(size) = element else {
        pickle::scan_as(Dialect::Plain, trust, stream, findings)?;
        return Ok(None);
    };
    findings.facts.tensor(type_text(&descr), u64::try_from(count).ok());
    let Some(bytes) = size_of(count.saturating_mul(u128::from(size)), start, stream, findings) else {
        return Ok(None);
    };
    if followed {
        return Ok(Some(Ended::Read(Array::read(&descr, &sizes, bytes, stream)?.map(Box::new))));
    }
    stream.skip(bytes)?;
    Ok(Some(Ended::Passed))
}

/// What a header calls its element type; `fields` where that is more than one.
fn type_text(descr: &Literal) -> &str {
    match descr {
        Literal::Text(text) => text,
        _ => "fields",
    }
}

/// How many bytes the elements are; `None` where the file does not have as many.
fn size_of(bytes: u128, start: u64, stream: &Stream<'_>, findings: &mut Findings) -> Option<u64> {
    let left = stream.remaining();
    let there = u64::try_from(bytes).ok().filter(|bytes| *bytes <= left);
    if there.is_none() {
        let message = format!("shape and type give {bytes} bytes of elements, the file has {left}");
        findings.at(&rules::NPY_SIZE, start, message);
    }
    there
}

/// What a header says.
#[derive(Debug)]
struct Header {
    descr: Literal,
    sizes: Vec<Literal>,
    element: Element,
    /// How many elements there are.
    count: u128,
}

/// Reads a header, or tells what is wrong with it.
fn header(text: &[u8]) -> Result<Header, String> {
    let not_plain = || "the header is no plain dictionary with descr, fortran_order and shape".to_owned();
    let text = std::str::from_utf8(text).map_err(|_error| "the header is no readable text".to_owned())?;
    let Some(Literal::Dict(pairs)) = literal::parse(text) else { return Err(not_plain()) };
    let get = |name: &str| {
        let mut values = pairs.iter().filter(|(key, _)| *key == Literal::Text(name.to_owned()));
        values.next().map(|(_, value)| value).filter(|_| values.next().is_none())
    };
    let (Some(descr), Some(Literal::Bool), Some(Literal::Tuple(shape))) =
        (get("descr"), get("fortran_order"), get("shape"))
    else {
        return Err(not_plain());
    };
    if pairs.len() != 3 {
        return Err(not_plain());
    }
    let count = count(shape).ok_or("the shape of the array is no tuple of sizes")?;
    let element = element(descr).ok_or("the element type of the array is not understood")?;
    Ok(Header { descr: descr.clone(), sizes: shape.clone(), element, count })
}

fn count(shape: &[Literal]) -> Option<u128> {
    shape.iter().try_fold(1u128, |count, size| match size {
        Literal::Number(size) => count.checked_mul(u128::from(*size)),
        _ => None,
    })
}

/// How many bytes a structured type of these fields has, where none is an object.
fn structured(fields: &[Literal]) -> Option<u64> {
    match element(&Literal::List(fields.to_vec()))? {
        Element::Plain(width) => Some(width),
        Element::Object => None,
    }
}

/// What a type description means: a type text, or a list of fields.
fn element(descr: &Literal) -> Option<Element> {
    match descr {
        Literal::Text(text) => of_text(text),
        Literal::List(fields) => fields.iter().try_fold(Element::Plain(0), |sum, field| {
            let Literal::Tuple(parts) = field else { return None };
            let (descr, shape) = match parts.as_slice() {
                [_, descr] => (descr, None),
                [_, descr, shape] => (descr, Some(shape)),
                _ => return None,
            };
            let count = match shape {
                None => 1,
                Some(Literal::Number(count)) => u128::from(*count),
                Some(Literal::Tuple(shape)) => count(shape)?,
                Some(_) => return None,
            };
            Some(match (sum, element(descr)?) {
                (Element::Plain(sum), Element::Plain(size)) => {
                    let size = u64::try_from(u128::from(size).checked_mul(count)?).ok()?;
                    Element::Plain(sum.checked_add(size)?)
                }
                _ => Element::Object,
            })
        }),
        // A type with a shape of its own.
        Literal::Tuple(parts) => match parts.as_slice() {
            [descr, Literal::Tuple(shape)] => match element(descr)? {
                Element::Plain(size) => {
                    u64::try_from(u128::from(size).checked_mul(count(shape)?)?).ok().map(Element::Plain)
                }
                Element::Object => Some(Element::Object),
            },
            _ => None,
        },
        _ => None,
    }
}

fn of_text(text: &str) -> Option<Element> {
    let text = text.trim_start_matches(['<', '>', '|', '=']);
    let (kind, rest) = text.split_at_checked(1)?;
    let size = rest.split('[').next().unwrap_or("");
    match kind {
        "O" => Some(Element::Object),
        "U" => size.parse::<u64>().ok()?.checked_mul(4).map(Element::Plain),
        "?" if size.is_empty() => Some(Element::Plain(1)),
        "b" | "i" | "u" | "f" | "c" | "S" | "a" | "V" | "m" | "M" => size.parse().ok().map(Element::Plain),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_plain_literals() {
        let shape = |text: &str| header(text.as_bytes()).map(|header| (header.element, header.count));
        let simple = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2L), }   \n";
        assert_eq!(shape(simple), Ok((Element::Plain(4), 6)));
        let fields =
            "{'descr': [('a', '<i2'), ('b', '<f8', (2,)), ('', '|V6')], 'fortran_order': True, 'shape': ()}";
        assert_eq!(shape(fields), Ok((Element::Plain(24), 1)));
        let hidden = "{'descr': [('a', [('b', '|O')])], 'fortran_order': True, 'shape': (1,)}";
        assert_eq!(shape(hidden), Ok((Element::Object, 1)));
        for code in [
            "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
            "{'descr': '<f4', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} + 1",
        ] {
            assert!(shape(code).is_err(), "{code}");
        }
    }
}
