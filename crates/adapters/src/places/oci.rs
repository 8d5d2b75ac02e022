//! Files in a registry of the Open Container Initiative: `oci://HOST/NAME:TAG`, `oci://HOST/NAME@sha256:...`.

use std::path::Path;

use async_trait::async_trait;
use serde_json::{Map, Value};
use tagship_ports::{ArtifactPlace, PortError, Problem, model_registry::Fetched};

use super::Opener;
use crate::{
    stores::{OciStore, oci_by},
    taking::Taking,
};

/// A tag or digest of a repository.
#[derive(Debug)]
pub(super) struct Pushed {
    store: OciStore,
    reference: String,
    place: String,
}

pub(super) fn open(rest: &str, opener: &Opener<'_>) -> Result<Pushed, PortError> {
    let place = format!("oci:{rest}");
    let wrong = || {
        PortError::new(Problem::Invalid, format!("read the address {place}"), "it names no tag and no digest")
            .hint("write oci://HOST/NAME:TAG or oci://HOST/NAME@sha256:...")
    };
    let (repository, reference) = split(rest.trim_start_matches('/')).ok_or_else(wrong)?;
    let repository = Value::String(repository.to_owned());
    let store = oci_by(&Map::from_iter([("repository".to_owned(), repository)]), opener.secret)?;
    Ok(Pushed { store, reference: reference.to_owned(), place })
}

/// The repository, and what is meant of it. A colon before the last slash belongs to the host.
fn split(text: &str) -> Option<(&str, &str)> {
    let is_tag = |tag: &str| {
        let of_tag = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !tag.is_empty() && tag.len() <= 128 && tag.bytes().all(of_tag)
    };
    if let Some((repository, digest)) = text.split_once('@') {
        return digest.parse::<tagship_domain::Digest>().is_ok().then_some((repository, digest));
    }
    let (repository, tag) = text.rsplit_once(':')?;
    is_tag(tag).then_some((repository, tag))
}

#[async_trait]
impl ArtifactPlace for Pushed {
    fn location(&self) -> String {
        self.place.clone()
    }

    async fn fetch(&self, directory: &Path, limit: u64) -> Result<Fetched, PortError> {
        let about = format!("fetch {}", self.place);
        let taking = Taking::new(about.as_str(), directory, limit);
        self.store.take(&about, &self.reference, taking).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_digests_are_told_from_ports() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let by_digest = format!("ghcr.io/acme/churn@{digest}");
        assert_eq!(split("ghcr.io/acme/churn:v1"), Some(("ghcr.io/acme/churn", "v1")));
        assert_eq!(split("127.0.0.1:5000/churn:v1"), Some(("127.0.0.1:5000/churn", "v1")));
        assert_eq!(split(&by_digest), Some(("ghcr.io/acme/churn", digest.as_str())));
        for bad in ["ghcr.io/churn", "127.0.0.1:5000/churn", "a/b:", "a/b@sha256:12", "a/b:x y"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
