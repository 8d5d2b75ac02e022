//! Releases as pages of the repository: found by listing, because the lookup by tag hides drafts; made as a draft,
//! filled, checked, and published last. A tag is never made, moved or deleted here.
//!
//! What is ours says so in the first, hidden line of its text. Only such drafts are filled, published or removed, and
//! only such a text is written anew: people draft and edit releases as well.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tagship_domain::{Digest, Timestamp};
use tagship_ports::{PortError, Problem, forge::ReleaseNote};

use crate::{
    GitHub,
    assets::{Asset, NewAsset},
    call::Call,
    download::Sink,
    error::{CallError, Reason},
    marker::{mark, unmark},
    names::asset_name,
    shelf::{Evidence, Shelf, is_manifest},
};

/// Longest text of a release, in bytes; the host counts 125,000 characters.
const LONGEST: usize = 120_000;
/// Name of the manifest among the assets.
pub(crate) const MANIFEST: &str = "tagship.manifest.json";
pub(crate) const NEEDS: &str = "contents: write";
/// Kind of the hidden line.
const KIND: &str = "release";
/// Largest manifest of another run that is read, in bytes.
const LARGEST_MANIFEST: u64 = 16 << 20;
/// How often a release is looked for again because other runs showed it at the same time.
const RACES: usize = 3;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: u64,
    pub(crate) tag_name: String,
    #[serde(default)]
    body: Option<String>,
    pub(crate) draft: bool,
    #[serde(default)]
    pub(crate) immutable: bool,
    #[serde(default)]
    pub(crate) assets: Vec<Asset>,
    #[serde(default)]
    pub(crate) created_at: Option<Timestamp>,
}

/// What the hidden line says.
#[derive(Debug, Serialize, Deserialize)]
struct Ours {
    /// Digest of the manifest, or of the bytes that a draft without a version began with.
    holds: Digest,
}

/// A text that is known as ours.
pub(crate) fn ours(holds: &Digest, text: &str) -> String {
    mark(KIND, &Ours { holds: holds.clone() }, text)
}

impl Release {
    /// What its text says that it holds, or began with; nothing where it is not ours.
    pub(crate) fn holds(&self) -> Option<Digest> {
        unmark::<Ours>(KIND, self.body.as_deref()?).map(|(ours, _)| ours.holds)
    }

    /// Whether its text says that it is ours.
    pub(crate) fn is_ours(&self) -> bool {
        self.holds().is_some()
    }

    /// Whether its text may be written: it is ours, or nobody's.
    fn takes_text(&self) -> bool {
        self.is_ours() || self.body.as_deref().is_none_or(|body| body.trim().is_empty())
    }
}

