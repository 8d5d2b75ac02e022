//! What a process knows of the repository's releases, and the draft that takes what it stores.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use tagship_domain::Digest;
use tagship_ports::forge::ReleaseNote;

use crate::{
    assets::Asset,
    parts::is_piece,
    releases::{MANIFEST, Release},
};

/// How tags of drafts begin that take bytes before there is a version.
const INCOMING: &str = "tagship-incoming-";

/// Releases as last listed, with what this process added since.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    /// The newest first, as the host lists them.
    known: Vec<Release>,
    incoming: Option<u64>,
    /// Digests that the host does not tell and that were found by reading, by asset.
    read: HashMap<u64, Digest>,
    manifests: Vec<KnownManifest>,
    /// What the parts make that a list names, by the asset of the list, as far as they were read.
    joined: HashMap<u64, Digest>,
}

/// Why an asset is thought to have the wanted bytes, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Evidence {
    /// The host tells the digest, or the bytes have been read.
    Told,
    /// Its name holds the first digits, and the host tells nothing.
    Named,
    /// It is some manifest, and the host tells nothing.
    Possible,
}

/// An asset that has the wanted bytes, or may have them.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) asset: Asset,
    pub(crate) evidence: Evidence,
    /// The release that it hangs on.
    pub(crate) release: u64,
    /// Whether that is a draft that waits for its version.
    pub(crate) incoming: bool,
    /// Whether that is a draft of somebody else: bytes can be read there, and are not kept there.
    pub(crate) foreign: bool,
}

/// A manifest that this process stored, or found in a draft that it continues.
#[derive(Debug, Clone)]
struct KnownManifest {
    digest: Digest,
    model: String,
    version: String,
    artifact: String,
    /// Digests of the documents that it names, which were made for it alone.
    attachments: Vec<Digest>,
    /// Whether this process stored it.
    own: bool,
}

/// What every manifest says, of whatever version of the format.
#[derive(Debug, Deserialize)]
struct AnyManifest {
    schema: String,
    #[serde(default)]
    model: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    digest: String,
    #[serde(default)]
    attachments: BTreeMap<String, AnyFile>,
}

/// A file that a manifest names.
#[derive(Debug, Deserialize)]
struct AnyFile {
    sha256: Digest,
}

impl AnyManifest {
    fn attachments(self) -> Vec<Digest> {
        self.attachments.into_values().map(|file| file.sha256).collect()
    }
}

/// Tag of the draft that begins with these bytes: a run that died and is started again finds it.
pub(crate) fn incoming_tag(first: &Digest) -> String {
    format!("{INCOMING}{}", first.short())
}

impl Release {
    /// Whether it is a draft of ours that waits for its version.
    pub(crate) fn is_incoming(&self) -> bool {
        self.draft && self.tag_name.starts_with(INCOMING) && self.is_ours()
    }
}

impl Shelf {
    pub(crate) fn known(&self) -> &[Release] {
        &self.known
    }

    /// The draft that takes what this process stores.
    pub(crate) fn own(&self) -> Option<&Release> {
        self.known.iter().find(|release| Some(release.id) == self.incoming && release.is_incoming())
    }

    /// Lets a draft take what is stored from now on.
    pub(crate) fn adopt(&mut self, release: u64) {
        self.incoming = Some(release);
    }

    /// Opens a draft that was just made.
    pub(crate) fn open(&mut self, release: Release) {
        self.incoming = Some(release.id);
        self.known.insert(0, release);
    }

    /// The draft is a release now, or gone.
    pub(crate) fn close(&mut self, release: u64) {
        self.incoming = self.incoming.filter(|there| *there != release);
    }

    /// Takes over a list. It may lag behind, so that what this process put into its own draft stays known.
    pub(crate) fn learn(&mut self, mut listed: Vec<Release>) {
        if let Some(own) = self.own().cloned() {
            match listed.iter_mut().find(|release| release.id == own.id) {
                None => listed.insert(0, own),
                Some(there) => {
                    let lacks = |asset: &Asset| !there.assets.iter().any(|other| other.id == asset.id);
                    let newer: Vec<Asset> = own.assets.into_iter().filter(lacks).collect();
                    there.assets.extend(newer);
                }
            }
        }
        self.known = listed;
    }

    /// Forgets a release that is not what it was.
    pub(crate) fn forget(&mut self, release: u64) {
        self.close(release);
        self.known.retain(|there| there.id != release);
    }

    /// An asset hangs on a release now.
    pub(crate) fn add(&mut self, release: u64, asset: Asset) {
        if let Some(release) = self.known.iter_mut().find(|there| there.id == release) {
            release.assets.retain(|there| there.id != asset.id);
            release.assets.push(asset);
        }
    }

