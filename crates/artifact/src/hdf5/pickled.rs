//! Pickles in attributes and datasets: `PyTables`, and pandas with it, unpickles what looks like one when it opens a file.

use super::{attribute::Attribute, fields::Fault};
use crate::{
    findings::Findings,
    pickle::{self, Dialect, Trust},
    rules::{self, Rule},
    stream::{Stop, Stream},
};

/// What no unpickler goes on from: a text where nothing else is found is no pickle.
const REFUSED: [&Rule; 4] =
    [&rules::PICKLE_OPCODE, &rules::PICKLE_OPERAND, &rules::PICKLE_STACK, &rules::PICKLE_TRUNCATED];

/// Judges what an attribute would make a reader unpickle.
///
/// `PyTables` takes each text that ends in a full stop for a pickle, and keeps the text where it is none
/// (`tables/attributeset.py`); what it reached until then has happened.
pub(super) fn check(
    attribute: &Attribute,
    at: u64,
    trust: Trust<'_>,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let text = attribute.text.as_deref().unwrap_or_default();
    let unread = |what| Err(Fault::Limit { at, what });
    match attribute.name.as_str() {
        // Rows of `tables.ObjectAtom`.
        "PSEUDOATOM" if text == b"object" => {
            return unread("rows that PyTables unpickles, which are not read");
        }
        "HICKLE_VERSION" => return unread("objects that hickle unpickles, which are not read"),
        _ if text.len() > 2 && text.ends_with(b".") => {}
        _ => return Ok(()),
    }
    let mut found = Findings::new();
    let mut stream = Stream::nested(Box::new(text), Some(text.len() as u64));
    let ended = pickle::scan_one(Dialect::Plain, trust, &mut stream, &mut found);
    if let Err(Stop::Io(error)) = ended {
        return Err(Fault::Io(error));
    }
    let failed_first = ended.is_err() && found.listed() < 2;
    for finding in found.into_list(None) {
        let Some(rule) = rules::find(&finding.rule) else { continue };
        if failed_first && REFUSED.iter().any(|refused| refused.id == rule.id) {
            continue;
        }
        let target = finding.target.unwrap_or_else(|| attribute.name.clone());
        let message = format!("attribute `{}`: {}", attribute.name, finding.message);
        findings.about(rule, Some(at), target, message);
    }
    Ok(())
}
