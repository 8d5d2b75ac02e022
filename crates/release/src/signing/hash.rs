//! How the bytes of files become digests: one for a file, or one for each of its pieces.

use std::{fmt, io::Read};

use sha2::Digest as _;

use super::{error::SignatureError, keys::hex};

/// Bytes that are read at once.
const BUFFER: usize = 64 << 10;

/// A hash function of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Blake2b,
    Blake3,
}

/// What becomes one resource of the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// A file.
    Files,
    /// A piece of a file of at most so many bytes.
    Shards(u64),
}

impl Hash {
    pub(super) const ALL: [Self; 3] = [Self::Sha256, Self::Blake2b, Self::Blake3];

    /// Length of a digest in bytes.
    pub(super) const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 32,
            Self::Blake2b => 64,
        }
    }

    /// What the resources of a method call their algorithm.
    pub(super) fn algorithm(self, method: Method) -> String {
        match method {
            Method::Files => self.to_string(),
            Method::Shards(size) => format!("{self}-sharded-{size}"),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Blake2b => "blake2b",
            Self::Blake3 => "blake3",
        })
    }
}

/// Names and digests of the resources that a file is.
pub(super) fn resources(
    hash: Hash,
    method: Method,
    path: &str,
    file: &mut dyn Read,
) -> Result<Vec<(String, String)>, SignatureError> {
    let unreadable =
        |error: std::io::Error| SignatureError::Unreadable { path: path.to_owned(), why: error.to_string() };
    let size = match method {
        Method::Files => {
            let (digest, _) = digest(hash, file).map_err(unreadable)?;
            return Ok(vec![(path.to_owned(), digest)]);
        }
        Method::Shards(_) if path.contains(':') => {
            let why = format!("{path:?} has a colon in its name, which the names of pieces have no room for");
            return Err(SignatureError::Files { why });
        }
        Method::Shards(size) => size,
    };
    let mut pieces = vec![];
    let mut start = 0;
    loop {
        let (digest, length) = digest(hash, &mut Read::take(&mut *file, size)).map_err(unreadable)?;
        // An empty file, and nothing behind a full last piece, has no piece.
        if length == 0 {
            return Ok(pieces);
        }
        pieces.push((format!("{path}:{start}:{}", start + length), digest));
        start += length;
        if length < size {
            return Ok(pieces);
        }
    }
}

/// The digest of everything that can be read, in hex, and how much that was.
fn digest(hash: Hash, file: &mut dyn Read) -> std::io::Result<(String, u64)> {
    match hash {
        Hash::Sha256 => {
            let mut state = sha2::Sha256::new();
            let length = each(file, |bytes| state.update(bytes))?;
            Ok((hex(&state.finalize()), length))
        }
        Hash::Blake2b => {
            let mut state = blake2::Blake2b512::new();
            let length = each(file, |bytes| blake2::Digest::update(&mut state, bytes))?;
            Ok((hex(&blake2::Digest::finalize(state)), length))
        }
        Hash::Blake3 => {
            let mut state = blake3::Hasher::new();
            let length = each(file, |bytes| {
                state.update(bytes);
            })?;
            Ok((hex(state.finalize().as_bytes()), length))
        }
    }
}

fn each(file: &mut dyn Read, mut take: impl FnMut(&[u8])) -> std::io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(length),
            Ok(count) => {
                take(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
