//! Chunks that went through filters: unpacked in the forward pass, for what a reader would find out when it needs them.

use std::{
    io::{self, BufReader, Cursor, Read},
    rc::Rc,
};

use flate2::bufread::ZlibDecoder;

use super::{fields::Fault, filters::Filter, fletcher, lzf, shuffle, walk::MAX_OBJECTS};
use crate::{
    archive::{Limits, Metered},
    findings::Findings,
    pages::Forward,
    rules,
    stream::Stop,
};

/// Largest chunk for filters that are undone in memory.
const MAX_HELD: u64 = 16 << 20;

/// One chunk.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) at: u64,
    /// Bytes in the file.
    pub(super) size: u64,
    /// Bytes before it went through the filters.
    pub(super) whole: u64,
    /// A bit for each filter that it did not go through.
    pub(super) left_out: u32,
    pub(super) filters: Rc<[Filter]>,
}

/// The chunks of all datasets of a file.
#[derive(Debug, Default)]
pub(super) struct Packed(Vec<Chunk>);

impl Packed {
    pub(super) fn add(&mut self, chunk: Chunk) -> Result<(), Fault> {
        if self.0.len() >= MAX_OBJECTS {
            return Err(Fault::Limit { at: chunk.at, what: "more packed chunks than are followed" });
        }
        self.0.push(chunk);
        Ok(())
    }

    /// Unpacks each chunk as the file passes by.
    pub(super) fn unpack(
        mut self,
        forward: &mut Forward<'_, '_>,
        limits: &Limits,
        findings: &mut Findings,
    ) -> Result<(), Stop> {
        self.0.sort_by_key(|chunk| (chunk.at, chunk.size));
        self.0.dedup_by_key(|chunk| {
            (chunk.at, chunk.size, chunk.whole, chunk.left_out, Rc::as_ptr(&chunk.filters))
        });
        for chunk in self.0 {
            if chunk.at < forward.position() {
                findings.at(&rules::HDF5_EXTENT, chunk.at, "a packed chunk that lies over another one");
                continue;
            }
            forward.skip(chunk.at - forward.position())?;
            let mut stretch = forward.stretch(chunk.size);
            match chunk.unpacked(&mut stretch, limits) {
                Ok(()) => {}
                Err(Failure::Unread(what)) => findings.at(&rules::HDF5_LIMIT, chunk.at, what),
                Err(Failure::Damaged(_)) if limits.is_burst() => {
                    findings.at(&rules::HDF5_BOMB, chunk.at, "packed data that expands far beyond the file");
                    return Ok(());
                }
                Err(Failure::Damaged(why)) => {
                    findings.at(
                        &rules::HDF5_PACKED,
                        chunk.at,
                        format!("a packed chunk cannot be unpacked: {why}"),
                    );
                }
            }
            stretch.finish()?;
        }
        Ok(())
    }
}

/// Why a chunk was not unpacked.
enum Failure {
    Damaged(io::Error),
    Unread(&'static str),
}

impl Chunk {
    /// Undoes the filters, the last one first, and counts what comes out.
    fn unpacked(&self, packed: impl Read, limits: &Limits) -> Result<(), Failure> {
        let mut source: Box<dyn Read + '_> = Box::new(packed);
        for (number, filter) in self.filters.iter().enumerate().rev() {
            if number < 32 && self.left_out & 1 << number != 0 {
                continue;
            }
            source = match filter {
                Filter::Deflate => {
                    let decoder = Inflated(ZlibDecoder::new(BufReader::new(source)));
                    Box::new(Metered { decoder, limits })
                }
                Filter::Fletcher32 => Box::new(fletcher::Checked::new(source)),
                Filter::Lzf => Box::new(Metered { decoder: self.lzf(source)?, limits }),
                // What comes out are no longer the numbers themselves, which is for no other filter to undo.
                Filter::Scaled(_) if number > 0 => {
                    return Err(Failure::Unread("scaled numbers that went through other filters before"));
                }
                Filter::Scaled(scaled) => {
                    let decoder = scaled.unpacked(source).map_err(Failure::Damaged)?;
                    Box::new(Metered { decoder, limits })
                }
                // What scaled numbers begin with must be where it was.
                Filter::Shuffle { size } if self.is_scaled_before(number) => {
                    Box::new(Cursor::new(shuffle::undone(&self.held(source)?, *size)))
                }
                // The same bytes in another order.
                Filter::Shuffle { .. } => source,
                Filter::Unread => {
                    return Err(Failure::Unread("data packed by a filter that is not undone here"));
                }
                // Reported with the filter itself.
                Filter::Library => return Ok(()),
            };
        }
        let count = io::copy(&mut source.take(self.whole.saturating_add(1)), &mut io::sink());
        match count.map_err(Failure::Damaged)? {
            count if count == self.whole => Ok(()),
            count => {
                let why = format!("{count} bytes come out where its shape has {}", self.whole);
                Err(Failure::Damaged(io::Error::other(why)))
            }
        }
    }

    /// Whether the numbers were scaled before they went through the filter of this number.
    fn is_scaled_before(&self, number: usize) -> bool {
        self.filters[..number].iter().any(|filter| matches!(filter, Filter::Scaled(_)))
    }

    fn lzf(&self, source: impl Read) -> Result<Cursor<Vec<u8>>, Failure> {
        let packed = self.held(source)?;
        let whole = usize::try_from(self.whole).unwrap_or(usize::MAX);
        lzf::unpack(&packed, whole).map(Cursor::new).map_err(Failure::Damaged)
    }

    /// All of a chunk in memory.
    fn held(&self, source: impl Read) -> Result<Vec<u8>, Failure> {
        if self.size > MAX_HELD || self.whole > MAX_HELD {
            return Err(Failure::Unread("a chunk that is larger than is unpacked in memory"));
        }
        let mut held = Vec::new();
        source.take(MAX_HELD).read_to_end(&mut held).map_err(Failure::Damaged)?;
        Ok(held)
    }
}

/// Inflates, and refuses bytes behind the end of the compressed stream.
struct Inflated<R>(ZlibDecoder<BufReader<R>>);

impl<R: Read> Read for Inflated<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        if read == 0 && !out.is_empty() && self.0.get_mut().read(&mut [0])? > 0 {
            return Err(io::Error::other("bytes stand behind its compressed data"));
        }
        Ok(read)
    }
}
