//! Streams that cannot be judged from front to back: they are held in memory, up to a bound.

use std::io::{self, Read, Seek, SeekFrom};

use super::{limits::MAX_DEPTH, zip};
use crate::{
    analyse::{self, Context, Found},
    findings::Findings,
    format::Format,
    hdf5, rules,
    stream::{Stop, Stream},
    tree::Source,
};

/// Archives up to this size in bytes are held rather than looked up on disk again.
const SMALL: u64 = 1 << 20;

/// Whether a format can be judged in one forward pass over a stream of this kind. A zip archive begins at its end, and
/// many formats need to know how long they are.
pub(crate) fn streams(format: Format, stream: &Stream<'_>, context: &Context<'_>) -> bool {
    match format {
        Format::Zip => context.depth == 0 || context.directory.is_some(),
        Format::Pickle | Format::Torch | Format::Tar | Format::Compressed => true,
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
    if format == Format::Zip
        && let Some((path, start)) = context.place
        && stream.is_sized()
        && stream.size() > SMALL
    {
        return in_place(stream, path, start, context, findings);
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
        let mut reader = io::Cursor::new(&bytes[..]);
        let directory = zip::Directory::read(&mut reader, size).map_err(Stop::Io)?;
        let hdf5_behind = hdf5::lies_behind(&mut reader, size).map_err(Stop::Io)?;
        let context = Context { directory: directory.as_ref(), hdf5_behind, ..*context };
        let mut inner = Stream::nested(Box::new(&bytes[..]), Some(size));
        if directory.is_none() && format == Format::Zip {
            // Nothing at its end: the walk goes by the members' own headers.
            return zip::scan(&mut inner, &context, findings);
        }
        analyse::analyse(&mut inner, &context, findings)
    })
}

/// Judges an archive that stands in a file on disk as it is: its directory is read there, by a second reader, and the
/// forward pass goes on as for a file of its own. What the two see is compared as ever.
fn in_place(
    stream: &mut Stream<'_>,
    path: &str,
    start: u64,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Found, Stop> {
    let size = stream.size();
    let Ok(file) = context.artifact.open(path) else {
        findings.whole(&rules::CHANGED, "the file around it cannot be opened again");
        return Ok(Found::new(Format::Zip));
    };
    let mut window = Window { reader: file.reader, start, size, at: 0 };
    let directory = zip::Directory::read(&mut window, size).map_err(Stop::Io)?;
    let context = Context { directory: directory.as_ref(), ..*context };
    zip::scan(stream, &context, findings)
}

/// A part of a file as a file.
struct Window {
    reader: Box<dyn Source>,
    start: u64,
    size: u64,
    at: u64,
}

impl Read for Window {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = out.len().min(left);
        let read = self.reader.read(&mut out[..length])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        self.reader.seek(SeekFrom::Start(self.start + at))?;
        self.at = at;
        Ok(at)
    }
}
