//! How a file lies in a repository: as one blob, or as several that follow each other. A manifest that holds them says which.

use std::ops::Range;

use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use super::{OciStore, manifests, tags};

/// A blob that is a file, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) digest: Digest,
    /// In bytes.
    pub(super) size: u64,
}

/// The blobs of a file, in order. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    parts: Vec<Part>,
}

impl Layout {
    /// A file that is one blob.
    pub(super) fn whole(digest: &Digest, size: u64) -> Self {
        Self { parts: vec![Part { digest: digest.clone(), size }] }
    }

    /// A file of several blobs; absent where there are none, or more bytes than can be counted.
    pub(super) fn of(parts: Vec<Part>) -> Option<Self> {
        parts.iter().try_fold(0, |sum: u64, part| sum.checked_add(part.size))?;
        (!parts.is_empty()).then_some(Self { parts })
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn is_whole(&self) -> bool {
        self.parts.len() == 1
    }

    /// Bytes of the file.
    pub(super) fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.size).sum()
    }

    /// The ranges of parts that make a range of the file, in order.
    pub(super) fn within(&self, range: &Range<u64>) -> Vec<(Part, Range<u64>)> {
        let (mut found, mut begins) = (vec![], 0);
        for part in &self.parts {
            let ends = begins + part.size;
            let (from, to) = (range.start.max(begins), range.end.min(ends));
            if from < to {
                found.push((part.clone(), from - begins..to - begins));
            }
            begins = ends;
        }
        found
    }
}

impl OciStore {
    /// How a file lies in the repository; absent where it does not. Whether its parts are there is not looked at.
    pub(super) async fn layout(&self, digest: &Digest) -> Result<Option<Layout>, PortError> {
        if let Some(size) = self.size(digest).await? {
            return Ok(Some(Layout::whole(digest, size)));
        }
        let held = self.tagged(&tags::of_blob(digest)).await?.and_then(|holder| manifests::held(&holder));
        Ok(held.filter(|held| held.digest == *digest && !held.layout.is_whole()).map(|held| held.layout))
    }

    /// The same for a file that has to be there.
    pub(super) async fn layout_or_missing(&self, digest: &Digest) -> Result<Layout, PortError> {
        self.layout(digest).await?.ok_or_else(|| {
            let message = format!("{} does not have it", self.place);
            PortError::new(Problem::NotFound, format!("read {digest} from the store"), message)
                .hint("check that the store is the one the release was made with")
        })
    }

    /// Whether all blobs of a file are there. Their bytes are not read.
    pub(super) async fn has_parts(&self, layout: &Layout) -> Result<bool, PortError> {
        for part in &layout.parts {
            if !self.has_part(&part.digest, part.size).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::digest_of;

    #[test]
    fn a_range_of_a_file_is_ranges_of_its_parts() {
        let part = |size: u64| Part { digest: digest_of(&size.to_be_bytes()), size };
        let layout = Layout::of(vec![part(4), part(0), part(5), part(1)]).unwrap();
        let within = |range: Range<u64>| {
            let found = layout.within(&range).into_iter();
            found.map(|(part, range)| (part.size, range)).collect::<Vec<_>>()
        };
        assert_eq!(layout.size(), 10);
        assert_eq!(within(0..10), [(4, 0..4), (5, 0..5), (1, 0..1)]);
        assert_eq!(within(1..4), [(4, 1..4)]);
        assert_eq!(within(3..6), [(4, 3..4), (5, 0..2)]);
        assert_eq!(within(9..20), [(1, 0..1)]);
        assert_eq!(within(4..4), []);
        assert_eq!((Layout::of(vec![]), Layout::of(vec![part(u64::MAX), part(1)])), (None, None));
    }
}
