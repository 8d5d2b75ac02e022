//! The bytes of a table: read anywhere, by several threads at once.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek as _, SeekFrom},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tagship_ports::{PortError, Problem};

use super::At;

/// Where bytes can be read from.
pub(super) trait Bytes: Send + Sync {
    /// Fills as much of the buffer as there is from this place on; zero bytes are the end.
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// How many bytes a reader asks for at a time.
    fn block(&self) -> usize;
}

/// The bytes of one file.
#[derive(Clone)]
pub(super) struct Source {
    bytes: Arc<dyn Bytes>,
    length: u64,
}

/// From a place of a source to its end.
pub(super) struct From {
    source: Source,
    place: u64,
}

impl Source {
    pub(super) fn new(bytes: Arc<dyn Bytes>, length: u64) -> Self {
        Self { bytes, length }
    }

    pub(super) fn open(path: &Path, at: &At) -> Result<Self, PortError> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => at.wrong(Problem::NotFound, "there is no such file"),
            _ => at.wrong(Problem::Local, error.to_string()),
        })?;
        let metadata = file.metadata().map_err(|error| at.wrong(Problem::Local, error.to_string()))?;
        Ok(Self::new(Arc::new(Local(Mutex::new(file))), metadata.len()))
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// A reader from this place on.
    pub(super) fn from(&self, place: u64) -> BufReader<From> {
        BufReader::with_capacity(self.bytes.block(), From { source: self.clone(), place })
    }

    /// Exactly so many bytes from a place on.
    pub(super) fn exactly(&self, place: u64, length: usize) -> io::Result<Vec<u8>> {
        let is_inside = place.checked_add(length as u64).is_some_and(|end| end <= self.length);
        if !is_inside {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut buffer = vec![0; length];
        From { source: self.clone(), place }.read_exact(&mut buffer)?;
        Ok(buffer)
    }
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.bytes.read_at(self.place, buffer)?;
        self.place += read as u64;
        Ok(read)
    }
}

/// A file of this machine. Its place is shared by all who read it, so that each says it anew.
struct Local(Mutex<File>);

impl Bytes for Local {
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place))?;
        file.read(buffer)
    }

    fn block(&self) -> usize {
        64 << 10
    }
}
