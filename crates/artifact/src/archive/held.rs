//! Streams that cannot be judged from front to back: they are held in memory, up to a bound.

use super::{limits::MAX_DEPTH, zip};
use crate::{
    analyse::{self, Context, Found},
    findings::Findings,
    format::Format,
    rules,
    stream::{Stop, Stream},
};

/// Whether a format can be judged in one forward pass over a stream of this kind. A zip archive begins at its end, and
/// many formats need to know how long they are.
pub(crate) fn streams(format: Format, stream: &Stream<'_>, context: &Context<'_>) -> bool {
    match format {
        Format::Zip => context.depth == 0 || context.directory.is_some(),
        Format::Pickle | Format::Tar | Format::Compressed => true,
        _ => stream.is_sized(),
    }
}

/// Judges a stream from memory, where it is small enough.
pub(crate) fn held(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Found, Stop> {
    let format = analyse::identity(stream)?.format;
    if context.depth > MAX_DEPTH {
        findings.whole(&rules::DEPTH, format!("more than {MAX_DEPTH} containers inside each other"));
        return Ok(Found::new(format));
    }
    let room = context.limits.room();
    let Some(bytes) = stream.hold(room)? else {
        findings.whole(
            &rules::NOT_HELD,
            format!("{format} of more than {room} bytes inside another container; validate it as a file of its own"),
        );
        return Ok(Found::new(format));
    };
    let size = bytes.len() as u64;
    context.limits.holding(bytes.len(), || {
        let mut reader = std::io::Cursor::new(&bytes[..]);
        let directory = zip::Directory::read(&mut reader, size).map_err(Stop::Io)?;
        let context = Context { directory: directory.as_ref(), ..*context };
        let mut inner = Stream::nested(Box::new(&bytes[..]), Some(size));
        if directory.is_none() && format == Format::Zip {
            // Nothing at its end: the walk goes by the members' own headers.
            return zip::scan(&mut inner, &context, findings);
        }
        analyse::analyse(&mut inner, &context, findings)
    })
}
