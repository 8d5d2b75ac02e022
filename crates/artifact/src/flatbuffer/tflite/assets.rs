//! Texts that lie in a zip archive behind a model: labels and vocabularies, which the metadata writer of TensorFlow Lite
//! appends (`tflite-support`, `metadata.py`).
//!
//! A zip reader opens such a file on purpose. It is one where nothing but texts is in the archive, and where every byte of it
//! is explained as that of any other archive; with anything else in it the file is two things at once.

use std::io::{self, Read as _};

use crate::{
    analyse::Context,
    archive::zip,
    findings::Findings,
    format::Format,
    pages::Forward,
    sidecar,
    stream::{Stop, Stream},
};

/// Where such an archive begins.
pub(crate) fn begin(context: &Context<'_>) -> Option<u64> {
    let directory = context.directory.filter(|_| context.depth == 0)?;
    let mut names = directory.names().peekable();
    (names.peek().is_some() && names.all(sidecar::is_inert_text)).then(|| directory.begin())
}

/// Judges the archive that begins here in a file of `size` bytes, in the pass over the file.
pub(super) fn judge(
    begin: u64,
    size: u64,
    context: &Context<'_>,
    forward: &mut Forward<'_, '_>,
    findings: &mut Findings,
) -> Result<(), Stop> {
    forward.skip(begin.saturating_sub(forward.position()))?;
    // The archive counts its places from the beginning of the file.
    let archive = io::repeat(0).take(begin).chain(forward.stretch(size.saturating_sub(begin)));
    let mut stream = Stream::nested(Box::new(archive), Some(size));
    stream.skip(begin)?;
    let context =
        Context { container: Some(Format::Tflite), depth: context.depth + 1, place: None, ..*context };
    zip::scan(&mut stream, &context, findings).map(|_| ())
}
