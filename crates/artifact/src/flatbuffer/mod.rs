//! Models in FlatBuffers (flatbuffers.dev, "Internals"): TensorFlow Lite, and CatBoost's own format.
//!
//! Every table, vector and text that is looked at is held against the file first; the native readers trust them.

mod catboost;
mod content;
mod flex;
mod reader;
#[cfg(test)]
mod tests;
mod tflite;

pub(crate) use catboost::{scan as scan_catboost, scan_held as scan_catboost_held};
pub(crate) use tflite::{begin_of_assets, scan as scan_tflite};

use crate::{
    findings::Findings,
    pages::{Fault, Forward, Pages},
    rules,
    stream::{Stop, Stream},
};

/// Turns what ended the judgement into a finding, then passes over the stream, in which `behind` judges what lies behind the model.
fn finish<T>(
    judged: Result<T, Fault>,
    pages: Pages,
    stream: &mut Stream<'_>,
    findings: &mut Findings,
    behind: impl FnOnce(&mut Forward<'_, '_>, &mut Findings) -> Result<(), Stop>,
) -> Result<Option<T>, Stop> {
    let found = match judged {
        Ok(found) => Some(found),
        Err(Fault::Io(error)) => return Err(Stop::Io(error)),
        Err(Fault::Outside { at, length }) => {
            let message = format!("the {length} bytes that should be here reach beyond the file");
            findings.at(&rules::FLAT_TRUNCATED, at, message);
            None
        }
        Err(Fault::Bad { at, what }) => {
            findings.at(&rules::FLAT_STRUCTURE, at, what);
            None
        }
        Err(Fault::Limit { at, what }) => {
            findings.at(&rules::FLAT_LIMIT, at, what);
            None
        }
    };
    pages.pass(stream, findings, behind)?;
    Ok(found)
}
