//! Compressed streams around something else: gzip, bzip2, xz, lzma, zlib, zstd, lz4, and joblib's old header.
//!
//! Several compressed parts behind each other are one stream, as their readers take it; whatever else follows is a
//! finding. What comes out is judged under the name of the whole.

use std::io::{self, BufRead, Read};

use flate2::bufread::{GzDecoder, ZlibDecoder};
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::{LzmaReader, XzReader};

use super::{
    decoder::{MAX_WINDOW_KIB, Zstd},
    limits::{Limits, MAX_DEPTH, Metered, PART},
    member,
};
use crate::{
    analyse::{Context, Found},
    findings::Findings,
    format::Format,
    rules,
    stream::{Section, Stop, Stream},
};

/// Endings of names that say how something is compressed.
const ENDINGS: &[&str] = &[".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".z", ".zlib"];
/// Bytes of joblib's header before 0.10: `ZF`, then the length in hexadecimal, padded.
const JOBLIB_HEADER: usize = 21;

/// Whether a head is joblib's own header before zlib data.
pub(crate) fn is_old_joblib(head: &[u8]) -> bool {
    let digits = head.strip_prefix(b"ZF").and_then(|rest| rest.get(..JOBLIB_HEADER - 2));
    digits
        .is_some_and(|digits| digits.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'x' | b'L' | b' ')))
        && head.get(JOBLIB_HEADER) == Some(&0x78)
}

/// A way to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Gzip,
    Bzip2,
    Xz,
    Lzma,
    Zstd,
    Lz4,
    Zlib,
    /// zlib behind joblib's old header.
    Joblib,
}

impl Method {
    fn of(head: &[u8]) -> Option<Self> {
        const MAGIC: &[(&[u8], Method)] = &[
            (b"\x1f\x8b", Method::Gzip),
            (b"BZh", Method::Bzip2),
            (b"\xfd7zXZ\0", Method::Xz),
            (b"\x5d\0", Method::Lzma),
            (b"\x28\xb5\x2f\xfd", Method::Zstd),
            (b"\x04\x22\x4d\x18", Method::Lz4),
            (b"\x78", Method::Zlib),
        ];
        if is_old_joblib(head) {
            return Some(Self::Joblib);
        }
        MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, method)| *method)
    }

    /// Whether readers take several parts behind each other for one stream.
    fn repeats(self) -> bool {
        matches!(self, Self::Gzip | Self::Bzip2 | Self::Xz | Self::Zstd | Self::Lz4)
    }
}

/// Judges what a compressed stream holds.
pub(crate) fn scan(
    stream: &mut Stream<'_>,
    context: &Context<'_>,
    findings: &mut Findings,
) -> Result<Found, Stop> {
    let mut found = Found::new(Format::Compressed);
    if context.depth > MAX_DEPTH {
        findings.whole(&rules::DEPTH, format!("more than {MAX_DEPTH} containers inside each other"));
        return Ok(found);
    }
    let Some(method) = Method::of(stream.head()?) else {
        findings.whole(&rules::NOT_ANALYSED, "this way of compressing is not known");
        return Ok(found);
    };
    if method == Method::Joblib {
        stream.skip(JOBLIB_HEADER as u64)?;
    }
    let lower = context.path.to_ascii_lowercase();
    let ending = ENDINGS.iter().find(|ending| lower.ends_with(*ending)).map_or(0, |ending| ending.len());
    let inner = Context { path: &context.path[..context.path.len() - ending], ..context.unwrapped() };
    let section = Section::new(stream, u64::MAX);
    let mut metered =
        Metered { decoder: Parts::new(method, section, context.limits), limits: context.limits };
    let judged = member::judge(&mut metered, None, &inner, findings)?;
    if metered.decoder.trailing {
        findings.whole(&rules::ARCHIVE_TRAILING, "bytes follow the end of the compressed stream");
    }
    if let Some(inner) = judged.found {
        found = inner;
    }
    Ok(found)
}

/// A decoder of one part.
enum Decoder<R: BufRead> {
    Gzip(GzDecoder<R>),
    Zlib(ZlibDecoder<R>),
    Bzip2(bzip2::bufread::BzDecoder<R>),
    Xz(Box<XzReader<R>>),
    Lzma(Box<LzmaReader<R>>),
    Zstd(Zstd<R>),
    Lz4(FrameDecoder<R>),
}

impl<R: BufRead> Decoder<R> {
    fn new(method: Method, packed: R) -> io::Result<Self> {
        Ok(match method {
            Method::Gzip => Self::Gzip(GzDecoder::new(packed)),
            Method::Zlib | Method::Joblib => Self::Zlib(ZlibDecoder::new(packed)),
            Method::Bzip2 => Self::Bzip2(bzip2::bufread::BzDecoder::new(packed)),
            Method::Xz => Self::Xz(Box::new(XzReader::new_mem_limit(packed, true, MAX_WINDOW_KIB))),
            Method::Lzma => Self::Lzma(Box::new(LzmaReader::new_mem_limit(packed, MAX_WINDOW_KIB, None)?)),
            Method::Zstd => Self::Zstd(Zstd::new(packed)?),
            Method::Lz4 => Self::Lz4(FrameDecoder::new(packed)),
        })
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(out),
            Self::Zlib(decoder) => decoder.read(out),
            Self::Bzip2(decoder) => decoder.read(out),
            Self::Xz(decoder) => decoder.read(out),
            Self::Lzma(decoder) => decoder.read(out),
            Self::Zstd(decoder) => decoder.read(out),
            Self::Lz4(decoder) => decoder.read(out),
        }
    }

    /// What the decoder read from, and whether it has read ahead of the end of its part.
    fn into_inner(self) -> (R, bool) {
        match self {
            Self::Gzip(decoder) => (decoder.into_inner(), false),
            Self::Zlib(decoder) => (decoder.into_inner(), false),
            Self::Bzip2(decoder) => (decoder.into_inner(), false),
            Self::Xz(decoder) => (decoder.into_inner(), false),
            Self::Lzma(decoder) => {
                let (packed, ahead) = decoder.into_parts();
                (packed, !ahead.is_empty())
            }
            Self::Zstd(decoder) => (decoder.into_inner(), false),
            Self::Lz4(decoder) => (decoder.into_inner(), false),
        }
    }
}

/// All parts of a compressed stream, one after the other.
struct Parts<'l, R: BufRead> {
    limits: &'l Limits,
    method: Method,
    packed: Option<R>,
    decoder: Option<Decoder<R>>,
    /// Something else follows the last part.
    trailing: bool,
}

impl<'l, R: BufRead> Parts<'l, R> {
    fn new(method: Method, packed: R, limits: &'l Limits) -> Self {
        Self { limits, method, packed: Some(packed), decoder: None, trailing: false }
    }
}

impl<R: BufRead> Read for Parts<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(packed) = self.packed.take() {
                self.decoder = Some(Decoder::new(self.method, packed)?);
            }
            let Some(decoder) = &mut self.decoder else { return Ok(0) };
            let read = decoder.read(out)?;
            if read > 0 {
                return Ok(read);
            }
            let Some((mut packed, ahead)) = self.decoder.take().map(Decoder::into_inner) else {
                return Ok(0);
            };
            let next = packed.fill_buf()?;
            if next.is_empty() && !ahead {
                return Ok(0);
            }
            if ahead || !self.method.repeats() || Method::of(next) != Some(self.method) {
                self.trailing = true;
                return Ok(0);
            }
            self.limits.expand(PART)?;
            self.packed = Some(packed);
        }
    }
}
