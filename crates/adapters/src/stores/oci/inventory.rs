//! What a repository holds, for taking away what nothing refers to: blobs by the tags that hold them.

use async_trait::async_trait;
use reqwest::{Method, StatusCode, Url, header};
use serde::Deserialize;
use tagship_domain::Digest;
use tagship_ports::{Inventory, PortError, Problem, inventory::Stored};

use super::{
    OciStore, manifests,
    registry::{LARGEST, read, refused},
    tags,
};
use crate::disk::digest_of;

#[derive(Deserialize)]
struct Page {
    /// Registries answer `null` where there are none.
    tags: Option<Vec<String>>,
}

#[async_trait]
impl Inventory for OciStore {
    /// A blob whose manifest does not say when it was stored is left out: what is not known stays.
    async fn list(&self) -> Result<Vec<Stored>, PortError> {
        let mut stored = vec![];
        for digest in self.tags().await?.iter().filter_map(|tag| tags::blob_of(tag)) {
            let Some(manifest) = self.tagged(&tags::of_blob(&digest)).await? else { continue };
            let held = manifests::held(&manifest).filter(|held| held.digest == digest);
            if let Some((size, written)) = held.and_then(|held| Some((held.layout.size(), held.stored?))) {
                stored.push(Stored { digest, size, written });
            }
        }
        Ok(stored)
    }

    /// Takes away what holds the file, then its blob; its bytes go when the registry collects its garbage. Parts stay until then:
    /// other files may have the same.
    async fn remove(&self, digest: &Digest) -> Result<(), PortError> {
        if let Some(manifest) = self.tagged(&tags::of_blob(digest)).await? {
            self.remove_manifest(&digest_of(&manifest)).await?;
        }
        self.unlink(digest).await
    }
}

impl OciStore {
    /// Every tag of the repository, page by page.
    async fn tags(&self) -> Result<Vec<String>, PortError> {
        let about = format!("list {}", self.place);
        let (mut found, mut ask) = (vec![], self.ask(&about, Method::GET, "tags/list"));
        ask.url.query_pairs_mut().append_pair("n", "1000");
        loop {
            let answered = self.registry.send(&ask).await?;
            match answered.status() {
                StatusCode::OK => {}
                // A repository is made by what is put into it.
                StatusCode::NOT_FOUND if found.is_empty() => return Ok(found),
                _ => return Err(refused(&about, answered).await),
            }
            let next = self.next_page(&about, &answered)?;
            let page: Page = serde_json::from_slice(&read(&about, answered, LARGEST).await?)
                .map_err(|error| PortError::new(Problem::Invalid, &about, error.to_string()))?;
            found.extend(page.tags.unwrap_or_default());
            match next {
                Some(next) if next != ask.url => ask.url = next,
                _ => return Ok(found),
            }
        }
    }

    /// The address of the next page, as RFC 8288 writes it; absent on the last one.
    fn next_page(&self, about: &str, answered: &reqwest::Response) -> Result<Option<Url>, PortError> {
        let link = answered.headers().get(header::LINK).and_then(|value| value.to_str().ok());
        let Some((address, _)) = link.and_then(|link| link.strip_prefix('<')?.split_once('>')) else {
            return Ok(None);
        };
        self.registry.ours_at(about, answered, Some(address)).map(Some)
    }

    pub(super) async fn remove_manifest(&self, digest: &Digest) -> Result<(), PortError> {
        let about = format!("remove the manifest {digest} from {}", self.place);
        let ask = self.ask(&about, Method::DELETE, &format!("manifests/{digest}"));
        let answered = self.registry.send(&ask).await?;
        match answered.status() {
            StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            StatusCode::METHOD_NOT_ALLOWED => {
                Err(PortError::new(Problem::Unsupported, about, "the registry removes nothing").hint(
                    "have it allow that, e.g. by REGISTRY_STORAGE_DELETE_ENABLED=true of the distribution registry",
                ))
            }
            _ => Err(refused(&about, answered).await),
        }
    }
}
