//! Reading bytes of releases, from whichever file has them.

use tagship_domain::Digest;
use tagship_ports::{PortError, Problem};

use crate::{
    GitHub,
    assets::Asset,
    call::Call,
    download::Sink,
    error::{CallError, Reason},
    shelf::{Evidence, Shelf},
};

impl GitHub {
    /// Whether an asset whose digest is not told has these bytes: reads it, once.
    pub(crate) async fn reads_as(
        &self,
        shelf: &mut Shelf,
        asset: &Asset,
        wanted: &Digest,
        about: &str,
    ) -> Result<bool, CallError> {
        if let Some(known) = shelf.digest(asset) {
            return Ok(known == *wanted);
        }
        let mut sink = Sink::nowhere();
        match self.read_asset(asset, &mut sink, about).await {
            Ok(()) => {
                shelf.was_read(asset.id, sink.digest());
                Ok(sink.digest() == *wanted)
            }
            Err(error) if error.reason == Reason::Missing => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Brings bytes into the sink, from wherever they are whole.
    pub(crate) async fn fetch(
        &self,
        digest: &Digest,
        limit: Option<u64>,
        sink: &mut Sink,
        about: &str,
    ) -> Result<(), PortError> {
        let (mut tried, mut damaged, mut wrong) = (Vec::new(), None, None);
        // What is known may be old; the second time it is not.
        for again in [false, true] {
            let candidates = {
                let mut shelf = self.shelf.lock().await;
                if again || shelf.candidates(digest).is_empty() {
                    self.look(&mut shelf, "contents: read", about).await?;
                }
                shelf.candidates(digest)
            };
            for candidate in candidates {
                let asset = &candidate.asset;
                if tried.contains(&asset.id) {
                    continue;
                }
                tried.push(asset.id);
                let guess = candidate.evidence == Evidence::Possible;
                if let Some(limit) = limit.filter(|limit| asset.size > *limit) {
                    if guess {
                        continue;
                    }
                    let message = format!("{} has {} bytes, more than {limit}", asset.name, asset.size);
                    return Err(PortError::new(Problem::Invalid, about, message));
                }
                match self.read_asset(asset, sink, about).await {
                    Ok(()) => {}
                    Err(error) if error.reason == Reason::Missing => continue,
                    Err(error) => return Err(error.into()),
                }
                let found = sink.digest();
                if found == *digest {
                    self.shelf.lock().await.was_read(asset.id, found);
                    return Ok(());
                }
                if !guess {
                    damaged = Some(format!("{} holds {found}", asset.name));
                }
            }
            match self.fetch_joined(digest, limit, sink, about).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // A copy of it that is no good; another one may be known only once the list is read anew.
                Err(error) if error.problem == Problem::Invalid => wrong = Some(error),
                Err(error) => return Err(error),
            }
        }
        if let Some(wrong) = wrong.filter(|_| damaged.is_none()) {
            return Err(wrong);
        }
        Err(match damaged {
            Some(message) => PortError::new(Problem::Invalid, about, message)
                .hint("it is damaged; delete that file of the release and release the same bytes again"),
            None => PortError::new(Problem::NotFound, about, "no release has it").hint(
                "check that the release was made with the store `github` in this repository; drafts are seen with \
                 `permissions: contents: write` only",
            ),
        })
    }

    pub(crate) async fn read_asset(
        &self,
        asset: &Asset,
        sink: &mut Sink,
        about: &str,
    ) -> Result<(), CallError> {
        let path = self.client.repo(&["releases", "assets", &asset.id.to_string()]);
        self.client.download(&Call::get(about, path), asset.size, sink).await
    }
}
