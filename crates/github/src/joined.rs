//! Files that hang on releases in parts: whether they are there, and their bytes put together again.

use std::collections::HashSet;

use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use crate::{
    GitHub,
    assets::{Asset, NewAsset},
    download::Sink,
    error::{CallError, Reason},
    parts::{self, LARGEST_LIST, PartList},
    releases::Release,
    shelf::Shelf,
};

/// A file that is there in parts, perhaps: nobody has read them yet.
struct Joined {
    list: Asset,
    size: u64,
    parts: Vec<Asset>,
}

impl GitHub {
    /// Whether all of these files, of whose bytes the caller is sure, hang on one release. A waiting draft that holds them is
    /// filled further, unless another one is open.
    pub(crate) async fn are_stored(
        &self,
        shelf: &mut Shelf,
        pieces: &[NewAsset],
        about: &str,
    ) -> Result<bool, CallError> {
        let own = shelf.own().map(|own| own.id);
        let releases: Vec<Release> = shelf.known().to_vec();
        for release in releases {
            let incoming = release.is_incoming();
            let others = incoming && own.is_some_and(|own| own != release.id);
            let foreign = release.draft && !release.is_ours();
            if others || foreign || !self.all_hang_on(shelf, &release, pieces, about).await? {
                continue;
            }
            if incoming {
                shelf.adopt(release.id);
            }
            return Ok(true);
        }
        Ok(false)
    }

    async fn all_hang_on(
        &self,
        shelf: &mut Shelf,
        release: &Release,
        pieces: &[NewAsset],
        about: &str,
    ) -> Result<bool, CallError> {
        // The list comes last, so that it is cheap to see that something lacks.
        for piece in pieces.iter().rev() {
            let there = release.assets.iter().find(|there| there.name == piece.name);
            let Some(there) = there.filter(|there| there.is_whole(piece)) else { return Ok(false) };
            if !self.reads_as(shelf, there, &piece.digest, about).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether these bytes are there in parts. The list alone proves nothing: the parts are read, once.
    pub(crate) async fn has_joined(
        &self,
        shelf: &mut Shelf,
        whole: &Digest,
        about: &str,
    ) -> Result<bool, CallError> {
        for joined in self.joined(shelf.known(), whole, about).await?.0 {
            if shelf.was_joined(joined.list.id, whole) {
                return Ok(true);
            }
            let mut sink = Sink::nowhere();
            match self.read_joined(&joined, &mut sink, about).await {
                Ok(true) if sink.digest() == *whole => {
                    shelf.join(joined.list.id, whole.clone());
                    return Ok(true);
                }
                Err(error) if error.port.problem != Problem::Invalid => return Err(error),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Brings bytes that are there in parts into the sink; false where they are nowhere.
    pub(crate) async fn fetch_joined(
        &self,
        whole: &Digest,
        limit: Option<u64>,
        sink: &mut Sink,
        about: &str,
    ) -> Result<bool, PortError> {
        let known = self.shelf.lock().await.known().to_vec();
        let mut tried = HashSet::new();
        let (found, mut damaged) = self.joined(&known, whole, about).await?;
        for joined in found {
            if !tried.insert(joined.list.id) {
                continue;
            }
            if let Some(limit) = limit.filter(|limit| joined.size > *limit) {
                // Only what it says of itself: another list may say otherwise.
                damaged =
                    Some(format!("{} names {} bytes, more than {limit}", joined.list.name, joined.size));
                continue;
            }
            match self.read_joined(&joined, sink, about).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) if error.port.problem == Problem::Invalid => {
                    damaged = Some(error.port.message);
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let found = sink.digest();
            if found == *whole {
                self.shelf.lock().await.join(joined.list.id, found);
                return Ok(true);
            }
            damaged = Some(format!("the parts that {} names make {found}", joined.list.name));
        }
        match damaged {
            None => Ok(false),
            Some(message) => Err(PortError::new(Problem::Invalid, about, message).hint(
                "a part is damaged; delete the list and the parts from the release and release the same bytes again",
            )),
        }
    }

    /// Where all parts of a file are that a list names, with the sizes that it names; releases before drafts, the newest first.
    /// Beside them, what is wrong with a list that cannot be read: the others are looked at all the same.
    async fn joined(
        &self,
        known: &[Release],
        whole: &Digest,
        about: &str,
    ) -> Result<(Vec<Joined>, Option<String>), CallError> {
        let (mut found, mut damaged) = (Vec::new(), None);
        let mut releases: Vec<&Release> = known.iter().collect();
        releases.sort_by_key(|release| release.draft);
        for release in releases {
            let is_list = |asset: &&Asset| {
                parts::is_list_of(&asset.name, whole)
                    && asset.state == "uploaded"
                    && asset.size <= LARGEST_LIST
            };
            for list in release.assets.iter().filter(is_list) {
                let named = match self.read_list(list, whole, about).await {
                    Err(error) if error.port.problem == Problem::Invalid => {
                        damaged = Some(error.port.message);
                        continue;
                    }
                    named => named?,
                };
                let named = named.and_then(|named| Some((named.size, assets_of(&named, release)?)));
                found.extend(named.map(|(size, parts)| Joined { list: list.clone(), size, parts }));
            }
        }
        Ok((found, damaged))
    }

    async fn read_list(
        &self,
        list: &Asset,
        whole: &Digest,
        about: &str,
    ) -> Result<Option<PartList>, CallError> {
        let mut sink = Sink::memory();
        match self.read_asset(list, &mut sink, about).await {
            Ok(()) => Ok(parts::read(&sink.bytes(), whole)),
            Err(error) if error.reason == Reason::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads one part after the other; a part whose transfer breaks off is read again from its own beginning. False where
    /// one is gone.
    async fn read_joined(&self, joined: &Joined, sink: &mut Sink, about: &str) -> Result<bool, CallError> {
        sink.begin_anew();
        for part in &joined.parts {
            match self.read_asset(part, sink, about).await {
                Ok(()) => sink.keep(),
                Err(error) if error.reason == Reason::Missing => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// The files of a release that a list names, where they are whole as far as the host tells.
fn assets_of(list: &PartList, release: &Release) -> Option<Vec<Asset>> {
    let find = |part: &parts::Part| {
        release.assets.iter().find(|asset| {
            let told = asset.digest.as_ref().is_none_or(|told| *told == part.sha256.to_string());
            asset.name == part.name && asset.state == "uploaded" && asset.size == part.size && told
        })
    };
    list.parts.iter().map(|part| find(part).cloned()).collect()
}
