//! Releases as pages of the repository: found by listing, because the lookup by tag hides drafts; made as a draft,
//! filled, checked, and published last. A tag is never made, moved or deleted here.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tagship_domain::Digest;
use tagship_ports::{PortError, Problem, forge::ReleaseNote};

use crate::{
    GitHub,
    call::{Body, Call, Server},
    error::{CallError, Reason},
};

/// Longest text of a release, in bytes; the host counts 125,000 characters.
const LONGEST: usize = 120_000;
/// Largest asset, in bytes.
const LARGEST: u64 = (2 << 30) - 1;
/// Most assets of a release.
const MOST: usize = 1000;
/// Name of the manifest among the assets.
const MANIFEST: &str = "tagship.manifest.json";
const NEEDS: &str = "contents: write";

/// Where the bytes of an asset are.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Bytes(Vec<u8>),
    File(PathBuf),
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
pub(crate) struct Release {
    pub(crate) id: u64,
    tag_name: String,
    #[serde(default)]
    body: Option<String>,
    draft: bool,
    #[serde(default)]
    immutable: bool,
    #[serde(default)]
    assets: Vec<Asset>,
}

#[derive(Debug, Clone, Deserialize)]
struct Asset {
    id: u64,
    name: String,
    state: String,
    size: u64,
    /// `sha256:...`; older servers do not tell.
    #[serde(default)]
    digest: Option<String>,
}

impl GitHub {
    pub(crate) async fn show_release(&self, note: &ReleaseNote) -> Result<(), PortError> {
        let about = format!("show release {}", note.tag);
        if note.body.len() > LONGEST {
            let message = format!("its text has {} bytes, at most {LONGEST}", note.body.len());
            return Err(PortError::new(Problem::Invalid, about, message));
        }
        let manifest = NewAsset::of_bytes(MANIFEST, "application/octet-stream", note.manifest.as_bytes());
        let release = match self.find_release(&note.tag, &about).await? {
            Some(release) => release,
            None => self.draft(note, &about).await?,
        };
        self.attach(&release, &manifest, &about).await?;
        if release.draft {
            self.publish(&release, note, &about).await?;
        } else if !same_text(release.body.as_deref(), &note.body) {
            let path = self.client.repo(&["releases", &release.id.to_string()]);
            let call = Call::update(&about, path, json!({ "body": note.body })).needs(NEEDS);
            self.client.send(&call).await?;
        }
        Ok(())
    }

    /// The release of a tag, published or not. Of several the published one counts, else the first; empty drafts
    /// beside it are what runs left that raced, and are removed.
    async fn find_release(&self, tag: &str, about: &str) -> Result<Option<Release>, CallError> {
        let call = Call::get(about, self.client.repo(&["releases"])).needs(NEEDS);
        let mut of_tag: Vec<Release> = self.client.list(call, None).await?;
        of_tag.retain(|release| release.tag_name == tag);
        of_tag.sort_by_key(|release| (release.draft, release.id));
        let mut of_tag = of_tag.into_iter();
        let Some(kept) = of_tag.next() else { return Ok(None) };
        for double in of_tag.filter(|double| double.draft && double.assets.is_empty()) {
            self.remove_draft(double.id, about).await?;
        }
        Ok(Some(kept))
    }

    async fn draft(&self, note: &ReleaseNote, about: &str) -> Result<Release, CallError> {
        let body = json!({
            "tag_name": note.tag,
            "name": format!("{} {}", note.model, note.release.version),
            "body": note.body,
            "draft": true,
            "prerelease": note.release.version.is_prerelease(),
            // A model's version is not "the" latest release of a repository that may hold several models.
            "make_latest": "false",
            "generate_release_notes": false,
        });
        let call = Call::create(about, self.client.repo(&["releases"]), body).needs(NEEDS);
        self.client.create(&call, || self.find_release(&note.tag, about)).await
    }

    /// Makes a draft visible. The tag must be there: the host would make a bare one of its own.
    async fn publish(&self, release: &Release, note: &ReleaseNote, about: &str) -> Result<(), PortError> {
        let path = self.client.repo(&["git", "ref", &format!("tags/{}", note.tag)]);
        if self.client.find::<serde_json::Value>(&Call::get(about, path)).await?.is_none() {
            let message = format!("there is no tag {}, and a release must not make one", note.tag);
            return Err(PortError::new(Problem::NotFound, about, message).hint("push the tag first"));
        }
        let path = self.client.repo(&["releases", &release.id.to_string()]);
        let body = json!({ "draft": false, "body": note.body, "make_latest": "false" });
        let published: Release = match self.client.fetch(&Call::update(about, path, body).needs(NEEDS)).await
        {
            Ok(published) => published,
            Err(error) => {
                if error.reason == Reason::Rule {
                    self.remove_draft(release.id, about).await?;
                }
                return Err(error.into());
            }
        };
        if published.draft || published.tag_name != note.tag {
            let message = format!("it stands as {} (draft: {})", published.tag_name, published.draft);
            return Err(PortError::new(Problem::Conflict, about, message));
        }
        Ok(())
    }

