//! Decoders over the bytes of an outer stream. Each takes exactly the bytes of one compressed stream where its format
//! tells the end, so that what follows can be seen.

use std::io::{self, BufRead, Read};

use flate2::bufread::DeflateDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Largest window of LZMA, in KiB: that of `xz -9`.
pub(super) const MAX_WINDOW_KIB: u32 = 80 << 10;
/// Largest window of zstd, in bytes: what its own tool accepts without being asked.
pub(super) const MAX_WINDOW: u64 = 128 << 20;

/// A decoder of one member of a zip archive by its method; `None` where it is not supported. `size` is the size that the
/// archive gives for what comes out.
pub(super) fn of_zip<'r>(
    method: u16,
    size: u64,
    packed: impl BufRead + 'r,
) -> Option<io::Result<Box<dyn Read + 'r>>> {
    Some(match method {
        8 => Ok(Box::new(DeflateDecoder::new(packed))),
        12 => Ok(Box::new(bzip2::bufread::BzDecoder::new(packed))),
        14 => lzma_of_zip(size, packed),
        93 => Zstd::new(packed).map(|decoder| Box::new(decoder) as Box<dyn Read>),
        _ => return None,
    })
}

/// LZMA in a zip archive: version, length of the properties (5), the properties, raw data.
fn lzma_of_zip<'r>(size: u64, mut packed: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut head = [0; 9];
    packed.read_exact(&mut head)?;
    let [_, _, 5, 0, properties, window @ ..] = head else {
        return Err(io::Error::other("the properties of LZMA have another length than five bytes"));
    };
    let window = u32::from_le_bytes(window);
    if window > MAX_WINDOW_KIB << 10 {
        return Err(io::Error::other("its window is larger than is held"));
    }
    Ok(Box::new(lzma_rust2::LzmaReader::new_with_props(packed, size, properties, window, None)?))
}

/// One frame of zstd, held against the checksum behind it where there is one.
pub(super) struct Zstd<R: Read>(Box<StreamingDecoder<R, FrameDecoder>>);

impl<R: Read> Zstd<R> {
    pub(super) fn new(packed: R) -> io::Result<Self> {
        let decoder = StreamingDecoder::new_with_max_window_size(packed, MAX_WINDOW);
        decoder.map(|decoder| Self(Box::new(decoder))).map_err(io::Error::other)
    }

    pub(super) fn into_inner(self) -> R {
        self.0.into_inner()
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        let frame = &self.0.decoder;
        let told = frame.get_checksum_from_data();
        if read == 0 && !out.is_empty() && told.is_some() && told != frame.get_calculated_checksum() {
            return Err(io::Error::other("it does not have its checksum"));
        }
        Ok(read)
    }
}
