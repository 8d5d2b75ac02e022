//! Tags: what holds blobs and names releases. A tag has at most 128 characters of `a-z`, `A-Z`, `0-9`, `_`, `.` and `-`.

use reqwest::{Method, StatusCode, header};
use tagship_domain::{Digest, Release};
use tagship_ports::{PortError, Problem};

use super::{
    OciStore,
    layout::Layout,
    manifests,
    registry::{LARGEST, TRIES, pause, read, refused},
};
use crate::disk::digest_of;

/// Longest tag, in characters.
const LONGEST: usize = 128;
/// How much of a release's name stands in a tag that cannot hold all of it, in characters.
const READABLE: usize = 100;
/// What the tag of a manifest begins with that holds a blob.
const HOLDER: &str = "blob-";
/// What the tag of a modelcar ends with.
const MODELCAR: &str = "__modelcar";

/// The tag of the manifest that holds a blob.
pub(super) fn of_blob(digest: &Digest) -> String {
    format!("{HOLDER}{}", digest.hex())
}

/// The blob that a tag is about; absent for a tag of another kind.
pub(super) fn blob_of(tag: &str) -> Option<Digest> {
    format!("sha256:{}", tag.strip_prefix(HOLDER)?).parse().ok()
}

/// The tag of a release: `churn-v1.4.0`. Where that would be no tag, or could be the tag of another release, it is a readable
/// part of it, `__`, and the beginning of the digest of the release's name. No short tag has two `_` in a row.
pub(super) fn of_release(release: &Release) -> String {
    named(release, LONGEST)
}

/// The tag of a release's modelcar. No tag of a release ends so.
pub(super) fn of_modelcar(release: &Release) -> String {
    named(release, LONGEST - MODELCAR.len()) + MODELCAR
}

/// The tag of the manifest that holds a layer until its image does.
pub(super) fn of_layer(key: &Digest) -> String {
    format!("modelcar-layer-{}", key.hex())
}

/// The name of a release in at most so many characters, which are at least [`READABLE`] and 18 more.
fn named(release: &Release, longest: usize) -> String {
    let version = release.version.to_string().replace('+', "_");
    let model = release.model.to_string();
    let plain = format!("{model}-{version}");
    // `a` at `v1.0.0-v2.0.0` is not `a-v1.0.0` at `v2.0.0`.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let clear = model.bytes().all(is_plain)
        && model.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && !model.contains("__")
        && !model.contains("-v")
        && !version.contains("-v");
    if clear && plain.len() <= longest {
        return plain;
    }
    let readable: String =
        plain.chars().map(|one| if one.is_ascii() && is_plain(one as u8) { one } else { '-' }).collect();
    let readable: String = readable.trim_start_matches(['-', '.']).chars().take(READABLE).collect();
    format!("{readable}__{}", &digest_of(release.to_string().as_bytes()).hex()[..16])
}

impl OciStore {
    /// The manifest that a tag names; absent where there is none.
    pub(super) async fn tagged(&self, tag: &str) -> Result<Option<Vec<u8>>, PortError> {
        let about = format!("read {}:{tag}", self.place);
        let mut ask = self.ask(&about, Method::GET, &format!("manifests/{tag}"));
        ask.headers.push((header::ACCEPT, manifests::ACCEPTED.to_owned()));
        let answered = self.registry.send(&ask).await?;
        match answered.status() {
            StatusCode::OK => Ok(Some(read(&about, answered, LARGEST).await?)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(refused(&about, answered).await),
        }
    }

    /// Writes a manifest under a tag that nobody else uses.
    pub(super) async fn tag(&self, tag: &str, manifest: String) -> Result<(), PortError> {
        self.tag_as(tag, manifest, manifests::MANIFEST).await
    }

    /// The same for what has another media type.
    pub(super) async fn tag_as(&self, tag: &str, manifest: String, kind: &str) -> Result<(), PortError> {
        match self.tagged(tag).await? {
            Some(found) if found == manifest.as_bytes() => Ok(()),
            Some(found) => Err(self.is_taken(tag, &found)),
            None => self.put_manifest(tag, manifest, kind).await,
        }
    }

    /// The error of a tag that names something else.
    pub(super) fn is_taken(&self, tag: &str, found: &[u8]) -> PortError {
        let message = format!("the tag names {} already, which is something else", digest_of(found));
        let taken = PortError::new(Problem::Conflict, format!("write {}:{tag}", self.place), message);
        taken.hint(if manifests::has_parts(found) {
            "it was made with files in parts: set `max-layer-size` again if it is this release, else have every project keep its \
             releases in a repository of its own"
        } else {
            "have every project keep its releases in a repository of its own"
        })
    }

    /// Makes the registry keep the blobs of a file, and says when it was stored last: a release that finds bytes again needs them as much
    /// as one that brings them.
    pub(super) async fn hold(&self, digest: &Digest, layout: &Layout) -> Result<(), PortError> {
        let (tag, now) = (of_blob(digest), self.clock.now());
        let earlier = self.tagged(&tag).await?;
        if let Some(found) = &earlier {
            let held = manifests::held(found).filter(|held| held.digest == *digest);
            let Some(held) = held else {
                return self.tag(&tag, manifests::holder(digest, layout, now)).await;
            };
            let is_young = held.stored.is_some_and(|stored| stored.after(super::RENEWED_AFTER) > now);
            if is_young && held.layout == *layout {
                return Ok(());
            }
        }
        self.must_have(manifests::EMPTY).await?;
        self.put_manifest(&tag, manifests::holder(digest, layout, now), manifests::MANIFEST).await?;
        // It would hold the blob for ever. Where the registry removes nothing, it collects nothing either.
        if let Some(found) = earlier {
            let _ = self.remove_manifest(&digest_of(&found)).await;
        }
        Ok(())
    }

    /// Writes a manifest under a tag, or its digest.
    pub(super) async fn put_manifest(
        &self,
        tag: &str,
        manifest: String,
        kind: &str,
    ) -> Result<(), PortError> {
        let about = format!("write {}:{tag}", self.place);
        let mut ask = self.ask(&about, Method::PUT, &format!("manifests/{tag}"));
        ask.headers.push((header::CONTENT_TYPE, kind.to_owned()));
        ask.body = Some(manifest.into_bytes());
        let mut tries = 1;
        loop {
            let answered = self.registry.send(&ask).await?;
            if answered.status() == StatusCode::CREATED {
                return Ok(());
            }
            let error = refused(&about, answered).await;
            if !error.may_pass() || tries == TRIES {
                return Err(error);
            }
            pause(tries).await;
            tries += 1;
        }
    }
}
