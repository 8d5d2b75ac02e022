//! Fetching one file in ranges: several at a time, put together in order, verified while they come.

use std::{collections::VecDeque, ops::Range, path::Path};

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
    let mut asked = partial.length();
    let mut coming: VecDeque<Coming<B>> = VecDeque::new();
    loop {
        while coming.len() < AT_A_TIME && asked < wanted.size {
            let end = wanted.size.min(asked + wanted.range);
            coming.push_back(Coming { length: end - asked, task: tokio::spawn(fetch(asked..end)) });
            asked = end;
        }
        let Some(mut next) = coming.pop_front() else { return Ok(partial) };
        let outcome = (&mut next.task).await;
        let bytes = outcome.map_err(|error| PortError::new(Problem::Local, "fetch", error.to_string()))??;
        let length = bytes.as_ref().len() as u64;
        if length != next.length {
            let message = format!("{} bytes were asked for, {length} came", next.length);
            return Err(PortError::new(
                Problem::Unreachable,
                format!("read {} from {}", wanted.digest, wanted.place),
                message,
            ));
        }
        partial = blocking(move || partial.write(bytes.as_ref()).map(|()| partial)).await?;
        told.at(partial.length());
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
