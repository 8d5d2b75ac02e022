//! The bytes of releases as files of releases, found by their digest.
//!
//! What is new goes into a draft, because the version is not known yet; showing the release turns that draft into
//! it. A draft of a run that died is found again by its name and by what it holds.

use std::{fs, path::Path};

use async_trait::async_trait;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{ArtifactStore, PortError, Problem};

use crate::{
    GitHub,
    assets::{LARGEST, MOST, NewAsset, Source},
    beside::{beside, blocking, directory_of},
    call::Call,
    download::{Sink, unwritten},
    error::{CallError, Reason},
    names::{asset_name, full_name},
    parts,
    releases::{MANIFEST, NEEDS, Release, ours},
    shelf::{Evidence, Shelf, incoming_tag},
};

pub(crate) const MEDIA: &str = "application/octet-stream";

#[async_trait]
impl ArtifactStore for GitHub {
    fn location(&self) -> String {
        let settings = &self.client.settings;
        format!("{}/{}/releases", settings.server_url.trim_end_matches('/'), settings.repository)
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError> {
        let about = format!("store {} in {}", file.display(), self.location());
        let part_size = self.client.settings.part_size.clamp(1, LARGEST);
        let path = file.to_owned();
        let measured = blocking(move || parts::measure(&path, part_size)).await?;
        if measured.digest != *digest {
            return Err(other_bytes(&about, &measured.digest, digest)
                .hint(format!("{} changed since it was judged; run again", file.display())));
        }
        let base = file.file_name().unwrap_or_default().to_string_lossy();
        let name = asset_name(&base, digest);
        let assets = if measured.parts.is_empty() {
            let source = Source::File { path: file.to_owned(), from: 0 };
            vec![NewAsset { name, media: MEDIA, size: measured.size, digest: measured.digest, source }]
        } else {
            parts::pieces(&full_name(&name, digest), &measured, file, &about)?
        };
        self.store(&mut *self.shelf.lock().await, digest, &assets, &about).await
    }

    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError> {
        let about = format!("store {digest} in {}", self.location());
        let mut asset = NewAsset::of_bytes(&asset_name("bytes", digest), MEDIA, bytes);
        if asset.digest != *digest {
            return Err(other_bytes(&about, &asset.digest, digest));
        }
        let mut shelf = self.shelf.lock().await;
        if shelf.note_manifest(digest, bytes) {
            MANIFEST.clone_into(&mut asset.name);
        }
        self.store(&mut shelf, digest, &[asset], &about).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        if is_empty(digest) {
            return Ok(true);
        }
        let about = format!("look for {digest} in {}", self.location());
        // On a copy: reading may take long, and nobody else waits for it.
        let mut shelf = self.shelf.lock().await.clone();
        let found = self.has_on(&mut shelf, digest, &about).await;
        self.shelf.lock().await.remember_read(shelf);
        Ok(found?)
    }

    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError> {
        let about = format!("fetch {digest} from {} to {}", self.location(), to.display());
        let (temporary, file) = beside(to).await?;
        let mut sink = Sink::file(file, to.to_owned());
        if is_empty(digest) {
            sink.finish().await?;
        } else {
            self.fetch(digest, None, &mut sink, &about).await?;
        }
        drop(sink);
        let to = to.to_owned();
        blocking(move || {
            temporary.persist(&to).map_err(|error| unwritten(&to, &error.error))?;
            // The rename itself has to reach the disk; a directory that can't be opened for that is no failure.
            if let Ok(directory) = fs::File::open(directory_of(&to)) {
                let _ = directory.sync_all();
            }
            Ok(())
        })
        .await
    }

    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError> {
        if is_empty(digest) {
            return Ok(Vec::new());
        }
        let about = format!("read {digest} from {}", self.location());
        let mut sink = Sink::memory();
        self.fetch(digest, Some(limit), &mut sink, &about).await?;
        Ok(sink.bytes())
    }
}

impl GitHub {
    async fn has_on(&self, shelf: &mut Shelf, digest: &Digest, about: &str) -> Result<bool, CallError> {
        self.look(shelf, "contents: read", about).await?;
        for candidate in shelf.candidates(digest) {
            let sure = candidate.evidence != Evidence::Possible;
            if sure || self.reads_as(shelf, &candidate.asset, digest, about).await? {
                return Ok(true);
            }
        }
        self.has_joined(shelf, digest, about).await
    }

