//! JSON read event by event, in memory that does not grow with the file, by Python's rules (its `json` module
//! accepts `NaN` and `Infinity`, and so do the files that it writes).

mod path;
mod reader;
#[cfg(test)]
mod tests;

pub(crate) use path::{Path, walk};
pub(crate) use reader::{JsonError, Reader};

/// One step through a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    /// The key of the value that comes next.
    Key(String),
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
}

/// Something that yields the events of a document.
pub(crate) trait Source {
    /// The next event, `None` behind the last.
    fn next(&mut self) -> Result<Option<Event>, JsonError>;

    /// Bytes read so far.
    fn position(&self) -> u64;
}

/// Something that wants the events of a document, each with the place of its value.
pub(crate) trait Visitor {
    /// Containers come at their start and their end, keys not at all: they are in the path.
    fn event(&mut self, path: &Path, event: &Event, at: u64);
    /// An object has this key more than once; which of the values counts depends on the reader.
    fn repeated(&mut self, path: &Path, key: &str, at: u64);
}
