//! Files that hang on releases: named as the host demands, uploaded once, checked when they arrived.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, Duration, Timestamp};
use tagship_ports::{PortError, Problem};

use crate::{
    GitHub,
    call::{Body, Call, Server},
    error::{CallError, Reason},
    releases::{NEEDS, Release},
};

/// Largest asset, in bytes.
pub(crate) const LARGEST: u64 = (2 << 30) - 1;
/// Most assets of a release.
pub(crate) const MOST: usize = 1000;

/// How often a running upload of another run is looked at.
const POLL: Duration = Duration::from_secs(15);

/// How long an upload of so many bytes may last: a line of one megabyte a second is the slowest.
const fn patience(size: u64) -> Duration {
    Duration::from_secs(60 + size / 1_000_000)
}

/// Where the bytes of an asset are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Bytes(Vec<u8>),
    File {
        path: PathBuf,
        /// The first byte that is sent.
        from: u64,
    },
}

/// A file to hang on a release.
#[derive(Debug, Clone)]
pub(crate) struct NewAsset {
    pub(crate) name: String,
    pub(crate) media: &'static str,
    pub(crate) size: u64,
    pub(crate) digest: Digest,
    pub(crate) source: Source,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asset {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) state: String,
    /// In bytes.
    pub(crate) size: u64,
    /// `sha256:...`; older servers do not tell.
    #[serde(default)]
    pub(crate) digest: Option<String>,
    /// When its upload began.
    #[serde(default)]
    pub(crate) created_at: Option<Timestamp>,
}

impl GitHub {
    /// Hangs a file on a release and checks what arrived. One that is there already with other bytes is a conflict:
    /// what was released never changes.
    pub(crate) async fn attach(
        &self,
        release: &Release,
        asset: &NewAsset,
        about: &str,
    ) -> Result<Asset, CallError> {
        asset.check(about)?;
        match release.assets.iter().find(|there| there.name == asset.name) {
            Some(there) if there.is_whole(asset) => return Ok(there.clone()),
            Some(there) if there.state != "uploaded" => {
                if let Some(arrived) = self.outlast(release.id, there, asset, about).await? {
                    return Ok(arrived);
                }
            }
            Some(_) => {
                let message = format!("it has {} already, with other bytes", asset.name);
                return Err(PortError::new(Problem::Conflict, about, message)
                    .hint("released bytes never change; make a new version")
                    .into());
            }
            None if release.assets.len() >= MOST => {
                let message = format!("a release holds at most {MOST} files");
                return Err(PortError::new(Problem::Invalid, about, message).into());
            }
            None if release.immutable && !release.draft => {
                let message = format!("it was published without {} and is immutable", asset.name);
                return Err(PortError::new(Problem::Conflict, about, message)
                    .hint("make a new version")
                    .into());
            }
            None => {}
        }
        let arrived = self.upload(release.id, asset, about).await?;
        // What lies in parts is found by their names alone.
        if arrived.name != asset.name {
            let message = format!("{} arrived as {}", asset.name, arrived.name);
            self.remove_asset(arrived.id, about).await?;
            return Err(PortError::new(Problem::Invalid, about, message)
                .hint("it was taken away again; give the file a name of letters, digits, `.`, `-` and `_`, then run again")
                .into());
        }
        if !arrived.is_whole(asset) {
            let message = format!("what arrived as {} is not {}", asset.name, asset.digest);
            self.remove_asset(arrived.id, about).await?;
            return Err(PortError::new(Problem::Invalid, about, message)
                .hint("it was taken away again; check that the file has this digest, then run again")
                .into());
        }
        Ok(arrived)
    }

    /// An upload of somebody that has not ended. While it may still run, it is waited for; then it has broken off, cannot be
    /// continued, blocks its name, and is removed. Answers the file where it arrived.
    async fn outlast(
        &self,
        release: u64,
        begun: &Asset,
        wanted: &NewAsset,
        about: &str,
    ) -> Result<Option<Asset>, CallError> {
        let (now, most) = (self.client.clock.now(), patience(wanted.size));
        // By the host's clock, which may be ahead of ours.
        let until = begun.created_at.map_or(now, |at| at.after(most)).min(now.after(most));
        while self.client.clock.now() < until {
            self.client.clock.sleep(POLL).await;
            let path = self.client.repo(&["releases", &release.to_string(), "assets"]);
            let assets: Vec<Asset> = self.client.list(Call::get(about, path).needs(NEEDS), None).await?;
            match assets.into_iter().find(|there| there.name == wanted.name) {
                Some(there) if there.is_whole(wanted) => return Ok(Some(there)),
                Some(there) if there.state == "uploaded" => {
                    let message = format!("another run has stored other bytes as {}", wanted.name);
                    return Err(PortError::new(Problem::Conflict, about, message).hint("run again").into());
                }
                Some(there) if there.id == begun.id => {}
                // Its run took it away, or began anew, which is for the host to tell apart from ours.
                Some(_) | None => return Ok(None),
            }
        }
        self.remove_asset(begun.id, about).await?;
        Ok(None)
    }