    /// Lists the releases. Where nothing has changed, this costs nothing of the host's budget.
    pub(crate) async fn look(
        &self,
        shelf: &mut Shelf,
        needs: &'static str,
        about: &str,
    ) -> Result<(), CallError> {
        shelf.learn(self.list_releases(needs, about).await?);
        Ok(())
    }

    /// Stores bytes as these files, of which there are several where the bytes are split.
    async fn store(
        &self,
        shelf: &mut Shelf,
        whole: &Digest,
        assets: &[NewAsset],
        about: &str,
    ) -> Result<(), PortError> {
        if is_empty(whole) {
            // The host takes no empty file. Nothing has to be kept: its bytes are known.
            return Ok(());
        }
        // While a draft is open, what this process knows is enough: it is the one that adds.
        if shelf.own().is_none() {
            self.look(shelf, NEEDS, about).await?;
        }
        if self.is_there(shelf, whole, assets, about).await? {
            return Ok(());
        }
        match self.fill_all(shelf, whole, assets, about).await {
            // Another run published the draft, removed it or used the name. What is there now counts; else this or
            // another draft takes the bytes.
            Err(error) if has_changed(&error) => {
                if error.reason != Reason::Unprocessable
                    && let Some(own) = shelf.own().map(|own| own.id)
                {
                    shelf.forget(own);
                }
                self.look(shelf, NEEDS, about).await?;
                if self.is_there(shelf, whole, assets, about).await? {
                    return Ok(());
                }
                Ok(self.fill_all(shelf, whole, assets, about).await?)
            }
            done => Ok(done?),
        }
    }

    /// Whether bytes are there already, as one file or as all of these.
    async fn is_there(
        &self,
        shelf: &mut Shelf,
        whole: &Digest,
        assets: &[NewAsset],
        about: &str,
    ) -> Result<bool, CallError> {
        if self.is_stored(shelf, whole, about).await? {
            return Ok(true);
        }
        Ok(assets.len() > 1 && self.are_stored(shelf, assets, about).await?)
    }

    /// Hangs files on the open draft, one after the other: those that are there from a run that broke off stay.
    async fn fill_all(
        &self,
        shelf: &mut Shelf,
        whole: &Digest,
        assets: &[NewAsset],
        about: &str,
    ) -> Result<(), CallError> {
        let draft = self.open_draft(shelf, whole, about).await?;
        must_hold(&draft, assets, about)?;
        for asset in assets {
            let release = self.open_draft(shelf, whole, about).await?;
            self.fill(shelf, &release, asset.clone(), about).await?;
        }
        Ok(())
    }

