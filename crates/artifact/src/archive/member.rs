//! One member of a container: its bytes judged as a stream inside the outer one.

use std::io::Read;

use super::limits::Limits;
use crate::{
    analyse::{self, Context, Found},
    findings::Findings,
    rules,
    stream::{Stop, Stream},
};

/// What came out of a member.
#[derive(Debug)]
pub(super) struct Judged {
    /// What it is; `None` where that could not be told.
    pub(super) found: Option<Found>,
    /// CRC-32 and count of all its bytes; `None` where they could not be read to their end.
    pub(super) read: Option<(u32, u64)>,
}

/// Judges what `bytes` gives, to its last byte. Everything that is wrong with it becomes a finding; only an error of the
/// operating system and a bomb end the walk.
pub(super) fn judge(
    bytes: &mut dyn Read,
    size: Option<u64>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Judged, Stop> {
    let mut stream = Stream::nested(Box::new(bytes), size);
    let mut found = None;
    let mut damage = None;
    match analyse::analyse(&mut stream, context, findings) {
        Ok(what) => found = Some(what),
        Err(Stop::Io(error)) => return Err(Stop::Io(error)),
        Err(Stop::Damaged(why)) => damage = Some(why),
        Err(Stop::Truncated(offset)) => {
            findings.at(&rules::MEMBER_CUT, offset, "it ends in the middle of what begins here");
        }
        Err(Stop::Reported) => {}
    }
    let read = match stream.finish_nested() {
        Ok(read) => Some(read),
        Err(Stop::Io(error)) => return Err(Stop::Io(error)),
        Err(Stop::Damaged(why)) => {
            damage = Some(why);
            None
        }
        Err(_) => None,
    };
    note_burst(context.limits, findings)?;
    if let Some(why) = damage {
        findings.whole(&rules::BAD_COMPRESSION, format!("its compressed bytes cannot be read on: {why}"));
    }
    Ok(Judged { found, read })
}

/// A bomb ends the analysis of the whole file.
fn note_burst(limits: &Limits, findings: &mut Findings) -> Result<(), Stop> {
    if !limits.is_burst() {
        return Ok(());
    }
    findings.whole(&rules::BOMB, "what is compressed here expands without bound; the rest was not judged");
    Err(Stop::Reported)
}