    /// An asset hangs nowhere any more.
    pub(crate) fn remove(&mut self, asset: u64) {
        for release in &mut self.known {
            release.assets.retain(|there| there.id != asset);
        }
    }

    /// An asset was read.
    pub(crate) fn was_read(&mut self, asset: u64, digest: Digest) {
        self.read.insert(asset, digest);
    }

    /// What a copy of this was read to hold, by assets, which never change.
    pub(crate) fn remember_read(&mut self, copy: Self) {
        self.read.extend(copy.read);
        self.joined.extend(copy.joined);
    }

    /// The parts that a list names were read.
    pub(crate) fn join(&mut self, list: u64, whole: Digest) {
        self.joined.insert(list, whole);
    }

    /// Whether the parts that a list names were read, and make these bytes.
    pub(crate) fn was_joined(&self, list: u64, whole: &Digest) -> bool {
        self.joined.get(&list) == Some(whole)
    }

    /// The digest of an asset, where it is known.
    pub(crate) fn digest(&self, asset: &Asset) -> Option<Digest> {
        let told = asset.digest.as_deref().and_then(|told| told.parse().ok());
        told.or_else(|| self.read.get(&asset.id).cloned())
    }

    /// What makes an asset the wanted one.
    pub(crate) fn evidence(&self, asset: &Asset, wanted: &Digest) -> Option<Evidence> {
        if asset.state != "uploaded" {
            return None;
        }
        match self.digest(asset) {
            Some(known) => (known == *wanted).then_some(Evidence::Told),
            None if is_piece(&asset.name) => None,
            None if asset.name.contains(wanted.short()) => Some(Evidence::Named),
            None => is_manifest(&asset.name).then_some(Evidence::Possible),
        }
    }

    /// Where the bytes may be: the surest first, releases before drafts that wait and drafts of others, the newest first.
    pub(crate) fn candidates(&self, wanted: &Digest) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        for release in &self.known {
            found.extend(release.assets.iter().filter_map(|asset| {
                let evidence = self.evidence(asset, wanted)?;
                let incoming = release.is_incoming();
                let foreign = release.draft && !release.is_ours();
                Some(Candidate { asset: asset.clone(), evidence, release: release.id, incoming, foreign })
            }));
        }
        found.sort_by_key(|candidate| (candidate.evidence, candidate.foreign, candidate.incoming));
        found
    }

    /// Remembers the bytes where they are a manifest, and answers whether they are one.
    pub(crate) fn note_manifest(&mut self, digest: &Digest, bytes: &[u8]) -> bool {
        self.remember(digest, bytes, true)
    }

    /// The same of a manifest that another run left in a draft.
    pub(crate) fn note_found(&mut self, digest: &Digest, bytes: &[u8]) {
        self.remember(digest, bytes, false);
    }

    fn remember(&mut self, digest: &Digest, bytes: &[u8], own: bool) -> bool {
        let read: Option<AnyManifest> = serde_json::from_slice(bytes).ok();
        let Some(read) = read.filter(|read| read.schema.starts_with("tagship/manifest/")) else {
            return false;
        };
        if !self.manifests.iter().any(|there| there.digest == *digest) {
            let (model, version, artifact) = (read.model.clone(), read.version.clone(), read.digest.clone());
            let (digest, attachments) = (digest.clone(), read.attachments());
            self.manifests.push(KnownManifest { digest, model, version, artifact, attachments, own });
        }
        true
    }

    /// Whether an asset is a manifest that lost the race for its version, or a document that only such a one names: the
    /// same bytes of the same model have the note's manifest instead. One of another run did so where it is about the very
    /// version of the note.
    pub(crate) fn is_superseded(&self, asset: &Asset, note: &ReleaseNote, manifest: &Digest) -> bool {
        let Some(digest) = self.digest(asset).filter(|digest| digest != manifest) else { return false };
        let release = &note.release;
        let version = release.version.to_string();
        let of_the_release = |known: &&KnownManifest| {
            known.model == release.model.to_string()
                && known.artifact == release.digest.to_string()
                && (known.own || known.version == version)
        };
        let mut known = self.manifests.iter().filter(of_the_release);
        let mut lost = known.clone().filter(|known| known.digest != *manifest);
        let is_kept = known.any(|known| known.digest == *manifest && known.attachments.contains(&digest));
        !is_kept && lost.any(|known| known.digest == digest || known.attachments.contains(&digest))
    }
}

/// Whether a name is one under which manifests hang on releases.
pub(crate) fn is_manifest(name: &str) -> bool {
    let (stem, extension) = MANIFEST.rsplit_once('.').unwrap_or((MANIFEST, ""));
    name.strip_suffix(extension).is_some_and(|name| name.starts_with(stem))
}
