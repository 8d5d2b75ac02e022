//! Every object that can be reached from the root group, once.

use std::{collections::HashSet, mem};

use super::{
    attribute,
    dataset::Dataset,
    dense,
    fields::Fault,
    group,
    header::{self, Message, kind},
    image::Image,
    packed::Packed,
    pickled,
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
#[derive(Default)]
struct Object {
    /// It has a message that makes it a group, whether something is in it or not.
    is_group: bool,
    children: Vec<u64>,
    dataset: Dataset,
}

/// Judges one object.
fn object(
    image: &mut Image,
    address: u64,
    trust: Trust<'_>,
    packed: &mut Packed,
    findings: &mut Findings,
) -> Result<Object, Fault> {
    let mut object = Object::default();
    for message in header::read(image, address)? {
        if matches!(message.kind, kind::LINK_INFO | kind::ATTRIBUTE_INFO) {
            object.is_group |= message.kind == kind::LINK_INFO;
            dense::each(image, &message, &mut |image, message| {
                object.take(image, &message, trust, findings)
            })?;
        } else {
            object.take(image, &message, trust, findings)?;
        }
    }
    if !object.is_group && !object.dataset.is_whole() {
        let what = "an object that is neither a group nor a dataset";
        return Err(Fault::Bad { at: image.place(address), what });
    }
    mem::take(&mut object.dataset).check(image, image.place(address), packed, findings)?;
    Ok(object)
}

impl Object {
    /// Judges what a message tells.
    fn take(
        &mut self,
        image: &mut Image,
        message: &Message,
        trust: Trust<'_>,
        findings: &mut Findings,
    ) -> Result<(), Fault> {
        match message.kind {
            kind::LINK => self.children.extend(group::link(image, message, findings)?),
            kind::SYMBOL_TABLE => {
                self.is_group = true;
                self.children.extend(group::symbol_table(image, message)?);
            }
            kind::ATTRIBUTE if message.shared => {
                return Err(Fault::Limit {
                    at: message.place,
                    what: "a shared attribute, which is not followed",
                });
            }
            kind::ATTRIBUTE => {
                let attribute = attribute::read(image, message)?;
                configuration(&attribute, message.place, findings)?;
                pickled::check(&attribute, message.place, trust, findings)?;
            }
            0x0 | 0x4 | 0x9 | 0xa | 0xd | 0xe | 0xf | 0x10 | 0x12 | 0x13 | 0x16 => {}
            0x1 | 0x3 | 0x5 | 0x7 | 0x8 | 0xb => self.dataset.message(image, message, findings)?,
            _ => {
                return Err(Fault::Limit {
                    at: message.place,
                    what: "a message of a kind that is not known here",
                });
            }
        }
        Ok(())
    }
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
