//! Drafts that runs began to fill and gave up, for taking them away. What was published is none of them.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use tagship_domain::{Digest, Timestamp};
use tagship_ports::{
    Inventory, PortError, Problem,
    inventory::{Begun, Stored},
};

use crate::{
    GitHub,
    assets::Asset,
    releases::{NEEDS, Release},
};

#[async_trait]
impl Inventory for GitHub {
    /// Files go with their releases.
    async fn list(&self) -> Result<Vec<Stored>, PortError> {
        Ok(vec![])
    }

    async fn remove(&self, digest: &Digest) -> Result<(), PortError> {
        let message = "files go with their releases; delete the release there";
        Err(PortError::new(Problem::Unsupported, format!("remove {digest} from the releases"), message))
    }

    /// Drafts of ours that wait for their version, by the digest they began with. One of which the host does not tell all that it
    /// holds is not among them.
    async fn unfinished(&self) -> Result<Vec<Begun>, PortError> {
        let mut found: BTreeMap<Digest, Begun> = BTreeMap::new();
        for draft in self.list_releases(NEEDS, "look for drafts that were given up").await? {
            let Some(begun) = begun(&draft) else { continue };
            found
                .entry(begun.stored.digest.clone())
                .and_modify(|there| {
                    // Two runs began with the same bytes at the same time.
                    there.stored.size += begun.stored.size;
                    there.stored.written = there.stored.written.max(begun.stored.written);
                    there.holds.extend(begun.holds.iter().cloned());
                })
                .or_insert(begun);
        }
        Ok(found.into_values().collect())
    }

    async fn give_up(&self, digest: &Digest) -> Result<bool, PortError> {
        let about = format!("remove the draft that began with {digest}");
        let mut gone = false;
        // Listed anew: what is a release by now stays.
        for draft in self.list_releases(NEEDS, &about).await? {
            if begun(&draft).is_some_and(|begun| begun.stored.digest == *digest) {
                self.remove_draft(draft.id, &about).await?;
                gone = true;
            }
        }
        Ok(gone)
    }
}

/// A draft as an upload that has not ended; nothing for what is none, and for one of which too little is known.
fn begun(release: &Release) -> Option<Begun> {
    let first = release.is_incoming().then(|| release.holds()).flatten()?;
    let mut holds = BTreeSet::from([first.clone()]);
    for asset in &release.assets {
        holds.insert(asset.digest.as_deref()?.parse().ok()?);
        // Parts hold the digits of the whole file.
        holds.extend(digits(asset));
    }
    // The own time of a draft may be that of the commit it stands at: those of its files count, too.
    let times = release.assets.iter().map(|asset| asset.created_at).chain([release.created_at]);
    let written = times.collect::<Option<Vec<Timestamp>>>()?.into_iter().max()?;
    let size = release.assets.iter().map(|asset| asset.size).sum();
    Some(Begun { stored: Stored { digest: first, size, written }, holds })
}

/// Every whole digest that a name holds.
fn digits(asset: &Asset) -> impl Iterator<Item = Digest> {
    let words = asset.name.split(|c: char| !c.is_ascii_hexdigit());
    words.filter_map(|word| format!("sha256:{word}").parse().ok())
}
