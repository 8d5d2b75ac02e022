//! CatBoost's binary format: a mark, a length, and a buffer with the trees (`model.fbs` of catboost/catboost).

mod trees;

use super::reader::{Buffer, Table, Vector};
use crate::{
    analyse::Context,
    booster::catboost_release,
    findings::Findings,
    pages::{Fault, Pages},
    rules,
    stream::{Stop, Stream},
};

/// Bytes of mark and length.
const HEADER: u64 = 8;
/// The only kind of part that models have behind their trees.
const COUNTERS: &str = "static_provider_v1";
/// Bytes of a text beside the trees that is looked at.
const MAX_TEXT: u64 = 4096;

/// Judges a file.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let pages = Pages::open(stream, context)?;
    scan_pages(pages, stream, findings)
}

/// Judges a model that is only here, in another file.
pub(crate) fn scan_held(stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let pages = Pages::hold(stream)?.map(Pages::in_proportion);
    scan_pages(pages, stream, findings)
}

fn scan_pages(pages: Option<Pages>, stream: &mut Stream<'_>, findings: &mut Findings) -> Result<(), Stop> {
    let Some(mut pages) = pages else {
        findings.whole(
            &rules::FLAT_LIMIT,
            "a model too large to be held inside a container; validate it by itself",
        );
        return Err(Stop::Reported);
    };
    let judged = judge(&mut pages, findings);
    super::finish(judged, pages, stream, findings, |_, _| Ok(())).map(|_| ())
}

fn judge(pages: &mut Pages, findings: &mut Findings) -> Result<(), Fault> {
    let size = pages.size();
    let head = pages.bytes(4, 4)?;
    let length = head.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte));
    let end = HEADER + length;
    if end > size {
        return Err(Fault::Outside { at: HEADER, length });
    }
    let mut buffer = Buffer::new(pages, HEADER, end);
    let core = buffer.root()?;
    let version = buffer.text(&core, 0)?;
    if version != "FlabuffersModel_v1" {
        findings.about(&rules::BOOSTER_NEWER, Some(core.at), version, "this version is not known here");
    }
    state_release(&mut buffer, &core, findings)?;
    let parts = buffer.texts(&core, 3)?;
    let trees = buffer.child(&core, 1)?.ok_or(Fault::Bad { at: core.at, what: "a model without trees" })?;
    // Splits may also ask what only a part of another kind describes.
    let described = parts.iter().all(|part| part == COUNTERS);
    trees::check(&mut buffer, &trees, described, findings)?;
    let last = match parts.as_slice() {
        [] => end,
        [part] if part == COUNTERS => counters(pages, end)?,
        _ => {
            return Err(Fault::Limit { at: end, what: "a part of a model of a kind that is not known here" });
        }
    };
    if last < size {
        let extra = size - last;
        findings.at(&rules::FLAT_TRAILING, last, format!("{extra} bytes follow the model"));
    }
    Ok(())
}

/// The release that wrote the model, out of the pairs of texts beside the trees.
fn state_release(buffer: &mut Buffer<'_>, core: &Table, findings: &mut Findings) -> Result<(), Fault> {
    for pair in buffer.tables(core, 2)? {
        let short = |vector: Option<Vector>| vector.is_some_and(|vector| vector.count <= MAX_TEXT);
        if short(buffer.vector(&pair, 0, 1)?)
            && short(buffer.vector(&pair, 1, 1)?)
            && buffer.text(&pair, 0)? == "catboost_version_info"
        {
            findings.facts.state("catboost", &catboost_release(&buffer.text(&pair, 1)?));
        }
    }
    Ok(())
}

/// The tables of counted categories behind the trees, each with its length in front; where they end.
fn counters(pages: &mut Pages, start: u64) -> Result<u64, Fault> {
    let mut number = |at: u64| -> Result<u64, Fault> {
        let bytes = pages.bytes(at, 4)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let count = number(start)?;
    let mut at = start + 4;
    for _ in 0..count {
        at += 4 + number(at)?;
    }
    if at > pages.size() { Err(Fault::Outside { at: start, length: at - start }) } else { Ok(at) }
}