impl GitHub {
    pub(crate) async fn show_release(&self, note: &ReleaseNote) -> Result<(), PortError> {
        let about = format!("show release {}", note.tag);
        if note.body.len() > LONGEST {
            let message = format!("its text has {} bytes, at most {LONGEST}", note.body.len());
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        let manifest = NewAsset::of_bytes(MANIFEST, "application/octet-stream", note.manifest.as_bytes());
        let mut shelf = self.shelf.lock().await;
        for _ in 0..RACES {
            match self.show(&mut shelf, note, &manifest, &about).await {
                // Another run made the release of this tag, or removed this draft as a double: what is there now counts.
                Err(error) if error.problem == Problem::Conflict => {}
                Err(error) if error.problem == Problem::NotFound => {
                    if let Some(own) = shelf.own().map(|own| own.id) {
                        shelf.forget(own);
                    }
                }
                shown => return shown,
            }
        }
        self.show(&mut shelf, note, &manifest, &about).await
    }

    async fn show(
        &self,
        shelf: &mut Shelf,
        note: &ReleaseNote,
        manifest: &NewAsset,
        about: &str,
    ) -> Result<(), PortError> {
        self.look(shelf, NEEDS, about).await?;
        let release = match self.release_of(shelf.known(), &note.tag, about).await? {
            Some(release) => release,
            None => match self.incoming_of(shelf, manifest, about).await? {
                Some(incoming) => self.put_in_order(shelf, incoming, note, manifest, about).await?,
                None => self.draft(note, manifest, about).await?,
            },
        };
        self.attach(&release, manifest, about).await?;
        if release.draft {
            self.publish(&release, note, manifest, about).await?;
        } else if release.takes_text() && !same_text(release.body.as_deref(), &text(note, manifest)) {
            let path = self.client.repo(&["releases", &release.id.to_string()]);
            let call = Call::update(about, path, json!({ "body": text(note, manifest) })).needs(NEEDS);
            self.client.send(&call).await?;
        }
        shelf.close(release.id);
        self.remove_leftovers(shelf, note, manifest, about).await
    }

    pub(crate) async fn list_releases(
        &self,
        needs: &'static str,
        about: &str,
    ) -> Result<Vec<Release>, CallError> {
        self.client.list(Call::get(about, self.client.repo(&["releases"])).needs(needs), None).await
    }

    /// The release of a tag, as [`GitHub::release_of`] has it.
    pub(crate) async fn find_release(&self, tag: &str, about: &str) -> Result<Option<Release>, CallError> {
        let releases = self.list_releases(NEEDS, about).await?;
        self.release_of(&releases, tag, about).await
    }

    /// The draft that becomes the release: the one that this process filled, or the one of an earlier run, which is
    /// known by its manifest.
    async fn incoming_of(
        &self,
        shelf: &mut Shelf,
        manifest: &NewAsset,
        about: &str,
    ) -> Result<Option<Release>, CallError> {
        if let Some(own) = shelf.own() {
            return Ok(Some(own.clone()));
        }
        for candidate in shelf.candidates(&manifest.digest).into_iter().filter(|candidate| candidate.incoming)
        {
            let told = candidate.evidence == Evidence::Told;
            if told || self.reads_as(shelf, &candidate.asset, &manifest.digest, about).await? {
                let of_id = shelf.known().iter().find(|release| release.id == candidate.release);
                return Ok(of_id.cloned());
            }
        }
        Ok(None)
    }

    /// Brings the manifest of a waiting draft under its name, and takes away those that lost a race for a version.
    async fn put_in_order(
        &self,
        shelf: &mut Shelf,
        mut release: Release,
        note: &ReleaseNote,
        manifest: &NewAsset,
        about: &str,
    ) -> Result<Release, CallError> {
        // What this manifest names is kept, even where another run made it: runs may share a signature.
        shelf.note_manifest(&manifest.digest, note.manifest.as_bytes());
        self.read_manifests(shelf, &release, manifest, about).await?;
        let lost = |asset: &Asset| shelf.is_superseded(asset, note, &manifest.digest);
        let lost: Vec<u64> =
            release.assets.iter().filter(|asset| lost(asset)).map(|asset| asset.id).collect();
        for id in lost {
            self.remove_asset(id, about).await?;
            shelf.remove(id);
            release.assets.retain(|asset| asset.id != id);
        }
        let mut held = None;
        for asset in release.assets.clone() {
            if shelf.evidence(&asset, &manifest.digest).is_some()
                && self.reads_as(shelf, &asset, &manifest.digest, about).await?
            {
                held = Some(asset);
                break;
            }
        }
        if held.as_ref().is_some_and(|held| held.name == MANIFEST) {
            return Ok(release);
        }
        let named = |asset: &&mut Asset| asset.name == MANIFEST && asset.state == "uploaded";
        if let Some(other) = release.assets.iter_mut().find(named) {
            // Perhaps of a release that another run has not shown yet: it is kept, under another name.
            let aside = match shelf.digest(other) {
                Some(digest) => asset_name(MANIFEST, &digest),
                None => MANIFEST.replace(".json", &format!("-{}.json", other.id)),
            };
            self.rename_asset(other.id, &aside, about).await?;
            other.name = aside;
        }
        if let Some(held) = held {
            self.rename_asset(held.id, MANIFEST, about).await?;
            for asset in release.assets.iter_mut().filter(|asset| asset.id == held.id) {
                MANIFEST.clone_into(&mut asset.name);
            }
        }
        Ok(release)
    }

    /// Reads what other runs, perhaps dead ones, left as their manifests in a draft.
    async fn read_manifests(
        &self,
        shelf: &mut Shelf,
        release: &Release,
        own: &NewAsset,
        about: &str,
    ) -> Result<(), CallError> {
        let is_other = |asset: &&Asset| {
            is_manifest(&asset.name)
                && asset.state == "uploaded"
                && asset.size <= LARGEST_MANIFEST
                && shelf.digest(asset).is_none_or(|digest| digest != own.digest)
        };
        let others: Vec<Asset> = release.assets.iter().filter(is_other).cloned().collect();
        for asset in others {
            let mut sink = Sink::memory();
            match self.read_asset(&asset, &mut sink, about).await {
                Ok(()) => {
                    let digest = sink.digest();
                    shelf.note_found(&digest, &sink.bytes());
                    shelf.was_read(asset.id, digest);
                }
                Err(error) if error.reason == Reason::Missing => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes the draft of this process where another run was faster and published all that it holds.
    async fn remove_leftovers(
        &self,
        shelf: &mut Shelf,
        note: &ReleaseNote,
        manifest: &NewAsset,
        about: &str,
    ) -> Result<(), PortError> {
        let Some(id) = shelf.own().map(|own| own.id) else { return Ok(()) };
        let Some(own) = self.without_lost(shelf, id, note, manifest, about).await? else { return Ok(()) };
        let is_published = |asset: &Asset| {
            let digest = shelf.digest(asset);
            digest.is_some_and(|digest| {
                shelf
                    .candidates(&digest)
                    .iter()
                    .any(|there| !there.incoming && !there.foreign && there.evidence == Evidence::Told)
            })
        };
        let needed =
            |asset: &Asset| !is_published(asset) && !shelf.is_superseded(asset, note, &manifest.digest);
        if own.assets.iter().any(needed) {
            shelf.adopt(own.id);
        } else {
            self.remove_draft(own.id, about).await?;
            shelf.forget(own.id);
        }
        Ok(())
    }

    /// The draft of this process as it is once the manifests are gone with which this process lost a race. Several runs
    /// fill the draft of the same bytes: each takes its own away, so that the last one finds nothing that is needed.
    async fn without_lost(
        &self,
        shelf: &mut Shelf,
        id: u64,
        note: &ReleaseNote,
        manifest: &NewAsset,
        about: &str,
    ) -> Result<Option<Release>, PortError> {
        let own = shelf.known().iter().find(|release| release.id == id).cloned();
        let assets = own.into_iter().flat_map(|own| own.assets);
        let lost: Vec<u64> = assets
            .filter(|asset| shelf.is_superseded(asset, note, &manifest.digest))
            .map(|asset| asset.id)
            .collect();
        for asset in lost {
            self.remove_asset(asset, about).await?;
        }
        // What this process remembers of the draft may be gone by now: the list alone counts.
        shelf.forget(id);
        self.look(shelf, NEEDS, about).await?;
        Ok(shelf.known().iter().find(|release| release.id == id && release.is_incoming()).cloned())
    }

    /// The release of a tag, published or a draft of ours. Of several the published one counts, else the first; empty drafts
    /// of ours beside it are what runs left that raced, and are removed.
    async fn release_of(
        &self,
        releases: &[Release],
        tag: &str,
        about: &str,
    ) -> Result<Option<Release>, CallError> {
        let counts = |release: &&Release| release.tag_name == tag && (!release.draft || release.is_ours());
        let mut of_tag: Vec<Release> = releases.iter().filter(counts).cloned().collect();
        of_tag.sort_by_key(|release| (release.draft, release.id));
        let mut of_tag = of_tag.into_iter();
        let Some(kept) = of_tag.next() else { return Ok(None) };
        for double in of_tag.filter(|double| double.draft && double.assets.is_empty()) {
            self.remove_draft(double.id, about).await?;
        }
        Ok(Some(kept))
    }

    async fn draft(
        &self,
        note: &ReleaseNote,
        manifest: &NewAsset,
        about: &str,
    ) -> Result<Release, PortError> {
        let mut body = fields(note, manifest);
        body["draft"] = true.into();
        body["generate_release_notes"] = false.into();
        let call = Call::create(about, self.client.repo(&["releases"]), body).needs(NEEDS);
        let drafted = self.client.create(&call, || self.find_release(&note.tag, about)).await;
        drafted.map_err(raced)
    }

    /// Makes a draft visible. The tag must be there: the host would make a bare one of its own.
    async fn publish(
        &self,
        release: &Release,
        note: &ReleaseNote,
        manifest: &NewAsset,
        about: &str,
    ) -> Result<(), PortError> {
        let path = self.client.repo(&["git", "ref", &format!("tags/{}", note.tag)]);
        if self.client.find::<serde_json::Value>(&Call::get(about, path)).await?.is_none() {
            let message = format!("there is no tag {}, and a release must not make one", note.tag);
            return Err(PortError::new(Problem::NotFound, about, message).hint("push the tag first"));
        }
        let path = self.client.repo(&["releases", &release.id.to_string()]);
        let mut body = fields(note, manifest);
        body["draft"] = false.into();
        let published: Release = match self.client.fetch(&Call::update(about, path, body).needs(NEEDS)).await
        {
            Ok(published) => published,
            Err(error) => {
                // A draft with other files than its manifest may be the only place where they are.
                if error.reason == Reason::Rule && release.assets.iter().all(|asset| asset.name == MANIFEST) {
                    self.remove_draft(release.id, about).await?;
                }
                return Err(raced(error));
            }
        };
        if published.draft || published.tag_name != note.tag {
            let message = format!("it stands as {} (draft: {})", published.tag_name, published.draft);
            return Err(PortError::new(Problem::Conflict, about, message));
        }
        Ok(())
    }

    pub(crate) async fn remove_draft(&self, id: u64, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["releases", &id.to_string()]);
        match self.client.send(&Call::delete(about, path).needs(NEEDS)).await {
            Err(error) if error.reason != Reason::Missing => Err(error),
            _ => Ok(()),
        }
    }
}

/// A draft or release of a tag is refused where another run has published the release of that tag in the meantime.
fn raced(error: CallError) -> PortError {
    let taken = error.reason == Reason::Unprocessable;
    PortError { problem: if taken { Problem::Conflict } else { error.port.problem }, ..error.port }
}

/// How the release of a note looks.
fn fields(note: &ReleaseNote, manifest: &NewAsset) -> serde_json::Value {
    json!({
        "tag_name": note.tag,
        "name": format!("{} {}", note.model, note.release.version),
        "body": text(note, manifest),
        "prerelease": note.release.version.is_prerelease(),
        // A model's version is not "the" latest release of a repository that may hold several models.
        "make_latest": "false",
    })
}

fn text(note: &ReleaseNote, manifest: &NewAsset) -> String {
    ours(&manifest.digest, &note.body)
}

fn same_text(there: Option<&str>, wanted: &str) -> bool {
    there.unwrap_or_default().replace("\r\n", "\n").trim_end() == wanted.replace("\r\n", "\n").trim_end()
}
