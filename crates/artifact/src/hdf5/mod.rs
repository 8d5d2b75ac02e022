//! HDF5 files (The HDF Group, "HDF5 File Format Specification", version 3.0), as Keras writes them.
//!
//! The structure is followed from the superblock to every object that can be reached: headers, groups, attributes, and
//! the places of the data. That needs reading from any place; what was read that way is remembered and compared in the
//! forward pass, so that the digest is of the bytes that were judged. Chunks that went through filters are unpacked in
//! that pass, for their checksums and sizes; what came out is thrown away.
//!
//! Shared messages, files in several parts and data packed by szip are not followed; a file that has them is left incomplete.

mod arrays;
mod attribute;
mod btree;
mod checksum;
mod chunks;
mod collection;
mod dataset;
mod dense;
mod fields;
mod fill;
mod filters;
mod fletcher;
mod free_space;
mod group;
mod header;
mod heap;
mod image;
mod layout;
mod local_heap;
mod lzf;
mod packed;
mod pickled;
mod records;
mod scaled;
mod shape;
mod shuffle;
mod superblock;
#[cfg(test)]
pub(crate) mod tests;
mod types;
mod walk;

use std::io::{self, Read, Seek, SeekFrom};

use fields::Fault;
use image::Image;
use packed::Packed;

use crate::{
    analyse::Context,
    findings::Findings,
    pages::Pages,
    pickle::Trust,
    rules,
    stream::{Stop, Stream},
};

/// Where the signature may stand behind a user block, as far as a head shows it.
const PLACES: [usize; 8] = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536];
/// The first of the places, each twice as far as the one before, to the end of the file.
const FIRST: u64 = 512;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Whether a head shows the signature behind a user block.
pub(crate) fn has_user_block(head: &[u8]) -> bool {
    PLACES.iter().any(|at| head.get(*at..).is_some_and(|rest| rest.starts_with(SIGNATURE)))
}

/// Whether a reader of HDF5, which looks at every place, would find its signature behind the start of a file.
pub(crate) fn lies_behind(file: &mut (impl Read + Seek), size: u64) -> io::Result<bool> {
    let mut place = FIRST;
    while place.saturating_add(SIGNATURE.len() as u64) <= size {
        let mut found = [0; SIGNATURE.len()];
        file.seek(SeekFrom::Start(place))?;
        file.read_exact(&mut found)?;
        if found == *SIGNATURE {
            return Ok(true);
        }
        place = place.saturating_mul(2);
    }
    Ok(false)
}

/// Judges a file, or a member of a container.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<(), Stop> {
    let head = stream.head()?;
    let start = if head.starts_with(SIGNATURE) {
        Some(0)
    } else {
        PLACES.into_iter().find(|at| head.get(*at..).is_some_and(|rest| rest.starts_with(SIGNATURE)))
    };
    let start = start.unwrap_or(0) as u64;
    let Some(pages) = Pages::open(stream, context)? else {
        findings
            .whole(&rules::HDF5_LIMIT, "HDF5 too large to be held inside a container; validate it by itself");
        return Err(Stop::Reported);
    };
    let mut image = Image::new(pages);
    let packed = judge(&mut image, start, context.trust, findings)?;
    image.pages.pass(stream, findings, |forward, findings| packed.unpack(forward, context.limits, findings))
}

/// Follows the structure; the chunks that it leads to.
fn judge(image: &mut Image, start: u64, trust: Trust<'_>, findings: &mut Findings) -> Result<Packed, Stop> {
    let judged =
        superblock::read(image, start, findings).and_then(|root| walk::all(image, root, trust, findings));
    match judged {
        Ok(packed) => return Ok(packed),
        Err(Fault::Io(error)) => return Err(Stop::Io(error)),
        Err(Fault::Outside { at, length }) => {
            let message = format!("the {length} bytes that should be here reach beyond the file");
            findings.at(&rules::HDF5_TRUNCATED, at, message);
        }
        Err(Fault::Bad { at, what }) => findings.at(&rules::HDF5_STRUCTURE, at, what),
        Err(Fault::Limit { at, what }) => findings.at(&rules::HDF5_LIMIT, at, what),
    }
    Ok(Packed::default())
}
