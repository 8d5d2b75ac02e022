//! The bytes of releases as files of releases, found by their digest.
//!
//! What is new goes into a draft, because the version is not known yet; showing the release turns that draft into
//! it. A draft of a run that died is found again by its name and by what it holds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{ArtifactStore, PortError, Problem};
use tempfile::NamedTempFile;
use tokio::fs::File;

use crate::{
    GitHub,
    assets::{Asset, LARGEST, MOST, NewAsset, Source},
    call::Call,
    download::{Sink, unwritten},
    error::{CallError, Reason},
    releases::{MANIFEST, NEEDS, Release, ours},
    shelf::{Evidence, Shelf, incoming_tag},
};

/// Longest parts of a name that are kept, in characters.
const LONGEST_STEM: usize = 100;
const LONGEST_EXTENSION: usize = 16;
const BUFFER: usize = 256 << 10;
const MEDIA: &str = "application/octet-stream";

#[async_trait]
impl ArtifactStore for GitHub {
    fn location(&self) -> String {
        let settings = &self.client.settings;
        format!("{}/{}/releases", settings.server_url.trim_end_matches('/'), settings.repository)
    }

    /// Files go with their releases.
    fn is_collected(&self) -> bool {
        false
    }

    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError> {
        let about = format!("store {} in {}", file.display(), self.location());
        let (found, size) = digest_of_file(file).await?;
        if found != *digest {
            return Err(other_bytes(&about, &found, digest)
                .hint(format!("{} changed since it was judged; run again", file.display())));
        }
        let base = file.file_name().unwrap_or_default().to_string_lossy();
        let source = Source::File(file.to_owned());
        let asset = NewAsset { name: asset_name(&base, digest), media: MEDIA, size, digest: found, source };
        self.store(&mut *self.shelf.lock().await, asset, &about).await
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
        self.store(&mut shelf, asset, &about).await
    }

