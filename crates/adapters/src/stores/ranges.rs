//! Fetching one file in ranges: several at a time, put together in order, verified while they come.

use std::{collections::VecDeque, ops::Range, path::Path};

use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};
use tokio::task::JoinHandle;

use super::Moved;
use crate::{disk::blocking, partial::Partial};

/// How many ranges are fetched at a time.
const AT_A_TIME: usize = 4;

/// A file in a store.
pub(super) struct Wanted<'a> {
    /// Its digest.
    pub(super) digest: &'a Digest,
    /// Its size in bytes, as the store says.
    pub(super) size: u64,
    /// Where it goes.
    pub(super) to: &'a Path,
    /// How many bytes a range has. So many times [`AT_A_TIME`] are in memory.
    pub(super) range: u64,
    /// What the store is called, for messages.
    pub(super) place: &'a str,
}

/// What was said of how far a file is. A file that begins anew is not told twice.
pub(super) struct Told {
    moved: Moved,
    most: u64,
}

impl Told {
    pub(super) fn new(moved: &Moved) -> Self {
        Self { moved: moved.clone(), most: 0 }
    }

    /// So many bytes from the beginning are there.
    pub(super) fn at(&mut self, length: u64) {
        if length > self.most {
            (self.moved)(length - self.most);
            self.most = length;
        }
    }
}

/// Fetches a file whose ranges `fetch` answers. What an earlier run fetched of it is not fetched again.
///
/// # Errors
/// As `fetch`; [`Problem::Invalid`] where the bytes do not have the digest. Nothing is visible then; what is there so far is
/// kept for a later run unless it is wrong.
pub(super) async fn fetch<B, F>(
    wanted: &Wanted<'_>,
    told: &mut Told,
    fetch: impl Fn(Range<u64>) -> F,
) -> Result<(), PortError>
where
    B: AsRef<[u8]> + Send + 'static,
    F: Future<Output = Result<B, PortError>> + Send + 'static,
{
    let (to, digest) = (wanted.to.to_owned(), wanted.digest.clone());
    let mut partial = blocking(move || Partial::open(&to, &digest)).await?;
    let mut resumed = partial.length() > 0;
    if partial.length() > wanted.size {
        partial = blocking(move || partial.restart().map(|()| partial)).await?;
        resumed = false;
    }
    loop {
        told.at(partial.length());
        partial = append(partial, wanted, told, &fetch).await?;
        if partial.digest() == *wanted.digest {
            return blocking(move || partial.finish()).await;
        }
        if !resumed {
            let found = partial.digest();
            partial.discard();
            return Err(damaged(wanted.digest, &found, wanted.place));
        }
        // Perhaps only what was left here is wrong.
        resumed = false;
        partial = blocking(move || partial.restart().map(|()| partial)).await?;
    }
}

/// Bytes that a store has under a digest that is not theirs.
pub(super) fn damaged(wanted: &Digest, found: &Digest, place: &str) -> PortError {
    let message = format!("{place} holds {found} in its place");
    PortError::new(Problem::Invalid, format!("read {wanted} from the store"), message)
        .hint("the store is damaged there; restore it from a backup or release again")
}

async fn append<B, F>(
    mut partial: Partial,
    wanted: &Wanted<'_>,
    told: &mut Told,
    fetch: impl Fn(Range<u64>) -> F,
) -> Result<Partial, PortError>
where
    B: AsRef<[u8]> + Send + 'static,
    F: Future<Output = Result<B, PortError>> + Send + 'static,
{
    let about = format!("read {} from {}", wanted.digest, wanted.place);
    let mut ahead = Ahead::new(&about, partial.length()..wanted.size, wanted.range);
    while let Some(bytes) = ahead.next(&fetch).await? {
        partial = blocking(move || partial.write(bytes.as_ref()).map(|()| partial)).await?;
        told.at(partial.length());
    }
    Ok(partial)
}

/// The digest of what a store has, by ranges of so many bytes that `fetch` answers; hashed while the next ones come.
///
/// # Errors
/// As `fetch`.
pub(super) async fn hash<B, F>(
    about: &str,
    size: u64,
    range: u64,
    fetch: impl Fn(Range<u64>) -> F,
) -> Result<Digest, PortError>
where
    B: AsRef<[u8]> + Send + 'static,
    F: Future<Output = Result<B, PortError>> + Send + 'static,
{
    let (mut hasher, mut ahead) = (Sha256::new(), Ahead::new(about, 0..size, range));
    while let Some(bytes) = ahead.next(&fetch).await? {
        let hash = move || {
            hasher.update(bytes.as_ref());
            Ok(hasher)
        };
        hasher = blocking(hash).await?;
    }
    Ok(Digest::from_bytes(hasher.finalize().into()))
}

/// The ranges of a file, in order. While one is made use of, the next ones are on their way.
struct Ahead<'a, B> {
    about: &'a str,
    /// What was not asked for yet.
    left: Range<u64>,
    range: u64,
    coming: VecDeque<Coming<B>>,
}

impl<'a, B: AsRef<[u8]> + Send + 'static> Ahead<'a, B> {
    fn new(about: &'a str, left: Range<u64>, range: u64) -> Self {
        Self { about, left, range, coming: VecDeque::new() }
    }

    /// The next range; absent at the end.
    async fn next<F>(&mut self, fetch: impl Fn(Range<u64>) -> F) -> Result<Option<B>, PortError>
    where
        F: Future<Output = Result<B, PortError>> + Send + 'static,
    {
        while self.coming.len() < AT_A_TIME && !self.left.is_empty() {
            let asked = self.left.start..self.left.end.min(self.left.start + self.range);
            self.left.start = asked.end;
            let length = asked.end - asked.start;
            self.coming.push_back(Coming { length, task: tokio::spawn(fetch(asked)) });
        }
        let Some(mut next) = self.coming.pop_front() else { return Ok(None) };
        let outcome = (&mut next.task).await;
        let failed = |problem, message: String| PortError::new(problem, self.about, message);
        let bytes = outcome.map_err(|error| failed(Problem::Local, error.to_string()))??;
        let length = bytes.as_ref().len() as u64;
        if length != next.length {
            let message = format!("{} bytes were asked for, {length} came", next.length);
            return Err(failed(Problem::Unreachable, message));
        }
        Ok(Some(bytes))
    }
}

/// A range that is being fetched. Nothing goes on once nobody waits for it.
struct Coming<B> {
    length: u64,
    task: JoinHandle<Result<B, PortError>>,
}

impl<B> Drop for Coming<B> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