    async fn remove_draft(&self, id: u64, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["releases", &id.to_string()]);
        match self.client.send(&Call::delete(about, path).needs(NEEDS)).await {
            Err(error) if error.reason != Reason::Missing => Err(error),
            _ => Ok(()),
        }
    }

    /// Hangs a file on a release and checks what arrived. One that is there already with other bytes is a conflict:
    /// what was released never changes.
    pub(crate) async fn attach(
        &self,
        release: &Release,
        asset: &NewAsset,
        about: &str,
    ) -> Result<(), PortError> {
        asset.check(about)?;
        match release.assets.iter().find(|there| there.name == asset.name) {
            Some(there) if there.is_whole(asset) => return Ok(()),
            // An upload that broke off. It cannot be continued, and blocks its name.
            Some(there) if there.state != "uploaded" => self.remove_asset(there.id, about).await?,
            Some(_) => {
                let message = format!("it has {} already, with other bytes", asset.name);
                return Err(PortError::new(Problem::Conflict, about, message)
                    .hint("released bytes never change; make a new version"));
            }
            None if release.assets.len() >= MOST => {
                let message = format!("a release holds at most {MOST} files");
                return Err(PortError::new(Problem::Invalid, about, message));
            }
            None if release.immutable && !release.draft => {
                let message = format!("it was published without {} and is immutable", asset.name);
                return Err(PortError::new(Problem::Conflict, about, message).hint("make a new version"));
            }
            None => {}
        }
        let arrived = self.upload(release.id, asset, about).await?;
        if !arrived.is_whole(asset) {
            let message = format!("what arrived as {} is not {}", asset.name, asset.digest);
            self.remove_asset(arrived.id, about).await?;
            return Err(PortError::new(Problem::Invalid, about, message)
                .hint("it was taken away again; check that the file has this digest, then run again"));
        }
        Ok(())
    }

    async fn upload(&self, release: u64, asset: &NewAsset, about: &str) -> Result<Asset, CallError> {
        let body = match &asset.source {
            Source::Bytes(bytes) => Body::Bytes { bytes: bytes.clone(), media: asset.media },
            Source::File(path) => Body::File { path: path.clone(), size: asset.size, media: asset.media },
        };
        let path = self.client.repo(&["releases", &release.to_string(), "assets"]);
        let call = Call::create(about, path, serde_json::Value::Null).body(body).to(Server::Uploads);
        let call = call.query("name", &asset.name).needs(NEEDS);
        let find = || async {
            let path = self.client.repo(&["releases", &release.to_string(), "assets"]);
            let assets: Vec<Asset> = self.client.list(Call::get(about, path).needs(NEEDS), None).await?;
            match assets.into_iter().find(|there| there.name == asset.name) {
                Some(whole) if whole.is_whole(asset) => Ok(Some(whole)),
                Some(broken) => {
                    self.remove_asset(broken.id, about).await?;
                    Ok(None)
                }
                None => Ok(None),
            }
        };
        self.client.create(&call, find).await
    }

    async fn remove_asset(&self, id: u64, about: &str) -> Result<(), CallError> {
        let path = self.client.repo(&["releases", "assets", &id.to_string()]);
        match self.client.send(&Call::delete(about, path).needs(NEEDS)).await {
            Err(error) if error.reason != Reason::Missing => Err(error),
            _ => Ok(()),
        }
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
            source: Source::File(file.to_owned()),
        };
        let Some(release) = self.find_release(tag, &about).await? else {
            return Err(PortError::new(Problem::NotFound, about, "the tag has no release"));
        };
        self.attach(&release, &asset, &about).await
    }
}

impl NewAsset {
    fn of_bytes(name: &str, media: &'static str, bytes: &[u8]) -> Self {
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
    fn is_whole(&self, wanted: &NewAsset) -> bool {
        let digest = self.digest.as_ref().is_none_or(|digest| *digest == wanted.digest.to_string());
        self.state == "uploaded" && self.size == wanted.size && digest
    }
}

fn same_text(there: Option<&str>, wanted: &str) -> bool {
    there.unwrap_or_default().replace("\r\n", "\n").trim_end() == wanted.replace("\r\n", "\n").trim_end()
}
