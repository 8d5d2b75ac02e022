//! What a bucket holds, for taking away what nothing refers to.
//!
//! An object's time cannot be set anew. So what a release finds again gets an empty object of its name below `renewals/`, whose
//! time counts as well.

use std::collections::BTreeMap;

use async_trait::async_trait;
use object_store::{ObjectStoreExt as _, PutPayload, path::Path};
use tagship_domain::{Digest, Timestamp};
use tagship_ports::{
    Inventory, PortError, Problem,
    inventory::{Begun, Stored},
};

use super::{BucketStore, failure::port, parts::absent_or};

#[async_trait]
impl Inventory for BucketStore {
    async fn list(&self) -> Result<Vec<Stored>, PortError> {
        let mut stored = self.listed("blobs").await?;
        let renewed: BTreeMap<Digest, Timestamp> =
            self.listed("renewals").await?.into_iter().map(|file| (file.digest, file.written)).collect();
        for file in &mut stored {
            file.written = renewed.get(&file.digest).map_or(file.written, |again| file.written.max(*again));
        }
        Ok(stored)
    }

    async fn remove(&self, digest: &Digest) -> Result<(), PortError> {
        for path in [self.blob(digest), self.renewal(digest)] {
            let removed = absent_or(self.service.delete(&path).await);
            removed.map_err(|error| port(format!("remove {digest} from {}", self.place), &error))?;
        }
        Ok(())
    }

    async fn unfinished(&self) -> Result<Vec<Begun>, PortError> {
        let mut begun = self.listed("uploads").await?;
        for upload in &mut begun {
            upload.size = self.sent(&upload.digest).await;
        }
        Ok(begun.into_iter().map(Begun::from).collect())
    }

    async fn give_up(&self, digest: &Digest) -> Result<bool, PortError> {
        self.end(digest).await.map(|()| true)
    }
}

impl BucketStore {
    /// Objects by the name of a digest below one of our folders.
    async fn listed(&self, folder: &str) -> Result<Vec<Stored>, PortError> {
        let operation = || format!("list {}", self.place);
        let folder = self.prefix.clone().join(folder).join("sha256");
        let listed = self.service.list_with_delimiter(Some(&folder)).await;
        let mut stored = vec![];
        for object in listed.map_err(|error| port(operation(), &error))?.objects {
            let name = object.location.filename().unwrap_or_default();
            let Ok(digest) = format!("sha256:{name}").parse() else { continue };
            let written = Timestamp::from_seconds(object.last_modified.timestamp());
            let written =
                written.map_err(|error| PortError::new(Problem::Invalid, operation(), error.to_string()))?;
            stored.push(Stored { digest, size: object.size, written });
        }
        Ok(stored)
    }

    fn renewal(&self, digest: &Digest) -> Path {
        self.prefix.clone().join("renewals").join("sha256").join(digest.hex())
    }

    /// An object that is found again counts as written anew, so that it is not taken away from the release that needs it.
    pub(super) async fn renew(&self, digest: &Digest) -> Result<(), PortError> {
        let noted = self.service.put(&self.renewal(digest), PutPayload::new()).await;
        let failed = |error| port(format!("note that {digest} in {} is needed", self.place), &error);
        noted.map(|_| ()).map_err(failed)
    }
}