    async fn has(&self, digest: &Digest) -> Result<bool, PortError> {
        if is_empty(digest) {
            return Ok(true);
        }
        let about = format!("look for {digest} in {}", self.location());
        let mut shelf = self.shelf.lock().await;
        self.look(&mut shelf, "contents: read", &about).await?;
        for candidate in shelf.candidates(digest) {
            let sure = candidate.evidence != Evidence::Possible;
            if sure || self.reads_as(&mut shelf, &candidate.asset, digest, &about).await? {
                return Ok(true);
            }
        }
        Ok(false)
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

    async fn store(&self, shelf: &mut Shelf, asset: NewAsset, about: &str) -> Result<(), PortError> {
        if asset.size == 0 {
            // The host takes no empty file. Nothing has to be kept: its bytes are known.
            return Ok(());
        }
        if asset.size > LARGEST {
            let message = format!("it has {} bytes, and a file of a release at most {LARGEST}", asset.size);
            return Err(PortError::new(Problem::Unsupported, about, message)
                .hint("save the model in several smaller files, or configure another store"));
        }
        // While a draft is open, what this process knows is enough: it is the one that adds.
        if shelf.own().is_none() {
            self.look(shelf, NEEDS, about).await?;
        }
        if self.is_stored(shelf, &asset.digest, about).await? {
            return Ok(());
        }
        let release = self.open_draft(shelf, &asset.digest, about).await?;
        match self.fill(shelf, &release, asset.clone(), about).await {
            // Another run published the draft, removed it or used the name. What is there now counts; else this or
            // another draft takes the bytes.
            Err(error) if has_changed(&error) => {
                if error.reason != Reason::Unprocessable {
                    shelf.forget(release.id);
                }
                self.look(shelf, NEEDS, about).await?;
                if self.is_stored(shelf, &asset.digest, about).await? {
                    return Ok(());
                }
                let release = self.open_draft(shelf, &asset.digest, about).await?;
                Ok(self.fill(shelf, &release, asset, about).await?)
            }
            done => Ok(done?),
        }
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
    async fn fetch(
        &self,
        digest: &Digest,
        limit: Option<u64>,
        sink: &mut Sink,
        about: &str,
    ) -> Result<(), PortError> {
        let (mut tried, mut damaged) = (Vec::new(), None);
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

/// Whether the draft may not be what it was known as.
fn has_changed(error: &CallError) -> bool {
    error.reason == Reason::Unprocessable
        || matches!(error.port.problem, Problem::NotFound | Problem::Conflict)
}

/// A name that the host keeps as it is: the file's own, with the first digits of the digest.
pub(crate) fn asset_name(base: &str, digest: &Digest) -> String {
    let (stem, extension) = match base.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (base, ""),
    };
    let plain = |text: &str, longest: usize| -> String {
        let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let text: String = text.chars().take(longest).map(keep).collect();
        text.trim_matches(['.', '-']).to_owned()
    };
    let (stem, extension) = (plain(stem, LONGEST_STEM), plain(extension, LONGEST_EXTENSION));
    let stem = if stem.is_empty() { "file" } else { &stem };
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{stem}-{}{dot}{extension}", digest.short())
}

/// The same name with all digits of the digest instead of the first ones.
fn full_name(name: &str, digest: &Digest) -> String {
    match name.rsplit_once(digest.short()) {
        Some((before, after)) => format!("{before}{}{after}", digest.hex()),
        None => name.to_owned(),
    }
}

fn is_empty(digest: &Digest) -> bool {
    *digest == Digest::from_bytes(Sha256::new().finalize().into())
}

fn other_bytes(about: &str, found: &Digest, wanted: &Digest) -> PortError {
    PortError::new(Problem::Invalid, about, format!("its bytes are {found}, not {wanted}"))
}

async fn digest_of_file(file: &Path) -> Result<(Digest, u64), PortError> {
    let file = file.to_owned();
    blocking(move || {
        use std::io::Read;
        let failed = |error: std::io::Error| {
            PortError::new(Problem::Local, format!("read {}", file.display()), error.to_string())
        };
        let mut source = fs::File::open(&file).map_err(failed)?;
        let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
        loop {
            match source.read(&mut buffer) {
                Ok(0) => return Ok((Digest::from_bytes(hasher.finalize().into()), size)),
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    size += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    })
    .await
}

fn directory_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// A temporary file in the directory of another one, which goes away unless it takes its name; and the same, open.
async fn beside(to: &Path) -> Result<(NamedTempFile, File), PortError> {
    let to = to.to_owned();
    blocking(move || {
        let directory = directory_of(&to);
        fs::create_dir_all(&directory).map_err(|error| unwritten(&directory, &error))?;
        let mut builder = tempfile::Builder::new();
        // As readable for others as any new file.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(&directory).map_err(|error| unwritten(&to, &error))?;
        let open = temporary.as_file().try_clone().map_err(|error| unwritten(&to, &error))?;
        Ok((temporary, File::from_std(open)))
    })
    .await
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(PortError::new(Problem::Local, "file work", error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_by_the_host_and_tell_what_they_hold() {
        let digest = Digest::from_bytes([0xab; 32]);
        let long = "x".repeat(300);
        for (base, expected) in [
            ("model.onnx", "model-abababababab.onnx".to_owned()),
            ("model", "model-abababababab".to_owned()),
            ("weights.tar.gz", "weights.tar-abababababab.gz".to_owned()),
            ("my model (1).onnx", "my-model--1-abababababab.onnx".to_owned()),
            (".env", "env-abababababab".to_owned()),
            ("größe.bin", "gr--e-abababababab.bin".to_owned()),
            ("é.é", "file-abababababab".to_owned()),
            ("", "file-abababababab".to_owned()),
            (long.as_str(), format!("{}-abababababab", "x".repeat(100))),
        ] {
            assert_eq!(asset_name(base, &digest), expected, "{base}");
        }
    }
}