    async fn upload(&self, release: u64, asset: &NewAsset, about: &str) -> Result<Asset, CallError> {
        let body = match &asset.source {
            Source::Bytes(bytes) => Body::Bytes { bytes: bytes.clone(), media: asset.media },
            Source::File { path, from } => {
                Body::File { path: path.clone(), from: *from, size: asset.size, media: asset.media }
            }
        };
        let path = self.client.repo(&["releases", &release.to_string(), "assets"]);
        let call = Call::create(about, path, serde_json::Value::Null).body(body).to(Server::Uploads);
        let call = call.query("name", &asset.name).needs(NEEDS);
        let find = async |ours: bool| {
            let path = self.client.repo(&["releases", &release.to_string(), "assets"]);
            let assets: Vec<Asset> = self.client.list(Call::get(about, path).needs(NEEDS), None).await?;
            match assets.into_iter().find(|there| there.name == asset.name) {
                Some(whole) if whole.is_whole(asset) => Ok(Some(whole)),
                // What began with our own request, whose answer was lost.
                Some(broken) if ours && broken.state != "uploaded" => {
                    self.remove_asset(broken.id, about).await?;
                    Ok(None)
                }
                // Perhaps another run's, which is not ours to remove: the host says that the name is taken.
                Some(_) | None => Ok(None),
            }
        };
        match self.client.create(&call, || find(true)).await {
            // The list in which it was not may have lagged behind.
            Err(error) if error.reason == Reason::Unprocessable => find(false).await?.ok_or(error),
            done => done,
        }
    }

    pub(crate) async fn remove_asset(&self, id: u64, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["releases", "assets", &id.to_string()]);
        match self.client.send(&Call::delete(about, path).needs(NEEDS)).await {
            Err(error) if error.reason != Reason::Missing => Err(error),
            _ => Ok(()),
        }
    }

    /// Gives a file of a release another name.
    pub(crate) async fn rename_asset(&self, id: u64, name: &str, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["releases", "assets", &id.to_string()]);
        self.client.send(&Call::update(about, path, json!({ "name": name })).needs(NEEDS)).await?;
        Ok(())
    }

    /// Hangs a file on the release of a tag, streamed from disk, and checks what arrived. The release must be shown
    /// already or be a draft; a file that is there with the same digest is left alone.
    ///
    /// # Errors
    /// [`Problem::NotFound`] where the tag has no release, [`Problem::Conflict`] where the file is there with other
    /// bytes or the release is immutable, [`Problem::Local`] where the file cannot be read.
    pub async fn attach_file(
        &self,
        tag: &str,
        name: &str,
        file: &Path,
        digest: &Digest,
    ) -> Result<(), PortError> {
        let about = format!("attach {name} to release {tag}");
        let size = tokio::fs::metadata(file).await.map(|metadata| metadata.len()).map_err(|error| {
            PortError::new(Problem::Local, &about, format!("read {}: {error}", file.display()))
        })?;
        let asset = NewAsset {
            name: name.to_owned(),
            media: "application/octet-stream",
            size,
            digest: digest.clone(),
            source: Source::File { path: file.to_owned(), from: 0 },
        };
        let Some(release) = self.find_release(tag, &about).await? else {
            return Err(PortError::new(Problem::NotFound, about, "the tag has no release"));
        };
        Ok(self.attach(&release, &asset, &about).await.map(|_there| ())?)
    }
}

impl NewAsset {
    pub(crate) fn of_bytes(name: &str, media: &'static str, bytes: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            media,
            size: bytes.len() as u64,
            digest: Digest::from_bytes(Sha256::digest(bytes).into()),
            source: Source::Bytes(bytes.to_vec()),
        }
    }

    /// The host renames what it does not like and refuses what is too large or empty.
    fn check(&self, about: &str) -> Result<(), PortError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let named = !self.name.is_empty() && self.name.bytes().all(plain) && !self.name.starts_with('.');
        let why = match self.size {
            _ if !named => "a name may have letters, digits, `-`, `_` and `.`".to_owned(),
            0 => "an empty file cannot be attached".to_owned(),
            size if size > LARGEST => format!("it has {size} bytes, at most {LARGEST}; split it"),
            _ => return Ok(()),
        };
        Err(PortError::new(Problem::Invalid, about, format!("{:?}: {why}", self.name)))
    }
}

impl Asset {
    /// Whether all of it arrived. Where the host does not tell digests, the size has to do.
    pub(crate) fn is_whole(&self, wanted: &NewAsset) -> bool {
        let digest = self.digest.as_ref().is_none_or(|digest| *digest == wanted.digest.to_string());
        self.state == "uploaded" && self.size == wanted.size && digest
    }
}