    /// Whether the bytes are there. A waiting draft that holds them is filled further, unless another one is open.
    async fn is_stored(&self, shelf: &mut Shelf, digest: &Digest, about: &str) -> Result<bool, CallError> {
        let own = shelf.own().map(|own| own.id);
        for candidate in shelf.candidates(digest) {
            let others = candidate.incoming && own.is_some_and(|own| own != candidate.release);
            let told = candidate.evidence == Evidence::Told;
            if others
                || candidate.foreign
                || !(told || self.reads_as(shelf, &candidate.asset, digest, about).await?)
            {
                continue;
            }
            if candidate.incoming {
                shelf.adopt(candidate.release);
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// The draft that takes what is new.
    async fn open_draft(&self, shelf: &mut Shelf, first: &Digest, about: &str) -> Result<Release, CallError> {
        if let Some(own) = shelf.own() {
            return Ok(own.clone());
        }
        let tag = incoming_tag(first);
        let begun = |releases: &[Release]| {
            let of_tag = releases.iter().filter(|release| release.is_incoming() && release.tag_name == tag);
            of_tag.max_by_key(|release| release.assets.len()).cloned()
        };
        if let Some(begun) = begun(shelf.known()) {
            shelf.adopt(begun.id);
            return Ok(begun);
        }
        let body = json!({
            "tag_name": tag,
            "name": "A release that is being made",
            "body": ours(first, "Tagship fills this draft and publishes it as a release. A run that broke off continues here."),
            "draft": true,
        });
        let call = Call::create(about, self.client.repo(&["releases"]), body).needs(NEEDS);
        let find = || async { Ok(begun(&self.list_releases(NEEDS, about).await?)) };
        let made: Release = self.client.create(&call, find).await?;
        shelf.open(made.clone());
        Ok(made)
    }

    /// Hangs a file on the open draft, and reads it back where the host does not say what arrived.
    async fn fill(
        &self,
        shelf: &mut Shelf,
        release: &Release,
        mut asset: NewAsset,
        about: &str,
    ) -> Result<(), CallError> {
        let mut release = release.clone();
        let same = release.assets.iter().find(|there| there.name == asset.name && there.is_whole(&asset));
        if let Some(same) = same
            && self.reads_as(shelf, same, &asset.digest, about).await?
        {
            return Ok(());
        }
        if release.assets.len() >= MOST - 1 && asset.name != MANIFEST {
            let message = format!("a release holds at most {MOST} files, its manifest included");
            return Err(PortError::new(Problem::Unsupported, about, message)
                .hint("pack the model's files together, or configure another store")
                .into());
        }
        let taken = |name: &str, release: &Release| {
            release.assets.iter().find(|there| there.name == name && there.state == "uploaded").cloned()
        };
        if asset.name == MANIFEST && taken(MANIFEST, &release).is_some() {
            // Of a version that another run was faster with, or of a run that died.
            asset.name = asset_name(MANIFEST, &asset.digest);
        } else if taken(&asset.name, &release).is_some() {
            // Other bytes whose digest begins alike: both stay, and these get all digits.
            asset.name = full_name(&asset.name, &asset.digest);
            if let Some(wrong) = taken(&asset.name, &release) {
                // It is not these bytes, or they would have been found: damaged.
                self.remove_asset(wrong.id, about).await?;
                shelf.remove(wrong.id);
                release.assets.retain(|there| there.id != wrong.id);
            }
        }
        let arrived = self.attach(&release, &asset, about).await?;
        if arrived.digest.is_none() && !self.reads_as(shelf, &arrived, &asset.digest, about).await? {
            self.remove_asset(arrived.id, about).await?;
            let message = format!("what arrived as {} is not {}", asset.name, asset.digest);
            return Err(PortError::new(Problem::Invalid, about, message)
                .hint("it was taken away again; run again")
                .into());
        }
        shelf.add(release.id, arrived);
        Ok(())
    }
}

/// Refuses more files than a draft has room for, its manifest included, before the first of them is sent.
fn must_hold(draft: &Release, assets: &[NewAsset], about: &str) -> Result<(), PortError> {
    let is_new = |asset: &&NewAsset| draft.assets.iter().all(|there| there.name != asset.name);
    let (new, there) = (assets.iter().filter(is_new).count(), draft.assets.len());
    let is_manifest = assets.iter().any(|asset| asset.name == MANIFEST);
    if new == 0 || there + new + usize::from(!is_manifest) <= MOST {
        return Ok(());
    }
    let message = format!(
        "{new} files come to {there}, and a release holds at most {MOST} files, its manifest included"
    );
    Err(PortError::new(Problem::Unsupported, about, message)
        .hint("pack the model's files together, or configure another store"))
}

/// Whether the draft may not be what it was known as.
fn has_changed(error: &CallError) -> bool {
    error.reason == Reason::Unprocessable
        || matches!(error.port.problem, Problem::NotFound | Problem::Conflict)
}

fn is_empty(digest: &Digest) -> bool {
    *digest == Digest::from_bytes(Sha256::new().finalize().into())
}

fn other_bytes(about: &str, found: &Digest, wanted: &Digest) -> PortError {
    PortError::new(Problem::Invalid, about, format!("its bytes are {found}, not {wanted}"))
}
