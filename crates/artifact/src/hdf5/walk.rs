//! Every object that can be reached from the root group, once.

use std::collections::HashSet;

use super::{
    attribute, dataset::Dataset, fields::Fault, group, header, image::Image, packed::Packed, pickled,
};
use crate::{findings::Findings, keras, pickle::Trust, rules, stream::Stop};

/// Objects of one file that are followed.
pub(super) const MAX_OBJECTS: usize = 1 << 18;

pub(super) fn all(
    image: &mut Image,
    root: u64,
    trust: Trust<'_>,
    findings: &mut Findings,
) -> Result<Packed, Fault> {
    let mut packed = Packed::default();
    let mut seen = HashSet::from([root]);
    let mut open = vec![root];
    while let Some(address) = open.pop() {
        let object = object(image, address, trust, &mut packed, findings)?;
        if address == root && !object.is_group {
            return Err(Fault::Bad { at: image.place(root), what: "the root of the file is no group" });
        }
        for child in object.children {
            if seen.insert(child) {
                open.push(child);
            }
        }
        if seen.len() > MAX_OBJECTS {
            return Err(Fault::Limit { at: image.place(address), what: "more objects than are followed" });
        }
    }
    Ok(packed)
}

/// What one object leads to.
struct Object {
    /// It has a message that makes it a group, whether something is in it or not.
    is_group: bool,
    children: Vec<u64>,
}

/// Judges one object.
fn object(
    image: &mut Image,
    address: u64,
    trust: Trust<'_>,
    packed: &mut Packed,
    findings: &mut Findings,
) -> Result<Object, Fault> {
    let mut children = Vec::new();
    let mut is_group = false;
    let mut dataset = Dataset::default();
    for message in header::read(image, address)? {
        is_group |= matches!(message.kind, 0x2 | 0x11);
        match message.kind {
            0x2 => group::dense(image, &message, true)?,
            0x6 => children.extend(group::link(image, &message, findings)?),
            0x11 => children.extend(group::symbol_table(image, &message)?),
            0x15 => group::dense(image, &message, false)?,
            0xc if message.shared => {
                return Err(Fault::Limit {
                    at: message.place,
                    what: "a shared attribute, which is not followed",
                });
            }
            0xc => {
                let attribute = attribute::read(image, &message)?;
                configuration(&attribute, message.place, findings)?;
                pickled::check(&attribute, message.place, trust, findings)?;
            }
            0x0 | 0x4 | 0x5 | 0x9 | 0xa | 0xd | 0xe | 0xf | 0x10 | 0x12 | 0x13 | 0x16 => {}
            0x1 | 0x3 | 0x7 | 0x8 | 0xb => dataset.message(image, &message, findings)?,
            _ => {
                return Err(Fault::Limit {
                    at: message.place,
                    what: "a message of a kind that is not known here",
                });
            }
        }
    }
    dataset.check(image, image.place(address), packed, findings)?;
    Ok(Object { is_group, children })
}

/// What Keras keeps in attributes.
fn configuration(attribute: &attribute::Attribute, at: u64, findings: &mut Findings) -> Result<(), Fault> {
    let whole = match attribute.name.as_str() {
        "model_config" => true,
        "training_config" => false,
        "keras_version" => {
            let text = attribute.text.as_deref().unwrap_or_default();
            findings.facts.state("keras", &String::from_utf8_lossy(text));
            return Ok(());
        }
        _ => return Ok(()),
    };
    let Some(text) = &attribute.text else {
        findings.at(&rules::KERAS_CONFIG, at, "the configuration is not one text");
        return Ok(());
    };
    match keras::scan_config(&text[..], whole, findings) {
        Ok(()) => Ok(()),
        Err(Stop::Io(error)) => Err(Fault::Io(error)),
        Err(_) => Err(Fault::Bad { at, what: "the configuration cannot be read" }),
    }
}
